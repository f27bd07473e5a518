"""The commands of admins that show what is wrong, and mend it."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bot.core.people import Mentor, ZulipUser
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import ALL, count, number, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.find_student import MENTION
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import counted, moment, quote
from lms_bot.store.notifications import outbox, queue
from lms_bot.store.operations import incidents
from lms_bot.store.people import accounts, people

MOST_LISTED = 100
LISTED = 20


@REGISTRY.command("unmapped", Role.ADMIN)
def unmapped(request: Request, arguments: Arguments) -> str:
    """List the mentors who have no Zulip account that I can write to, and why."""
    found = accounts.unmapped(request.transaction)
    if not found:
        return "Every mentor has a Zulip account."
    lines = unmapped_lines(found, MOST_LISTED)
    return "\n".join(
        [f"**{counted(len(found), 'mentor')} without an account**", "", *lines, "", "Write `map #id @account`."]
    )


@REGISTRY.command(
    "map",
    Role.ADMIN,
    number("mentor", "The mentor's number in the LMS, as `unmapped` shows it."),
    words("account", "A mention of the Zulip account, its e-mail address or its id; or `off` for by e-mail again."),
    changes=True,
)
def map_(request: Request, arguments: Arguments) -> str:
    """Say which Zulip account a mentor has, where the e-mail addresses do not.

    What waited for the mentor is told at once, as one message.
    """
    mentor = people.mentor(request.transaction, arguments["mentor"])
    if mentor is None:
        raise UserError(f"The LMS has no mentor #{arguments['mentor']}.")
    text = arguments["account"].strip()
    account = None if text.casefold() == "off" else _account(request, text).user_id
    woken = accounts.map_by_hand(request.transaction, mentor.mentor_id, account, request.now)
    queue.make_mapped_due(request.transaction, woken, request.now)
    now_mapped = people.mentor(request.transaction, mentor.mentor_id)
    assert now_mapped is not None
    if now_mapped.zulip_user_id is None:
        return f"**{quote(mentor.username)}** has no account now: {quote(now_mapped.unmapped_reason)}."
    return (
        f"**{quote(mentor.username)}** is account {now_mapped.zulip_user_id} now. Back: `map #{mentor.mentor_id} off`."
    )


@REGISTRY.command("errors", Role.ADMIN, count(MOST_LISTED, LISTED, is_keyed=False))
def errors(request: Request, arguments: Arguments) -> str:
    """List the messages that Zulip refused for good."""
    total, parked = outbox.parked(request.transaction, arguments["n"])
    if not total:
        return "No message is parked."
    lines = [
        f"* `{one.message_id}` {moment(one.tried_at)} "
        f"{f'to mentor #{one.mentor_id}' if one.mentor_id is not None else 'a reply'}: {quote(one.error)}"
        for one in parked
    ]
    if total > len(parked):
        lines.append(f"* … and {total - len(parked):,} more")
    return "\n".join([f"**{counted(total, 'message')} parked**", "", *lines, "", "Write `retry <id>` or `retry all`."])


@REGISTRY.command(
    "retry", Role.ADMIN, number("id", "A message's number, as `errors` shows it.", also=(ALL,)), changes=True
)
def retry(request: Request, arguments: Arguments) -> str:
    """Tell anew what a parked message, or all of them, told."""
    which = arguments["id"]
    revived = outbox.requeue_parked(request.transaction, None if which == ALL else which, request.now)
    if not revived:
        raise UserError("No such message is parked. `errors` lists those that are.")
    if not outbox.parked(request.transaction, 1)[0]:
        incidents.end(request.transaction, "parked", "🟢 No message is parked any more.")
    return f"{counted(revived, 'message')} will be told anew."


def unmapped_lines(found: Sequence[Mentor], most: int) -> list[str]:
    """A line for each of the mentors, at most so many, and why nobody can be written to."""
    lines = [
        f"* **{quote(mentor.username)}** (#{mentor.mentor_id}): {quote(mentor.unmapped_reason or 'not looked up yet')}"
        for mentor in found[:most]
    ]
    return lines + ([f"* … and {len(found) - most:,} more"] if len(found) > most else [])


def _account(request: Request, text: str) -> ZulipUser:
    """The account that an admin names. Raises UserError."""
    mention = MENTION.match(text)
    wanted = (mention["id"] or mention["name"] if mention else text.lstrip("@")).strip()
    found = accounts.accounts_named(request.transaction, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"Several accounts are called “{quote(wanted, 60)}”: write the e-mail address or the id.")
    raise UserError(f"Zulip has no account “{quote(wanted, 60)}”.")
