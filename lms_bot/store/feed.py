"""What students did: one page of it newest first, or all of it in pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.db import in_list
from lms_bot.domain import Event, EventType
from lms_bot.store import Transaction
from lms_bot.store.events import from_row
from lms_bot.store.people import each_id
from lms_bot.store.tables import events

EXPORT_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are asked for; `course` is a part of the course's title, in any case."""

    since: datetime | None = None
    types: frozenset[EventType] = frozenset()
    course: str = ""


ALL = Filter()


def feed(
    transaction: Transaction, student_ids: Collection[int], most: int, wanted: Filter = ALL, offset: int = 0
) -> list[Event]:
    """At most `most` events of the students, newest first, after the first `offset`.

    Ask for one more than is shown to learn whether there are more.
    """
    each = each_id(transaction, student_ids)
    newest = events.alias()
    of_each = (
        sa.select(newest.c.event_id)
        .where(newest.c.student_id == each.c.value, *_conditions(newest, wanted))
        .order_by(newest.c.timestamp.desc(), newest.c.event_id.desc())
        .limit(offset + most)
        .correlate(each)
    )
    # Nobody's events are read further than the page reaches: that is a few of each student, however many there are.
    if transaction.dialect.name == "sqlite":
        joined: sa.FromClause = each.join(events, events.c.event_id.in_(of_each))
    else:
        few = of_each.lateral()
        joined = each.join(few, sa.true()).join(events, events.c.event_id == few.c.event_id)
    query = (
        sa.select(events)
        .select_from(joined)
        .order_by(events.c.timestamp.desc(), events.c.event_id.desc())
        .limit(most)
        .offset(offset)
    )
    return [from_row(row) for row in transaction.execute(query)]


def export(
    transaction: Transaction, student_ids: Collection[int], since: datetime | None = None
) -> Iterator[list[tuple[Event, bool]]]:
    """All events of the students in pages, by student and oldest first, and whether each is what its row says now."""
    c = events.c
    query = (
        sa.select(events)
        .where(in_list(c.student_id, student_ids, transaction.dialect.name), *_conditions(events, Filter(since)))
        .order_by(c.student_id, c.timestamp, c.event_id)
        .execution_options(yield_per=EXPORT_PAGE)
    )
    for page in transaction.execute(query).partitions():
        yield [(from_row(row), row.is_current) for row in page]


def _conditions(table: Any, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.mirrors.is_(None)]
    if wanted.since is not None:
        conditions.append(table.c.timestamp >= wanted.since)
    if wanted.types:
        conditions.append(table.c.event_type.in_(wanted.types))
    if wanted.course:
        conditions.append(table.c.course_key.contains(wanted.course.casefold(), autoescape=True))
    return conditions
