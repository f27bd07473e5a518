"""Counts of events and of what was sent of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import NO_PRESENCE, EventType
from lms_bot.core.reports.statistics import Results, Statistics
from lms_bot.db.lists import in_list
from lms_bot.store import counters
from lms_bot.store.notifications.queue import TURNED_OFF
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    events,
    has_error,
    is_owed,
    is_sent,
    logs,
    mentor_students,
)

_has_failed = has_error & (logs.c.error_message != TURNED_OFF)  # what somebody turned off is no error


def statistics(transaction: Transaction, mentor_ids: Sequence[int] | None = None) -> Statistics:
    """Return the counts over everything, or over these mentors' own students and their own notifications."""
    if mentor_ids is not None:
        return own_statistics(transaction, mentor_ids)
    kept = counters.value(counters.EVENTS), counters.value(counters.NOTIFIED)
    return _counted(transaction, kept[0], _events_of(is_owed), kept[1], _events_of(_has_failed))


def own_statistics(
    transaction: Transaction,
    mentor_ids: Sequence[int],
    *,
    student_id: int | None = None,
    since: datetime | None = None,
) -> Statistics:
    """Return the counts over these mentors' own students (or one of them), and over events from `since` on."""
    c = events.c
    of_mentor = sa.select(mentor_students.c.student_id).where(mentor_students.c.mentor_id.in_(mentor_ids))
    wanted: list[sa.ColumnElement[bool]] = [c.student_id.in_(of_mentor)]
    if student_id is not None:
        wanted.append(c.student_id == student_id)
    if since is not None:
        wanted.append(c.timestamp >= since)
    pending, sent, failed = (
        _events_of(state & logs.c.mentor_id.in_(mentor_ids)).join(events, c.event_id == logs.c.event_id).where(*wanted)
        for state in (is_owed, is_sent, _has_failed)
    )
    total = sa.select(sa.func.count()).select_from(events).where(*wanted)
    return _counted(transaction, total, pending, sent, failed)


def results(
    transaction: Transaction, student_ids: Collection[int], since: datetime | None, active_since: datetime
) -> Results:
    """Return what these students came to in exams from `since` on, and how many did anything from `active_since` on."""
    c = events.c
    own = in_list(c.student_id, student_ids, transaction.dialect.name) & ~c.is_withdrawn
    ends = own & c.is_current & c.event_type.in_([kind for kind in EventType if kind.is_exam_end])
    if since is not None:
        ends &= c.timestamp >= since
    passed, failed = (
        sa.func.count().filter(c.event_type == kind) for kind in (EventType.EXAM_PASSED, EventType.EXAM_FAILED)
    )
    query = sa.select(sa.func.count(), passed, failed, sa.func.avg(c.percentage)).where(ends)
    tried, passed_exams, failed_exams, average = transaction.execute(query).one()
    did = own & c.event_type.not_in(NO_PRESENCE) & (c.timestamp >= active_since)
    active = transaction.scalar(sa.select(sa.func.count(sa.distinct(c.student_id))).where(did)) or 0
    return Results(tried, passed_exams, failed_exams, average, active, len(student_ids))


def _counted(transaction: Transaction, *queries: sa.Select[Any]) -> Statistics:
    """Return what four queries for a number give, in one statement, so that all are of one moment."""
    each: list[Any] = [sa.func.coalesce(query.scalar_subquery(), 0) for query in queries]
    return Statistics(*transaction.execute(sa.select(*each)).one())


def _events_of(state: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return a query for the number of events with a notification in that state."""
    return sa.select(sa.func.count(sa.distinct(logs.c.event_id))).select_from(logs).where(state)
