"""Checks whether the event store is there, of our schema, and on a disk that suits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.operations.circuit_breaker import Circuit
from lms_bot.core.reports.findings import Finding, failed, ok, warning
from lms_bot.doctor.machine import file_system
from lms_bot.errors import StoreUnavailable
from lms_bot.store.academics.drift import DRIFT
from lms_bot.store.operations import inspection
from lms_bot.store.operations.inspection import StoreState
from lms_bot.store.retention.prune import EVERY, POSITION
from lms_bot.store.schema import CURRENT, unfinished
from lms_bot.store.state import POLLED

# SQLite's locks and shared memory do not work, or not surely, over these.
NETWORKED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs"}
)


def checks(settings: Settings) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks of the store, in order."""
    url = settings.store_database_url
    return (
        ("store", lambda: reach(url)),
        ("store schema", lambda: schema(inspection.inspect(url))),
        ("store writes", lambda: writes(inspection.inspect(url))),
        ("store file", lambda: on_disk(inspection.inspect(url))),
        ("store lease", lambda: lease(url)),
        ("last poll", lambda: last_poll(settings, inspection.inspect(url), datetime.now(UTC))),
        ("lms circuit", lambda: circuit(settings, inspection.inspect(url))),
        ("pauses", lambda: pauses(settings, inspection.inspect(url), datetime.now(UTC))),
        ("drift", lambda: drift(inspection.inspect(url), url)),
        ("retention", lambda: retention(settings, inspection.inspect(url), datetime.now(UTC))),
    )


def reach(url: str) -> Iterator[Finding]:
    """Check whether the store can be opened."""
    file = inspection.file_of(url)
    if file is not None and not file.parent.is_dir():
        yield failed("store", f"the folder {file.parent} is not there", "make it, or correct store_database_url")
        return
    try:
        state = inspection.inspect(url)
    except StoreUnavailable as error:
        yield failed("store", f"cannot be reached: {error}", "check store_database_url; deploy/postgresql-store.sql")
        return
    if state.schema is None:
        yield warning("store", "there is none yet", "the first start makes it, and so does lms-bot migrate")
    else:
        yield ok("store", f"answers: {state.product}")


def schema(state: StoreState) -> Iterator[Finding]:
    """Check the version of the schema."""
    if state.schema is None:
        return
    if state.schema == CURRENT:
        yield ok("store schema", f"{state.schema}, which is current")
    elif state.schema == unfinished(CURRENT):
        advice = "run the same lms-bot copy-store again, which goes on with it"
        yield failed("store schema", "an unfinished copy of another store", advice)
    elif state.is_older:
        advice = f"the next start brings it to {CURRENT}, and so does lms-bot migrate; back it up first"
        yield warning("store schema", f"{state.schema}, which is older than {CURRENT}", advice)
    else:
        yield failed("store schema", f"{state.schema}, which is newer than {CURRENT}", "install the newer lms_bot")


def writes(state: StoreState) -> Iterator[Finding]:
    """Check whether we may write."""
    if state.can_write:
        yield ok("store writes", "we may write to it")
    else:
        advice = "give the user that runs lms_bot the right to write; deploy/postgresql-store.sql"
        yield failed("store writes", "we may not write to it", advice)


def on_disk(state: StoreState) -> Iterator[Finding]:
    """Check whether SQLite's file is on a local disk and in WAL mode; nothing for a server."""
    if state.file is None:
        return
    kind = file_system(state.file if state.file.exists() else state.file.parent)
    if kind in NETWORKED:
        advice = "move it to a local disk, or use PostgreSQL: locks fail there, and messages may be sent twice"
        yield failed("store file", f"{state.file} is on a network file system ({kind})", advice)
    else:
        yield ok("store file", f"{state.file} is on a local disk{f' ({kind})' if kind else ''}")
    if state.journal_mode is not None and state.journal_mode.lower() != "wal":
        advice = "the next start turns WAL on; if it stays so, the disk does not allow it"
        yield warning("store journal", f"the journal mode is {state.journal_mode}, not WAL", advice)
    elif state.journal_mode is not None:
        yield ok("store journal", "WAL")


