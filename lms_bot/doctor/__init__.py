"""The doctor: examines the LMS, the store, Zulip and this machine, changes nothing, and says what it finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lms_bot.chat import Chat, RateLimiter
from lms_bot.config.settings import Settings
from lms_bot.core.reports.findings import Finding, Level, failed
from lms_bot.doctor import lms, machine, privacy, store, zulip
from lms_bot.doctor.secrets import redact, secrets_in
from lms_bot.errors import LmsBotError, StoreUnavailable
from lms_bot.lms import Lms, conformance
from lms_bot.lms.conformance.installation import Installation
from lms_bot.store.operations import inspection

DEADLINE = timedelta(seconds=45)  # for everything together; what has not answered by then does not answer

Check = tuple[str, Callable[[], Iterable[Finding]]]


def examine(
    settings: Settings, zuliprc: str | None, deadline: timedelta = DEADLINE, settings_file: str | None = None
) -> list[Finding]:
    """Return all findings, whatever does not answer; takes at most about `deadline`. No secret is in them."""
    source = Lms.of(settings)
    chat = Chat(zuliprc, RateLimiter(settings.messages_per_minute))
    people = lms.People(source)
    accounts = zulip.Accounts(chat)
    needs_zulip = settings.notify_mentors or zuliprc is not None
    patients = [
        Examination("lms", lms.checks(source, people, settings)),
        Examination("store", store.checks(settings)),
        Examination("zulip", zulip.checks(chat, accounts, settings) if needs_zulip else zulip.NOT_NEEDED),
        Examination("disk", machine.checks(settings)),
        Examination("files", privacy.checks(settings, settings_file, zuliprc)),
    ]
    end = time.monotonic() + deadline.total_seconds()
    for patient in patients:
        patient.start()
    found = [finding for patient in patients for finding in patient.findings(end)]
    if needs_zulip:
        found += _guarded(("mentors", lambda: mapping(settings, people, accounts)))
    secrets = secrets_in(settings.lms_database_url, settings.store_database_url)
    return [replace(finding, message=redact(secrets, finding.message)) for finding in found]


def mapping(settings: Settings, people: lms.People, accounts: zulip.Accounts) -> Iterable[Finding]:
    """Return which mentors have an account, by their addresses and by what an admin mapped by hand."""
    try:
        by_hand = inspection.mapped_by_hand(settings.store_database_url)
    except StoreUnavailable:
        by_hand = {}  # there is none yet, or what is wrong with it is found elsewhere
    return zulip.mapping(people.mentors, accounts.users, by_hand)


def examine_schema(settings: Settings, show: Callable[[int, int], None]) -> list[Finding]:
    """Return whether the LMS is as it is declared, by reading samples of it. No secret is in the findings.

    `show` is told how many checks are done, and how many there are.
    """
    checks = conformance.checks(Installation.of(settings), datetime.now(UTC))
    found: list[Finding] = []
    for done, check in enumerate(checks):
        show(done, len(checks))
        found += _guarded(check)
        if done == 0 and found[0].level is Level.FAILED:
            break  # it cannot be reached at all
    return [replace(one, message=redact(secrets_in(settings.lms_database_url), one.message)) for one in found]


class Examination:
    """The examination of one thing, check after check, in a thread of its own: it may never answer."""

    def __init__(self, name: str, checks: Sequence[Check]) -> None:
        self._name = name
        self._checks = checks
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._examine, name=f"doctor of {name}", daemon=True)

    def start(self) -> None:
        """Start the checks."""
        self._thread.start()

    def findings(self, end: float) -> list[Finding]:
        """Return what was found, once the last check is over or the time has come."""
        self._thread.join(max(0.0, end - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            found.append(failed(self._name, "does not answer in time", "see whether its server and network are well"))
        return found

    def _examine(self) -> None:
        for number, check in enumerate(self._checks):
            found = _guarded(check)
            self._found += found
            if number == 0 and any(finding.level is Level.FAILED for finding in found):
                return  # it cannot be reached at all


def _guarded(check: Check) -> list[Finding]:
    """Yield what a check finds; an error is a finding too."""
    name, look = check
    try:
        return list(look())
    except LmsBotError as error:
        return [failed(name, str(error), "see whether anything above explains it; if not, look again")]
    except Exception as error:  # noqa: BLE001 - whatever it was, the other checks go on
        return [failed(name, f"could not be looked at: {type(error).__name__}", "please report this as a bug")]
