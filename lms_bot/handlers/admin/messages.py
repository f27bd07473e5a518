"""The commands of admins that show what cannot be sent, and mend it."""

from __future__ import annotations

from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Role
from lms_bot.core.search.people import MENTION
from lms_bot.errors import NotFound, UserError
from lms_bot.handlers.argument_types import ALL, count, number, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import messages as actions
from lms_bot.render import counted, moment, quote
from lms_bot.render.accounts import unmapped_lines
from lms_bot.reports import access, accounts, notifications

MOST_LISTED = 100
LISTED = 20
COMMANDS = REGISTRY.section(Role.ADMIN, 1, "accounts")


@COMMANDS.command("unmapped")
def unmapped(request: Request, arguments: Arguments) -> str:
    """List the mentors who have no Zulip account that I can write to, and why."""
    found = accounts.unmapped(request.transaction, request.principal)
    if not found:
        return "Every mentor has a Zulip account."
    lines = unmapped_lines(found, MOST_LISTED)
    return "\n".join(
        [f"**{counted(len(found), 'mentor')} without an account**", "", *lines, "", "Write `map #id @account`."]
    )


@COMMANDS.command(
    "map",
    number("mentor", "The mentor's number in the LMS, as `unmapped` shows it."),
    words("account", "A mention of the Zulip account, its e-mail address or its id; or `off` for by e-mail again."),
    changes=True,
)
def map_(request: Request, arguments: Arguments) -> str:
    """Say which Zulip account a mentor has, where the e-mail addresses do not.

    What waited for the mentor is told at once, as one message.
    """
    try:
        mentor = access.mentor(request.transaction, request.principal, arguments["mentor"])
    except NotFound as error:
        raise UserError(f"The LMS has no mentor #{arguments['mentor']}.") from error
    text = arguments["account"].strip()
    before = accounts.mapped_by_hand(request.transaction, request.principal, mentor.mentor_id)
    account_id = None if text.casefold() == "off" else _account(request, text).user_id
    actions.map_account(request.transaction, mentor.mentor_id, account_id, request.now)
    mapped = access.mentor(request.transaction, request.principal, mentor.mentor_id)
    is_now = f"is account {mapped.zulip_user_id} now"
    if mapped.zulip_user_id is None:
        is_now = f"has no account now: {quote(mapped.unmapped_reason)}"
    way_back = f" To take it back: `map #{mentor.mentor_id} {before or 'off'}`." if account_id != before else ""
    return f"**{quote(mentor.name)}** {is_now}.{way_back}"


@COMMANDS.command("errors", count(MOST_LISTED, LISTED, is_keyed=False))
def errors(request: Request, arguments: Arguments) -> str:
    """List the messages that Zulip refused for good."""
    total, parked = notifications.parked(request.transaction, request.principal, arguments["n"])
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


@COMMANDS.command("retry", number("id", "A message's number, as `errors` shows it.", also=(ALL,)), changes=True)
def retry(request: Request, arguments: Arguments) -> str:
    """Tell anew what a parked message, or all of them, told."""
    which = arguments["id"]
    requeued = actions.retry_parked(request.transaction, None if which == ALL else which, request.now)
    if not requeued:
        raise UserError("No such message is parked. `errors` lists those that are.")
    return f"{counted(requeued, 'message')} will be told anew."


def _account(request: Request, text: str) -> ZulipUser:
    """Return the account that an admin names. Raises UserError."""
    mention = MENTION.match(text)
    wanted = (mention["id"] or mention["name"] if mention else text.lstrip("@#")).strip()
    found = accounts.accounts_named(request.transaction, request.principal, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"Several accounts are called “{quote(wanted, 60)}”: write the e-mail address or the id.")
    raise UserError(f"Zulip has no account “{quote(wanted, 60)}”.")
