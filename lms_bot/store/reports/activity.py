"""Events as programs read them: the newest first, and as they are recorded."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import ALERTING
from lms_bot.core.reports.feed import Filter, Place
from lms_bot.db.lists import in_list
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.store.reports import feed
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, is_shown, students

LOOKED_AT: Final = 10_000  # events of everybody for one page, however few of them are wanted

_COLUMNS = [events.c[name] for name in RecordedEvent._fields]
_NEWEST = (events.c.timestamp.desc(), events.c.event_id.desc())


class EventsPage(NamedTuple):
    """Some events, newest first, and where the next page begins; None after the last."""

    events: list[RecordedEvent]
    next: Place | None


def newest(
    transaction: Transaction, student_ids: Collection[int] | None, most: int, wanted: Filter, before: Place | None
) -> EventsPage:
    """Return at most `most` events before a place, newest first: of some students, or (None) of all known ones.

    Where a kind or a course of all students is wanted, a page looks at 10,000 events, and may have few or none of them.
    """
    conditions = [*feed.conditions(wanted), *([] if before is None else [feed.is_before(before)])]
    end = None
    if student_ids is None:
        is_known = sa.exists().where(students.c.student_id == events.c.student_id)
        if wanted.types or wanted.course:
            end = _place_after(transaction, LOOKED_AT, wanted.since, before)
        if end is not None:
            conditions.append(feed.is_not_before(end))
        query = sa.select(*_COLUMNS).where(is_shown, is_known, *conditions).order_by(*_NEWEST).limit(most + 1)
    else:
        ids = feed.newest_ids(transaction, student_ids, conditions, most + 1).limit(most + 1)
        query = sa.select(*_COLUMNS).where(events.c.event_id.in_(ids)).order_by(*_NEWEST)
    found = _events(transaction, query)
    if len(found) > most:
        end = found[most - 1].timestamp, found[most - 1].event_id
    return EventsPage(found[:most], end)


def _place_after(transaction: Transaction, count: int, since: datetime | None, before: Place | None) -> Place | None:
    """Return the place of the last of so many events of everybody; None where there are not so many."""
    query = sa.select(events.c.timestamp, events.c.event_id).where(is_shown)
    if since is not None:
        query = query.where(events.c.timestamp >= since)
    if before is not None:
        query = query.where(feed.is_before(before))
    row = transaction.execute(query.order_by(*_NEWEST).limit(1).offset(count - 1)).first()
    return None if row is None else (row.timestamp, row.event_id)


def numbers(transaction: Transaction, after: int, most: int, up_to: int | None = None) -> list[int]:
    """Return at most `most` numbers of events after one, and up to another, in the order of recording."""
    query = sa.select(events.c.event_id).where(events.c.event_id > after)
    if up_to is not None:
        query = query.where(events.c.event_id <= up_to)
    return list(transaction.scalars(query.order_by(events.c.event_id).limit(most)))


def last_number(transaction: Transaction) -> int:
    """Return the number of the event that was recorded last; 0 where there is none."""
    return transaction.scalar(sa.select(sa.func.max(events.c.event_id))) or 0


def of_numbers(transaction: Transaction, event_ids: Collection[int]) -> list[RecordedEvent]:
    """Return those of the events that are shown, in the order of recording."""
    within = in_list(events.c.event_id, event_ids, transaction.dialect.name)
    query = sa.select(*_COLUMNS).where(within, *feed.conditions(feed.ALL)).order_by(events.c.event_id)
    return _events(transaction, query)


def unprocessed(
    transaction: Transaction, student_ids: Collection[int] | None, after: int, most: int, wanted: Filter
) -> list[RecordedEvent]:
    """Return at most `most` events that are not marked as processed, after a number, in the order of recording.

    Those of some students are without their alerts, each of which is one mentor's.
    """
    c = events.c
    query = sa.select(*_COLUMNS).where(~c.processed_for_ai, ~c.is_withdrawn, c.event_id > after)
    if wanted.types:
        query = query.where(c.event_type.in_(sorted(wanted.types)))
    if student_ids is not None:
        query = query.where(_are_of(transaction, student_ids))
    return _events(transaction, query.order_by(c.event_id).limit(most))


def mark_processed(transaction: Transaction, student_ids: Collection[int] | None, event_ids: Collection[int]) -> int:
    """Mark those of the events as processed that may be read; return how many were not before."""
    within = in_list(events.c.event_id, event_ids, transaction.dialect.name) & ~events.c.processed_for_ai
    if student_ids is not None:
        within &= _are_of(transaction, student_ids)
    return transaction.execute(sa.update(events).where(within).values(processed_for_ai=True)).rowcount


def _are_of(transaction: Transaction, student_ids: Collection[int]) -> sa.ColumnElement[bool]:
    of_students = in_list(events.c.student_id, student_ids, transaction.dialect.name)
    return of_students & events.c.event_type.not_in(ALERTING)


def _events(transaction: Transaction, query: sa.Select[Any]) -> list[RecordedEvent]:
    return [RecordedEvent(*row) for row in transaction.execute(query)]
