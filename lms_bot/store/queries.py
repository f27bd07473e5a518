"""What commands read: counts, history, and what is owed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.domain import ALERTING, Event, EventType
from lms_bot.insights import Statistics
from lms_bot.store import Transaction, counts
from lms_bot.store.events import from_row
from lms_bot.store.feed import Filter, feed
from lms_bot.store.tables import (
    events,
    has_error,
    is_nobodys,
    is_owed,
    is_sent,
    logs,
    mentor_students,
    mentors,
    messages,
    students,
)


class Owed(NamedTuple):
    """A notification that is not finished, and why it is not."""

    event: Event
    mentor_id: int
    mentor_username: str | None
    due_at: datetime
    reason: str | None
    under_way: bool
    found_at: datetime


def statistics(transaction: Transaction, mentor_ids: Sequence[int] | None = None) -> Statistics:
    """The counts over everything, or over these mentors' own students and what is owed to them."""
    if mentor_ids is not None:
        return own_statistics(transaction, mentor_ids)
    kept = counts.value(counts.EVENTS), counts.value(counts.TOLD)
    return _counted(transaction, kept[0], _events_of(is_owed), kept[1], _events_of(has_error))


def own_statistics(
    transaction: Transaction,
    mentor_ids: Sequence[int],
    *,
    student_id: int | None = None,
    since: datetime | None = None,
) -> Statistics:
    """The counts over these mentors' own students (or one of them), and over events from `since` on."""
    c = events.c
    of_mentor = sa.select(mentor_students.c.student_id).where(mentor_students.c.mentor_id.in_(mentor_ids))
    wanted: list[sa.ColumnElement[bool]] = [c.student_id.in_(of_mentor)]
    if student_id is not None:
        wanted.append(c.student_id == student_id)
    if since is not None:
        wanted.append(c.timestamp >= since)
    pending, sent, failed = (
        _events_of(state & logs.c.mentor_id.in_(mentor_ids)).join(events, c.event_id == logs.c.event_id).where(*wanted)
        for state in (is_owed, is_sent, has_error)
    )
    total = sa.select(sa.func.count()).select_from(events).where(*wanted)
    return _counted(transaction, total, pending, sent, failed)


def _counted(transaction: Transaction, *queries: sa.Select[Any]) -> Statistics:
    """What four queries for a number give, in one statement, so that all of them are of one moment."""
    each: list[Any] = [sa.func.coalesce(query.scalar_subquery(), 0) for query in queries]
    return Statistics(*transaction.execute(sa.select(*each)).one())


def _events_of(state: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The number of events with a notification in that state."""
    return sa.select(sa.func.count(sa.distinct(logs.c.event_id))).select_from(logs).where(state)


def pending_notifications(transaction: Transaction) -> int:
    """How many notifications are owed."""
    return transaction.scalar(sa.select(sa.func.count()).where(logs.c.due_at.is_not(None))) or 0


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
    """A student's events, newest first, as `feed` gives those of many."""
    return feed(transaction, [student_id], most, Filter(since, frozenset(types), course), offset)


def owed_to(transaction: Transaction, mentor_ids: Sequence[int], most: int) -> tuple[int, list[Owed]]:
    """How many notifications these mentors are owed about students who are still theirs, and the first due of them."""
    is_theirs = sa.exists().where(
        mentor_students.c.mentor_id == logs.c.mentor_id, mentor_students.c.student_id == events.c.student_id
    )
    is_alert = events.c.event_type.in_(ALERTING)
    return _owed(transaction, logs.c.mentor_id.in_(mentor_ids) & (is_theirs | is_alert), most)


def owed_to_anybody(transaction: Transaction, most: int) -> tuple[int, list[Owed]]:
    """How many notifications are owed, and the first due of them."""
    return _owed(transaction, sa.true(), most)


def without_mentor(transaction: Transaction, most: int) -> tuple[int, list[tuple[int, str, int]]]:
    """Students who have no mentor and whose events were told to nobody.

    How many there are, and the first of them as (student id, username, number of such events), most events first.
    """
    nobodys = _nobodys()
    is_mentored = sa.exists().where(mentor_students.c.student_id == nobodys.c.student_id)
    found = nobodys.join(students, students.c.student_id == nobodys.c.student_id)
    query = sa.select(nobodys.c.student_id, students.c.username, nobodys.c.events, sa.func.count().over())
    rows = transaction.execute(
        query.select_from(found).where(~is_mentored).order_by(nobodys.c.events.desc(), nobodys.c.student_id).limit(most)
    ).all()
    return (rows[0][3] if rows else 0), [(row[0], row[1], row[2]) for row in rows]


def without_student(transaction: Transaction) -> int:
    """How many events name no student that the LMS has."""
    nobodys = _nobodys()
    is_known = sa.exists().where(students.c.student_id == nobodys.c.student_id)
    return int(transaction.scalar(sa.select(sa.func.sum(nobodys.c.events)).where(~is_known)) or 0)


def _nobodys() -> sa.Subquery:
    """How many events of each student id there was nobody to tell, from the index that has no others."""
    query = sa.select(events.c.student_id, sa.func.count().label("events")).where(is_nobodys)
    return query.group_by(events.c.student_id).subquery("nobodys")


def _owed(transaction: Transaction, where: sa.ColumnElement[bool], most: int) -> tuple[int, list[Owed]]:
    owed = logs.join(events, events.c.event_id == logs.c.event_id)
    where &= is_owed
    count = transaction.scalar(sa.select(sa.func.count()).select_from(owed).where(where)) or 0
    query = (
        sa.select(
            events,
            logs.c.mentor_id.label("told_mentor_id"),
            mentors.c.username.label("told_mentor"),
            logs.c.due_at,
            sa.func.coalesce(logs.c.error_message, messages.c.error).label("reason"),
            logs.c.message_id,
        )
        .select_from(
            owed.outerjoin(mentors, mentors.c.mentor_id == logs.c.mentor_id).outerjoin(
                messages, messages.c.message_id == logs.c.message_id
            )
        )
        .where(where)
        .order_by(logs.c.due_at, logs.c.log_id)
        .limit(most)
    )
    return count, [
        Owed(
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
