"""Decides whose data a principal may see: the one place where ownership is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.people import Mentor, Student, ZulipUser, told_apart
from lms_bot.core.principal import Principal, Role
from lms_bot.errors import NotFound
from lms_bot.lms.pages import with_pages
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.people import accounts, directory, display_names, people
from lms_bot.store.reports import access
from lms_bot.store.session import Transaction


def account(transaction: Transaction, zulip_user_id: int) -> ZulipUser | None:
    """Return the Zulip account of whoever asks; None if it was not there when accounts were last read."""
    return accounts.zulip_user(transaction, zulip_user_id)


def principal_of(transaction: Transaction, account: ZulipUser, *, is_admin: bool) -> Principal:
    """Return who a Zulip account is; `is_admin` says whether the question came from where admins ask."""
    return Principal.of(
        people.mentors_of_account(transaction, account.user_id),
        directory.students_of_account(transaction, account.user_id),
        is_admin=is_admin,
    )


def admin_channel_for(transaction: Transaction, account: ZulipUser) -> tuple[bool, AdminChannel | None]:
    """Return whether somebody is to know of the admin channel, and that channel, if one is pinned.

    Its members are, and before one is pinned the administrators of the organisation; that alone gives no rights.
    """
    channel = admin_channel.pinned(transaction)
    if account.is_guest or account.is_bot or not account.is_active:
        return False, channel
    known = accounts.administrators(transaction) if channel is None else channel.members
    return account.user_id in known, channel


def students(transaction: Transaction, principal: Principal) -> list[Student]:
    """Return the students whom a principal may see: an admin everybody, a mentor their own, a student themselves.

    Raises NotFound for a stranger.
    """
    require_known(principal)
    if principal.sees_everybody:
        return told_apart(access.all_students(transaction))
    mentored = people.students_of(transaction, principal.mentor_ids) if principal.mentors else []
    known = {student.student_id for student in mentored}
    return told_apart([*mentored, *(one for one in principal.students if one.student_id not in known)])


def students_among(transaction: Transaction, principal: Principal, student_ids: Collection[int]) -> list[Student]:
    """Return those of the students whom a principal may see."""
    wanted = set(student_ids)
    return [student for student in students(transaction, principal) if student.student_id in wanted]


def ids_among(transaction: Transaction, principal: Principal, student_ids: Collection[int]) -> set[int]:
    """Return those of some ids that belong to students whom a principal may see. Raises NotFound for a stranger."""
    require_known(principal)
    mentor_ids = None if principal.sees_everybody else principal.mentor_ids
    return access.known_among(transaction, student_ids, mentor_ids) | {*principal.student_ids} & {*student_ids}


def readable_ids(transaction: Transaction, principal: Principal) -> list[int] | None:
    """Return the ids of the students whom a principal may see; None for everybody. Raises NotFound for a stranger."""
    require_known(principal)
    if principal.sees_everybody:
        return None
    return [student.student_id for student in students(transaction, principal)]


def student(transaction: Transaction, principal: Principal, student_id: int) -> Student:
    """Return a student whom a principal may see.

    Raises NotFound, in the same words for a student who does not exist and for one who is somebody else's.
    """
    if principal.sees_everybody:
        found = access.student(transaction, student_id)
    else:
        found = next((one for one in principal.students if one.student_id == student_id), None)
        if found is None and principal.mentors:
            found = access.student_of(transaction, student_id, principal.mentor_ids)
    if found is None:
        raise NotFound
    return display_names.students_named(transaction, [student_id], _readers(principal))[student_id]


def as_shown(transaction: Transaction, principal: Principal, found: Sequence[Event], settings: Settings) -> list[Event]:
    """Return events with the names of their students, as the principal tells these apart, and with their pages."""
    return with_pages(display_names.named(transaction, found, _readers(principal)), settings)


def events_of(student: Student, found: Iterable[Event], settings: Settings) -> list[Event]:
    """Return events of one student, with the name by which the principal knows that student, and with their pages."""
    named = (event._replace(student_name=student.display_name, shares_name=student.shares_name) for event in found)
    return with_pages(named, settings)


def mentor(transaction: Transaction, principal: Principal, mentor_id: int) -> Mentor:
    """Return a mentor about whom a principal may ask: an admin about each, a mentor about themselves.

    Raises NotFound, in the same words for a mentor who does not exist and for another one.
    """
    return _mentor(transaction, principal, mentor_id, of_anybody=principal.is_admin)


def mentor_of_programs(transaction: Transaction, principal: Principal, mentor_id: int) -> Mentor:
    """Return the same for programs, too: one that sees everybody may ask about each. Raises NotFound."""
    return _mentor(transaction, principal, mentor_id, of_anybody=principal.sees_everybody)


def _mentor(transaction: Transaction, principal: Principal, mentor_id: int, *, of_anybody: bool) -> Mentor:
    if of_anybody:
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


def require_mentor(principal: Principal) -> None:
    """Let only mentors go on. Raises NotFound."""
    if Role.MENTOR not in principal.roles:
        raise NotFound


def require_known(principal: Principal) -> None:
    """Let only those go on who have a role. Raises NotFound."""
    if not principal.roles:
        raise NotFound


def _readers(principal: Principal) -> list[int] | None:
    """Return the mentors whose students are told apart; None for all students."""
    return None if principal.sees_everybody else principal.mentor_ids