def lease(url: str) -> Iterator[Finding]:
    """Check whether only one process can work at a time: on a server its lock lives in a session."""
    if inspection.file_of(url) is not None:
        return
    if inspection.keeps_sessions(url):
        yield ok("store lease", "one process at a time can work")
    else:
        message = "a pooler hands out sessions by transaction, so that two processes may work, and tell things twice"
        advice = "let store_database_url go to PostgreSQL itself, or to a pooler by session (pool_mode = session)"
        yield failed("store lease", message, advice)


def last_poll(settings: Settings, state: StoreState, now: datetime) -> Iterator[Finding]:
    """Check whether a worker is at work."""
    if state.schema != CURRENT or not settings.monitor_enabled:
        return
    polled_at = inspection.noted_at(settings.store_database_url, POLLED)
    if polled_at is None:
        yield ok("last poll", "there was none yet")
        return
    ago = now - polled_at
    if ago > max(timedelta(minutes=10), 3 * timedelta(seconds=settings.poll_interval)):
        message = f"the last poll that succeeded ended {ago.total_seconds() / 60:.0f} minutes ago"
        yield warning("last poll", message, "is the bot running? its log says why a poll fails")
    else:
        yield ok("last poll", f"the last poll ended {max(0.0, ago.total_seconds()):.0f} s ago")


def circuit(settings: Settings, state: StoreState) -> Iterator[Finding]:
    """Check whether the worker leaves the LMS alone, after polls that failed."""
    if state.schema != CURRENT or not settings.monitor_enabled:
        return
    found = inspection.circuit(settings.store_database_url)
    if found.circuit is Circuit.CLOSED:
        yield ok("lms circuit", "closed: the worker reads the LMS")
        return
    message = f"{found.circuit} after {found.failures} failed polls in a row"
    yield warning("lms circuit", message, "the bot tries again by itself once a minute; see what is said of the lms")


def pauses(settings: Settings, state: StoreState, now: datetime) -> Iterator[Finding]:
    """Check whether an admin has paused the worker."""
    if state.schema != CURRENT:
        return
    paused = inspection.paused(settings.store_database_url, now)
    for work, until in paused.items():
        end = until.isoformat(timespec="minutes") if until else "it is resumed"
        yield warning("pauses", f"{work} is paused until {end}", f"resume {work}, in the admin channel, ends it")
    if not paused:
        yield ok("pauses", "nothing is paused")


def drift(state: StoreState, url: str) -> Iterator[Finding]:
    """Check how far the store was from the LMS when both were compared last, at night."""
    if state.schema != CURRENT:
        return
    found = inspection.noted(url, DRIFT) or {}
    apart = {kind: one["missing"] + one["extra"] + one["different"] for kind, one in found.items()}
    if rows := ", ".join(f"{kind} {count}" for kind, count in apart.items() if count):
        advice = "they are mended by now; if it recurs, see what else writes to the store"
        yield warning("drift", f"rows were other than in the LMS last night: {rows}", advice)
    else:
        yield ok("drift", "the store was as the LMS is" if found else "not compared with the LMS yet")


def retention(settings: Settings, state: StoreState, now: datetime) -> Iterator[Finding]:
    """Check whether events that are too old are removed."""
    days = settings.retention_days
    if days is None:
        yield ok("retention", "every event is kept")
    elif state.schema == CURRENT:
        cleaned_at = inspection.noted_at(settings.store_database_url, POSITION)
        if cleaned_at is not None and now - cleaned_at > 2 * EVERY:
            message = f"events are kept for {days} days, but none were looked at for {(now - cleaned_at).days} days"
            yield warning("retention", message, "is the bot running? its log says why removing fails")
        else:
            yield ok("retention", f"events are kept for {days} days")
