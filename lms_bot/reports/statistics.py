"""The counts of events and of what was told of them."""

from __future__ import annotations

from datetime import datetime

from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.statistics import ACTIVE_WITHIN, Results, Statistics
from lms_bot.reports import access
from lms_bot.store.reports import statistics as counts
from lms_bot.store.session import Transaction


def statistics(
    transaction: Transaction,
    principal: Principal,
    *,
    student_id: int | None = None,
    since: datetime | None = None,
) -> Statistics:
    """Return the counts over a mentor's own students, or one of them, from `since` on.

    Raises NotFound for a student whom the principal may not see, and for who is no mentor.
    """
    access.require_mentor(principal)
    if student_id is not None:
        access.student(transaction, principal, student_id)
    return counts.own_statistics(transaction, principal.mentor_ids, student_id=student_id, since=since)


def results(
    transaction: Transaction, principal: Principal, student_id: int | None, since: datetime | None, now: datetime
) -> Results:
    """Return what a mentor's students, or one of them, came to from `since` on, or ever.

    Without `since`, active is who did something in the last week. Raises NotFound as above.
    """
    access.require_mentor(principal)
    if student_id is not None:
        ids = [access.student(transaction, principal, student_id).student_id]
    else:
        ids = [student.student_id for student in access.students(transaction, principal.acting_as(Role.MENTOR))]
    return counts.results(transaction, ids, since, since or now - ACTIVE_WITHIN)


def all_statistics(transaction: Transaction, principal: Principal) -> Statistics:
    """Return the counts over everything, for admins. Raises NotFound."""
    access.require_admin(principal)
    return counts.statistics(transaction)
