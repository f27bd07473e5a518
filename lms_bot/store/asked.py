"""What is asked about single students: a page of what they did, and counts of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from lms_bot.db import in_list
from lms_bot.domain import Event, EventType
from lms_bot.insights import Statistics
from lms_bot.store import Transaction
from lms_bot.store.events import from_row
from lms_bot.store.tables import events, logs


def history(
    transaction: Transaction,
    student_id: int,
    since: datetime | None,
    most: int,
    *,
    types: Collection[EventType] = (),
    course: str = "",
    offset: int = 0,
) -> list[Event]:
    """A student's events, newest first, after the first `offset`; `course` is a part of the course's title."""
    query = sa.select(events).where(events.c.student_id == student_id, events.c.mirrors.is_(None))
    if since is not None:
        query = query.where(events.c.timestamp >= since)
    if types:
        query = query.where(events.c.event_type.in_(types))
    if course:
        title = events.c.activity_metadata["course_title"].as_string()
        query = query.where(title.icontains(course, autoescape=True))
    query = query.order_by(events.c.timestamp.desc(), events.c.event_id.desc()).limit(most).offset(offset)
    return [from_row(row) for row in transaction.execute(query)]


def statistics(
    transaction: Transaction, mentor_ids: Sequence[int], student_ids: Collection[int], since: datetime | None
) -> Statistics:
    """The counts over what these students did, and what of it these mentors are owed."""
    is_meant = in_list(events.c.student_id, student_ids, transaction.dialect.name)
    if since is not None:
        is_meant &= events.c.timestamp >= since
    is_owed, is_sent = logs.c.due_at.is_not(None), logs.c.notification_sent
    states = (is_owed, is_sent, ~is_sent & logs.c.error_message.is_not(None))
    counts: list[sa.ColumnElement[int]] = [
        sa.func.count(sa.distinct(sa.case((one, logs.c.event_id)))) for one in states
    ]
    told = (
        sa.select(*counts)
        .select_from(logs.join(events, events.c.event_id == logs.c.event_id))
        .where(logs.c.mentor_id.in_(mentor_ids), is_meant)
    )
    row = transaction.execute(told).one()
    total = sa.select(sa.func.count()).select_from(events).where(is_meant)
    return Statistics(transaction.scalar(total) or 0, row[0], row[1], row[2])
