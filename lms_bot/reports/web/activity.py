"""Events as programs read them, each with the rights of its token."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter, Place
from lms_bot.core.web.positions import OVERLAP, Position
from lms_bot.reports import access
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.store.reports import activity as events
from lms_bot.store.reports.activity import EventsPage
from lms_bot.store.session import Transaction


def newest(
    transaction: Transaction,
    principal: Principal,
    wanted: Filter,
    *,
    most: int,
    before: Place | None = None,
    student_id: int | None = None,
) -> EventsPage:
    """Return at most `most` events before a place, newest first: of one student, or of all whom the principal may see.

    Raises NotFound.
    """
    if student_id is not None:
        student_ids: Collection[int] | None = [access.student(transaction, principal, student_id).student_id]
    else:
        student_ids = access.readable_ids(transaction, principal)
    return events.newest(transaction, student_ids, most, wanted, before)


class Recorded(NamedTuple):
    """An event, and where who reads events as they are recorded is after it."""

    position: Position
    event: RecordedEvent


def reached(transaction: Transaction) -> Position:
    """Return where somebody is who begins to read now."""
    last = events.last_number(transaction)
    return Position.after(last, events.numbers(transaction, last - OVERLAP, OVERLAP))


def recorded(
    transaction: Transaction, position: Position, *, most: int, up_to: int | None = None
) -> tuple[Position, list[Recorded]]:
    """Return the position after about `most` numbers more, and the events among them, for whoever `readable` says."""
    numbers = events.numbers(transaction, position.floor, most + OVERLAP, up_to)
    new = [number for number in numbers if position.lacks(number)]
    found = {event.event_id: event for event in events.of_numbers(transaction, new)} if new else {}
    passed = []
    for number in new:
        position = position.then(number)
        if number in found:
            passed.append(Recorded(position, found[number]))
    return position, passed


def readable(transaction: Transaction, principal: Principal, found: Sequence[Recorded]) -> list[Recorded]:
    """Return those of some events that the principal may read. Raises NotFound for a stranger."""
    student_ids = [event.student_id for _, event in found if event.student_id is not None]
    theirs = access.ids_among(transaction, principal, student_ids)
    return [recorded for recorded in found if recorded.event.student_id in theirs]


def unprocessed(
    transaction: Transaction, principal: Principal, wanted: Filter, *, most: int, after: int = 0
) -> list[RecordedEvent]:
    """Return at most `most` events for the hand-over, after a number. Raises NotFound for a stranger."""
    return events.unprocessed(transaction, access.readable_ids(transaction, principal), after, most, wanted)
