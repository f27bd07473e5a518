"""What waits in the queue of notifications, for whom and why, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import ALERTING, Event
from lms_bot.store.events.events import from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, is_owed, logs, mentor_students, mentors, messages


class QueueEntry(NamedTuple):
    """A notification that is not finished, and why it is not."""

    event: Event
    mentor_id: int
    mentor_name: str | None
    due_at: datetime
    reason: str | None
    under_way: bool
    found_at: datetime


def count_pending(transaction: Transaction) -> int:
    """Return how many notifications are pending."""
    return transaction.scalar(sa.select(sa.func.count()).where(logs.c.due_at.is_not(None))) or 0


def pending_for_mentors(transaction: Transaction, mentor_ids: Sequence[int], most: int) -> tuple[int, list[QueueEntry]]:
    """Return how many notifications about their own students wait for these mentors, and the first due of them."""
    is_theirs = sa.exists().where(
        mentor_students.c.mentor_id == logs.c.mentor_id, mentor_students.c.student_id == events.c.student_id
    )
    is_of_exam = events.c.event_type.in_(ALERTING) & events.c.student_id.is_(None)
    return _pending(transaction, logs.c.mentor_id.in_(mentor_ids) & (is_theirs | is_of_exam), most)


def pending_for_everybody(transaction: Transaction, most: int) -> tuple[int, list[QueueEntry]]:
    """Return how many notifications are pending, and the first due of them."""
    return _pending(transaction, sa.true(), most)


def _pending(transaction: Transaction, where: sa.ColumnElement[bool], most: int) -> tuple[int, list[QueueEntry]]:
    entries = logs.join(events, events.c.event_id == logs.c.event_id)
    where &= is_owed
    count = transaction.scalar(sa.select(sa.func.count()).select_from(entries).where(where)) or 0
    query = (
        sa.select(
            events,
            logs.c.mentor_id.label("told_mentor_id"),
            sa.func.coalesce(sa.func.nullif(mentors.c.display_name, ""), mentors.c.username).label("told_mentor"),
            logs.c.due_at,
            sa.func.coalesce(logs.c.error_message, messages.c.error).label("reason"),
            logs.c.message_id,
        )
        .select_from(
            entries.outerjoin(mentors, mentors.c.mentor_id == logs.c.mentor_id).outerjoin(
                messages, messages.c.message_id == logs.c.message_id
            )
        )
        .where(where)
        .order_by(logs.c.due_at, logs.c.log_id)
        .limit(most)
    )
    return count, [
        QueueEntry(
            from_row(row),
            row.told_mentor_id,
            row.told_mentor,
            row.due_at,
            row.reason,
            row.message_id is not None,
            row.created_at,
        )
        for row in transaction.execute(query)
    ]
