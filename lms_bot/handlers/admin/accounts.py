"""The command that tells an admin who somebody is."""

from __future__ import annotations

import re

from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.core.principal import Role
from lms_bot.core.search.people import MENTION, matching
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import quote
from lms_bot.render.accounts import MOST_NAMED, account_words, mentor_text, people_lines, student_text
from lms_bot.render.preferences import preferences_text
from lms_bot.reports import accounts
from lms_bot.reports.preferences import mentor_preferences

_NUMBER = re.compile("#([0-9]{1,18})")
MOST_SHOWN = 3  # people of whom all is said; more are only named
WHO = words(
    "who", "A mentor or a student: a mention, a username, an e-mail address, `#id` of the LMS, or a part of the name."
)
COMMANDS = REGISTRY.section(Role.ADMIN, 6, "accounts")


@COMMANDS.command("user", WHO, is_personal=True)
def user(request: Request, arguments: Arguments) -> str:
    """Show who a mentor or a student is: the Zulip account, their students or mentors, and what they want to be told.

    You are answered in a direct message.
    """
    who = arguments["who"]
    found, named = _people(request, who), dict[int, ZulipUser]()
    if not found:
        named = _accounts(request, who)
        found = [one for user_id in named for one in _with_account(request, user_id)]
    if not found and not named:
        raise UserError(f"I know no mentor, student or account “{quote(who, 60)}”.")
    if not found:
        lines = [f"{account_words(one)} is neither mentor nor student in the LMS." for one in named.values()]
        return "\n".join(lines[:MOST_NAMED])
    if len(found) > MOST_SHOWN:
        return "\n".join([f"**{len(found):,} match “{quote(who, 60)}”**", "", *people_lines(found)])
    return "\n\n".join(_text(request, one) for one in found)


def _people(request: Request, who: str) -> list[Mentor | Student]:
    """Return those whom the words name; everybody is looked through only for a part of a name."""
    mention = MENTION.match(who.strip())
    if mention and mention["id"]:
        return _with_account(request, int(mention["id"]))
    if number := _NUMBER.fullmatch(who.strip()):
        return accounts.people_numbered(request.transaction, request.principal, int(number[1]))
    name = mention["name"] if mention else who.strip().lstrip("@")
    exactly = accounts.people_named(request.transaction, request.principal, name)
    return exactly or matching(accounts.everybody(request.transaction, request.principal), who)


def _accounts(request: Request, who: str) -> dict[int, ZulipUser]:
    """Return the accounts of Zulip that a mention, a full name or an e-mail address names, by id."""
    mention = MENTION.match(who.strip())
    if who.isdigit():
        return {}
    name = (mention["id"] or mention["name"]) if mention else who
    return {one.user_id: one for one in accounts.accounts_named(request.transaction, request.principal, name)}


def _with_account(request: Request, zulip_user_id: int) -> list[Mentor | Student]:
    return accounts.people_of_account(request.transaction, request.principal, zulip_user_id)


def _text(request: Request, person: Mentor | Student) -> str:
    transaction, principal = request.transaction, request.principal
    if isinstance(person, Student):
        return student_text(accounts.student_account(transaction, principal, person.student_id))
    account = accounts.mentor_account(transaction, principal, person.mentor_id)
    preferences = mentor_preferences(transaction, principal, person.mentor_id, request.settings, request.now)
    name = person.display_name or (account.account.full_name if account.account else person.username)
    return mentor_text(account) + "\n\n" + preferences_text(preferences, name)
