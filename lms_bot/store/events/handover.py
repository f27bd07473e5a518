"""The hand-over to programs that analyse what students do: recorded events, each marked once it was taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.db.lists import in_list
from lms_bot.errors import UserError
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import events, is_unprocessed, students

PAGE = 1_000  # events held in memory at a time


class RecordedEvent(NamedTuple):
    """A row of lms_activity_events, its fields named as the columns are; times are aware UTC."""

    event_id: int
    event_type: str
    student_id: int | None
    student_username: str | None
    mentor_id: int | None
    mentor_username: str | None
    activity_id: int | None
    activity_title: str | None
    activity_metadata: dict[str, Any]
    timestamp: datetime
    created_at: datetime
    processed_for_ai: bool
    zulip_user_id: int | None
    source_table: str
    source_id: int
    is_current: bool
    episode: int


_COLUMNS = [events.c[name] for name in RecordedEvent._fields]


def unprocessed_events(
    store: Store,
    *,
    event_types: Collection[EventType] | None = None,
    student: int | str | None = None,
    limit: int | None = None,
    include_processed: bool = False,
) -> Iterator[RecordedEvent]:
    """Give the events not yet marked as processed, in the order of recording.

    `event_types` and `student` (an LMS id, or a username) choose among them; `limit` is the most events in all;
    `include_processed` gives the marked ones too. They are read a page at a time and no transaction is open between two
    pages, so there may be any number of them and any time between them. Raises UserError for a student whom the store
    does not know, and StoreUnavailable.
    """
    query = sa.select(*_COLUMNS).order_by(events.c.event_id)
    query = query.where(_chosen(store, event_types, student, include_processed))
    return islice(_all(store, query), limit)


def count_unprocessed(
    store: Store,
    *,
    event_types: Collection[EventType] | None = None,
    student: int | str | None = None,
    include_processed: bool = False,
) -> int:
    """How many events `unprocessed_events` would give now. Raises what that raises."""
    query = sa.select(sa.func.count()).select_from(events)
    with_choice = query.where(_chosen(store, event_types, student, include_processed))
    with store.reading() as transaction:
        return transaction.scalar(with_choice) or 0


def mark_processed(store: Store, event_ids: Collection[int]) -> int:
    """Mark these events as processed, in one transaction; gives how many were not before. Raises StoreUnavailable."""
    with store.writing() as transaction:
        within = in_list(events.c.event_id, event_ids, transaction.dialect.name)
        mark = sa.update(events).where(within, is_unprocessed).values(processed_for_ai=True)
        return transaction.execute(mark).rowcount


def student_history(
    store: Store, student: int | str, *, since: datetime | None = None, limit: int = PAGE
) -> list[RecordedEvent]:
    """Return the last `limit` events of a student (an LMS id, or a username) from `since` on, newest first.

    An exam that is also a piece of content is in it once, as the exam. Raises UserError and StoreUnavailable.
    """
    query = sa.select(*_COLUMNS).where(_is_about(store, student), events.c.mirrors.is_(None), ~events.c.is_withdrawn)
    if since is not None:
        query = query.where(events.c.timestamp >= since)
    query = query.order_by(events.c.timestamp.desc(), events.c.event_id.desc()).limit(limit)
    with store.reading() as transaction:
        return _events(transaction, query)


def _all(store: Store, query: sa.Select[Any]) -> Iterator[RecordedEvent]:
    last = -1
    while True:
        with store.reading() as transaction:
            page = _events(transaction, query.where(events.c.event_id > last).limit(PAGE))
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].event_id


def _events(transaction: Transaction, query: sa.Select[Any]) -> list[RecordedEvent]:
    return [RecordedEvent(*row) for row in transaction.execute(query)]


def _chosen(
    store: Store, event_types: Collection[EventType] | None, student: int | str | None, include_processed: bool
) -> sa.ColumnElement[bool]:
    chosen = ~events.c.is_withdrawn if include_processed else ~events.c.is_withdrawn & is_unprocessed
    if event_types is not None:
        chosen &= events.c.event_type.in_(sorted(event_types))
    return chosen if student is None else chosen & _is_about(store, student)


def _is_about(store: Store, student: int | str) -> sa.ColumnElement[bool]:
    """Return the condition that an event is about this student, also one whom the LMS no longer has."""
    is_known: sa.ColumnElement[bool]
    is_about: sa.ColumnElement[bool]
    if isinstance(student, int):
        is_known, is_about = students.c.student_id == student, events.c.student_id == student
    else:
        is_known, is_about = students.c.username == student, events.c.student_username == student
    with store.reading() as transaction:
        student_id = transaction.scalar(sa.select(students.c.student_id).where(is_known))
        if student_id is not None:
            is_about = events.c.student_id == student_id
        elif transaction.scalar(sa.select(sa.literal(1)).where(is_about).limit(1)) is None:
            raise UserError(f"the store knows no student {f'#{student}' if isinstance(student, int) else student!r}")
    return is_about
