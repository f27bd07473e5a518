"""Decides whose data a principal may see: the one place where ownership is asked.

Students are asked for here. What is addressed to a mentor (alerts, notifications, preferences) belongs to the mentors
who the principal is, `principal.mentor_ids`.
"""

from __future__ import annotations

from collections.abc import Collection

from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.core.principal import Principal
from lms_bot.errors import NotFound
from lms_bot.store.people import directory, people
from lms_bot.store.reports import access
from lms_bot.store.session import Transaction


def principal_of(transaction: Transaction, account: ZulipUser, *, is_admin: bool) -> Principal:
    """Return who a Zulip account is; `is_admin` says whether the question came from where admins ask."""
    return Principal.of(
        people.mentors_of_account(transaction, account.user_id),
        directory.students_of_account(transaction, account.user_id),
        is_admin=is_admin,
    )


def students(transaction: Transaction, principal: Principal) -> list[Student]:
    """Return the students whom a principal may see: an admin everybody, a mentor their own, a student themselves."""
    if principal.is_admin:
        return access.all_students(transaction)
    mentored = people.students_of(transaction, principal.mentor_ids) if principal.mentors else []
    known = {student.student_id for student in mentored}
    return [*mentored, *(student for student in principal.students if student.student_id not in known)]


def students_among(transaction: Transaction, principal: Principal, student_ids: Collection[int]) -> list[Student]:
    """Return those of the students whom a principal may see."""
    wanted = set(student_ids)
    return [student for student in students(transaction, principal) if student.student_id in wanted]


def student(transaction: Transaction, principal: Principal, student_id: int) -> Student:
    """Return a student whom a principal may see.

    Raises NotFound, in the same words for a student who does not exist and for one who is somebody else's.
    """
    if principal.is_admin:
        found = access.student(transaction, student_id)
    else:
        found = next((one for one in principal.students if one.student_id == student_id), None)
        if found is None and principal.mentors:
            found = access.student_of(transaction, student_id, principal.mentor_ids)
    if found is None:
        raise NotFound
    return found


def mentor(transaction: Transaction, principal: Principal, mentor_id: int) -> Mentor:
    """Return a mentor about whom a principal may ask: an admin about each, a mentor about themselves.

    Raises NotFound, in the same words for a mentor who does not exist and for another one.
    """
    if principal.is_admin:
        found = people.mentor(transaction, mentor_id)
    else:
        found = next((one for one in principal.mentors if one.mentor_id == mentor_id), None)
    if found is None:
        raise NotFound
    return found


def require_admin(principal: Principal) -> None:
    """Let only admins go on. Raises NotFound."""
    if not principal.is_admin:
        raise NotFound


def require_known(principal: Principal) -> None:
    """Let only those go on who are a mentor, a student or an admin. Raises NotFound."""
    if not principal.roles:
        raise NotFound
