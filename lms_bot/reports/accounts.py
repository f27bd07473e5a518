"""Who people are: mentors and students of the LMS, and their Zulip accounts."""

from __future__ import annotations

from lms_bot.core.people import Mentor, MentorAccount, Student, StudentAccount, ZulipUser, told_apart
from lms_bot.core.principal import Principal
from lms_bot.reports import access
from lms_bot.store.people import accounts, directory, people
from lms_bot.store.session import Transaction

Person = Mentor | Student


def mentor_account(transaction: Transaction, principal: Principal, mentor_id: int) -> MentorAccount:
    """Return who a mentor is: for themselves, and for admins. Raises NotFound."""
    mentor = access.mentor(transaction, principal, mentor_id)
    return MentorAccount(
        mentor,
        _account(transaction, mentor),
        directory.mapped_by_hand(transaction, mentor.mentor_id) is not None,
        tuple(told_apart(people.students_of(transaction, [mentor.mentor_id]))),
    )


def student_account(transaction: Transaction, principal: Principal, student_id: int) -> StudentAccount:
    """Return who a student is, for those who may see them. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    mentors = directory.mentors_of(transaction, student.student_id)
    return StudentAccount(student, _account(transaction, student), tuple(mentors))


def everybody(transaction: Transaction, principal: Principal) -> list[Person]:
    """Return every mentor and then every student, by username, for admins. Raises NotFound."""
    access.require_admin(principal)
    return directory.everybody(transaction)


def people_of_account(transaction: Transaction, principal: Principal, zulip_user_id: int) -> list[Person]:
    """Return the mentors and students to whom a Zulip account belongs, for admins. Raises NotFound."""
    access.require_admin(principal)
    return directory.with_account(transaction, zulip_user_id)


def people_numbered(transaction: Transaction, principal: Principal, number: int) -> list[Person]:
    """Return the mentor and the student who have this id in the LMS, for admins. Raises NotFound."""
    access.require_admin(principal)
    return directory.with_number(transaction, number)


def people_named(transaction: Transaction, principal: Principal, name: str) -> list[Person]:
    """Return those who have this username, e-mail address or name, for admins. Raises NotFound."""
    access.require_admin(principal)
    return directory.named(transaction, name)


def accounts_named(transaction: Transaction, principal: Principal, name: str) -> list[ZulipUser]:
    """Return the active accounts of people with this id, e-mail address or name, for admins. Raises NotFound."""
    access.require_admin(principal)
    return accounts.accounts_named(transaction, name)


def mapped_by_hand(transaction: Transaction, principal: Principal, mentor_id: int) -> int | None:
    """Return the account that an admin gave a mentor, if one did, for admins. Raises NotFound."""
    access.require_admin(principal)
    return directory.mapped_by_hand(transaction, mentor_id)


def unmapped(transaction: Transaction, principal: Principal) -> list[Mentor]:
    """Return the mentors who cannot be written to, with the reason, by username, for admins. Raises NotFound."""
    access.require_admin(principal)
    return accounts.unmapped(transaction)


def _account(transaction: Transaction, person: Person) -> ZulipUser | None:
    return None if person.zulip_user_id is None else accounts.zulip_user(transaction, person.zulip_user_id)
