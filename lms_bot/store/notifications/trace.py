"""What became of one event for the mentors of its student."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import FINISHING, Event, EventType
from lms_bot.core.notifications import Told
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.notifications.pending import QueueEntry
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, logs, mentor_students, mentors, messages


class TraceEntry(NamedTuple):
    """What became of an event for one mentor.

    `pending` is the notification, while it is not finished. `is_finished`: there was one, and it was sent, or not for
    the `reason`. `others` is how many events the same message told; `with_end` says that one of them is the end of
    this start. Where there never was a notification nothing of this is set.
    """

    event: Event
    is_current: bool
    found_at: datetime
    mentor_id: int
    mentor_name: str
    pending: QueueEntry | None
    is_finished: bool
    is_sent: bool
    told_at: datetime | None
    reason: str | None
    decision: str | None
    others: int
    with_end: bool


_link = mentor_students.c
_same, _end, _of_end = logs.alias("same"), events.alias("end"), logs.alias("of_end")
_OTHERS = (
    sa.select(sa.func.count())
    .select_from(_same)
    .where(_same.c.message_id == logs.c.message_id, _same.c.log_id != logs.c.log_id)
)
_WITH_END = sa.exists().where(
    _end.c.source_table == events.c.source_table,
    _end.c.source_id == events.c.source_id,
    _end.c.episode == events.c.episode,
    _end.c.event_type.in_(FINISHING),
    events.c.event_type.in_([kind.value for kind in EventType if kind.is_start]),
    _of_end.c.event_id == _end.c.event_id,
    _of_end.c.mentor_id == logs.c.mentor_id,
    _of_end.c.notification_message_id == logs.c.notification_message_id,
)
_TRACE = (
    sa.select(
        *AS_EVENT,
        events.c.is_current,
        events.c.created_at,
        mentors.c.mentor_id.label("told_mentor_id"),
        sa.func.coalesce(sa.func.nullif(mentors.c.display_name, ""), mentors.c.username).label("told_mentor"),
        logs.c.log_id,
        logs.c.due_at,
        sa.func.coalesce(logs.c.notification_sent, sa.false()).label("is_sent"),
        logs.c.processed_at,
        logs.c.decision,
        logs.c.message_id,
        sa.func.coalesce(logs.c.error_message, messages.c.error).label("reason"),
        _OTHERS.scalar_subquery().label("others"),
        _WITH_END.label("with_end"),
    )
    .select_from(
        events.join(mentor_students, _link.student_id == events.c.student_id)
        .join(mentors, mentors.c.mentor_id == _link.mentor_id)
        .outerjoin(logs, (logs.c.event_id == events.c.event_id) & (logs.c.mentor_id == _link.mentor_id))
        .outerjoin(messages, messages.c.message_id == logs.c.message_id)
    )
    .where(_link.mentor_id.in_(sa.bindparam("mentor_ids", expanding=True)))
    .order_by(events.c.timestamp.desc(), events.c.event_id.desc(), _link.mentor_id)
)
_TRACE_OF_EVENT = _TRACE.where(events.c.event_id == sa.bindparam("number"))
_TRACE_OF_ROW = _TRACE.where(
    events.c.source_table.in_(sa.bindparam("source_tables", expanding=True)),
    events.c.source_id == sa.bindparam("number"),
)


def trace(
    transaction: Transaction, source_tables: Sequence[str] | None, number: int, mentor_ids: Sequence[int]
) -> list[TraceEntry]:
    """Return what became of the events of the rows of a number for each of these mentors of the student, newest first.

    Without `source_tables`, of the one event with this id. Nothing, where it is about none of their students.
    """
    values: dict[str, Any] = {"number": number, "mentor_ids": list(mentor_ids)}
    if source_tables is None:
        found = transaction.execute(_TRACE_OF_EVENT, values)
    else:
        found = transaction.execute(_TRACE_OF_ROW, {**values, "source_tables": list(source_tables)})
    return [_entry(row) for row in found]


def told_about(transaction: Transaction, student_id: int, mentor_ids: Sequence[int], most: int) -> list[Told]:
    """Return at most `most` notifications of these mentors about a student, newest event first."""
    query = (
        sa.select(*AS_EVENT, logs.c.notification_sent, logs.c.processed_at, logs.c.due_at)
        .join(logs, logs.c.event_id == events.c.event_id)
        .where(events.c.student_id == student_id, logs.c.mentor_id.in_(mentor_ids))
        .order_by(events.c.timestamp.desc(), events.c.event_id.desc())
        .limit(most)
    )
    return [
        Told(from_row(row), row.processed_at if row.notification_sent else None, row.due_at)
        for row in transaction.execute(query)
    ]


def _entry(row: Any) -> TraceEntry:
    event = from_row(row)
    pending = None
    if row.due_at is not None:
        is_under_way = row.message_id is not None
        pending = QueueEntry(
            event, row.told_mentor_id, row.told_mentor, row.due_at, row.reason, is_under_way, row.created_at
        )
    return TraceEntry(
        event=event,
        is_current=row.is_current,
        found_at=row.created_at,
        mentor_id=row.told_mentor_id,
        mentor_name=row.told_mentor,
        pending=pending,
        is_finished=row.log_id is not None and pending is None,
        is_sent=row.is_sent,
        told_at=row.processed_at,
        reason=row.reason,
        decision=row.decision,
        others=row.others,
        with_end=row.with_end,
    )
