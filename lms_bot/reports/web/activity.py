"""Events as programs read them, each with the rights of its token."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter
from lms_bot.reports import access
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.store.reports import activity as events
from lms_bot.store.reports.activity import Place
from lms_bot.store.session import Transaction


def newest(
    transaction: Transaction,
    principal: Principal,
    wanted: Filter,
    *,
    most: int,
    before: Place | None = None,
    student_id: int | None = None,
) -> list[RecordedEvent]:
    """Return at most `most` events before a place, newest first: of one student, or of all whom the principal may see.

    Raises NotFound.
    """
    if student_id is not None:
        student_ids: Collection[int] | None = [access.student(transaction, principal, student_id).student_id]
    else:
        student_ids = access.readable_ids(transaction, principal)
    return events.newest(transaction, student_ids, most, wanted, before)


def readable(transaction: Transaction, principal: Principal, found: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return those of some events that the principal may read. Raises NotFound for a stranger."""
    student_ids = [event.student_id for event in found if event.student_id is not None]
    theirs = access.ids_among(transaction, principal, student_ids)
    return [event for event in found if event.student_id in theirs]


def recorded(
    transaction: Transaction, principal: Principal, *, after: int, up_to: int, most: int
) -> tuple[int, list[RecordedEvent]]:
    """Return the readable ones of at most `most` events between two numbers, and the number up to which they are."""
    found = events.recorded(transaction, after, most, Filter(), up_to)
    reached = found[-1].event_id if len(found) == most else up_to
    return reached, readable(transaction, principal, found)


def recorded_lately(transaction: Transaction, most: int) -> tuple[int, set[int]]:
    """Return the number of the event that was recorded last, and the numbers of others among the last few."""
    last = events.last_number(transaction)
    return last, set(events.numbers(transaction, last - most, most))


def numbers(transaction: Transaction, after: int, most: int) -> list[int]:
    """Return at most `most` numbers of events after one; numbers tell nobody anything."""
    return events.numbers(transaction, after, most)


def of_numbers(transaction: Transaction, event_ids: Collection[int]) -> list[RecordedEvent]:
    """Return some events for whoever may read them, which `readable` says."""
    return events.of_numbers(transaction, event_ids)


def unprocessed(
    transaction: Transaction, principal: Principal, wanted: Filter, *, most: int, after: int = 0
) -> list[RecordedEvent]:
    """Return at most `most` events for the hand-over, after a number. Raises NotFound for a stranger."""
    return events.unprocessed(transaction, access.readable_ids(transaction, principal), after, most, wanted)
