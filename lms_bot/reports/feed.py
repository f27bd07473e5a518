"""What students did, newest first."""

from __future__ import annotations

from lms_bot.core.events import Event
from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter
from lms_bot.reports import access
from lms_bot.store.reports import feed as events
from lms_bot.store.session import Transaction


def history(
    transaction: Transaction, principal: Principal, student_id: int, wanted: Filter, most: int, offset: int = 0
) -> list[Event]:
    """Return at most `most` events of a student, newest first, after the first `offset`.

    Ask for one more than is shown to learn whether there are more. Raises NotFound.
    """
    student = access.student(transaction, principal, student_id)
    found = events.feed(transaction, [student.student_id], most, wanted, offset)
    return access.with_names(transaction, principal, found)


def feed(transaction: Transaction, principal: Principal, wanted: Filter, most: int, offset: int = 0) -> list[Event]:
    """Return the same of all students whom the principal may see."""
    student_ids = [student.student_id for student in access.students(transaction, principal)]
    found = events.feed(transaction, student_ids, most, wanted, offset)
    return access.with_names(transaction, principal, found)
