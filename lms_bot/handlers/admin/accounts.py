"""The command that tells an admin who somebody is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.find_student import MENTION, matching
from lms_bot.handlers.mentor.preferences import state
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import NOTHING, counted, quote
from lms_bot.store.people import directory, people
from lms_bot.store.people.accounts import accounts_named, zulip_user

_NUMBER = re.compile("#([0-9]{1,18})")
MOST_SHOWN = 3  # people of whom all is said; more are only named
MOST_NAMED = 20
WHO = words(
    "who", "A mentor or a student: a mention, a username, an e-mail address, `#id` of the LMS, or a part of the name."
)


@REGISTRY.command("user", Role.ADMIN, WHO, is_personal=True)
def user(request: Request, arguments: Arguments) -> str:
    """Show who a mentor or a student is: the Zulip account, their students or mentors, and what they want to be told.

    You are answered in a direct message.
    """
    who = arguments["who"]
    found = _named(request, who)
    accounts = {} if found else _accounts(request, who)
    found = found or [one for user_id in accounts for one in directory.with_account(request.transaction, user_id)]
    if not found and not accounts:
        raise UserError(f"I know no mentor, student or account “{quote(who, 60)}”.")
    if not found:
        lines = [f"{_account_words(one)} is neither mentor nor student in the LMS." for one in accounts.values()]
        return "\n".join(lines[:MOST_NAMED])
    if len(found) > MOST_SHOWN:
        return "\n".join([f"**{len(found):,} match “{quote(who, 60)}”**", "", *_names(found)])
    return "\n\n".join(_card(request, one) for one in found)


def _named(request: Request, who: str) -> list[Mentor | Student]:
    """Those whom the words name; everybody is looked through only for a part of a name."""
    mention = MENTION.match(who.strip())
    if mention and mention["id"]:
        return directory.with_account(request.transaction, int(mention["id"]))
    if number := _NUMBER.fullmatch(who.strip()):
        return directory.with_number(request.transaction, int(number[1]))
    exactly = directory.named(request.transaction, mention["name"] if mention else who.strip().lstrip("@"))
    return exactly or matching(directory.everybody(request.transaction), who)


def _accounts(request: Request, who: str) -> dict[int, ZulipUser]:
    """The accounts of Zulip that a mention, a full name or an e-mail address names, by id."""
    mention = MENTION.match(who.strip())
    if who.isdigit():
        return {}
    name = (mention["id"] or mention["name"]) if mention else who
    return {one.user_id: one for one in accounts_named(request.transaction, name)}


def _card(request: Request, person: Mentor | Student) -> str:
    return _of_mentor(request, person) if isinstance(person, Mentor) else _of_student(request, person)


def _of_mentor(request: Request, mentor: Mentor) -> str:
    students = people.students_of(request.transaction, [mentor.mentor_id])
    lines = [
        *_identity(mentor),
        f"* **Zulip:** {_account(request, mentor)}",
        f"* **{counted(len(students), 'student')}:** {_listed([one.username for one in students])}",
    ]
    heading = f"🧑‍🏫 **Mentor {quote(mentor.username)}** (#{mentor.mentor_id})"
    return "\n".join([heading, "", *lines, "", state(request, mentor.mentor_id)])


def _of_student(request: Request, student: Student) -> str:
    mentors = directory.mentors_of(request.transaction, student.student_id)
    named = [f"{one.username} (#{one.mentor_id})" for one in mentors]
    lines = [
        *_identity(student),
        f"* **Zulip:** {_account(request, student)}",
        f"* **Active in the LMS:** {'yes' if student.is_active else 'no'}",
        f"* **{counted(len(mentors), 'mentor')}:** {_listed(named)}",
    ]
    return "\n".join([f"🧑‍🎓 **Student {quote(student.username)}** (#{student.student_id})", "", *lines])


def _identity(person: Mentor | Student) -> list[str]:
    return [f"* **Name:** {quote(person.display_name)}", f"* **E-mail:** {quote(person.email)}"]


def _account(request: Request, person: Mentor | Student) -> str:
    if person.zulip_user_id is None:
        reason = person.unmapped_reason if isinstance(person, Mentor) else None
        return f"no account: {quote(reason)}" if reason else "no account"
    account = zulip_user(request.transaction, person.zulip_user_id)
    by_hand = isinstance(person, Mentor) and directory.is_mapped_by_hand(request.transaction, person.mentor_id)
    words = _account_words(account) if account else f"account {person.zulip_user_id}"
    return f"{words}{', mapped by hand' if by_hand else ''}"


def _account_words(account: ZulipUser) -> str:
    return f"**{quote(account.full_name)}**, account {account.user_id}"


def _names(found: Sequence[Mentor | Student]) -> list[str]:
    lines = [
        f"* mentor **{quote(one.username)}** (#{one.mentor_id})"
        if isinstance(one, Mentor)
        else f"* student **{quote(one.username)}** (#{one.student_id})"
        for one in found[:MOST_NAMED]
    ]
    return lines + ([f"* … and {len(found) - MOST_NAMED:,} more"] if len(found) > MOST_NAMED else [])


def _listed(names: Sequence[str]) -> str:
    more = f" … and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return (", ".join(quote(name, 60) for name in names[:MOST_NAMED]) or NOTHING) + more
