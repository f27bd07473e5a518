"""The mentor with whom an event is labelled; without one there was nobody to tell."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from lms_bot.core.events import ALERTING, Event
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, is_nobodys, mentor_students, mentors


def label_nobodys(transaction: Transaction, since: datetime) -> list[tuple[int, Event]]:
    """Label the events of students who had no mentor, and have one now; return those that can still be told.

    That is what was found `since` then and still holds, each with its event id, the oldest first.
    """
    c, link = events.c, mentor_students.c
    of_student = mentor_students.join(mentors, mentors.c.mentor_id == link.mentor_id)
    lowest = (
        sa.select(mentors.c.mentor_id)
        .select_from(of_student)
        .where(link.student_id == c.student_id)
        .order_by(mentors.c.mentor_id)
        .limit(1)
    )
    values = {
        "mentor_id": lowest.scalar_subquery(),
        "mentor_username": lowest.with_only_columns(mentors.c.username).scalar_subquery(),
    }
    has_mentor = c.student_id.in_(sa.select(link.student_id).select_from(of_student))
    labelled = sa.update(events).where(is_nobodys, has_mentor).values(values)
    found = transaction.execute(labelled.returning(*AS_EVENT, c.created_at, c.is_withdrawn)).all()
    untold = [
        (row.event_id, from_row(row))
        for row in found
        if row.created_at >= since and not row.is_withdrawn and row.event_type not in ALERTING
    ]
    return sorted(untold, key=lambda one: one[0])
