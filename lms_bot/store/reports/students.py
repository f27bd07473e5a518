"""How students do: one line each for many, a card for one, scores over time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import BY_CLOCK, NO_PRESENCE, Event, EventType
from lms_bot.core.people import Student
from lms_bot.core.reports import students as definitions
from lms_bot.core.reports.students import LAST_EXAMS, TREND_EXAMS, Card, StudentSummary, Tally
from lms_bot.db.lists import each_id, in_list
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events

_c = events.c
_is_exam_end = _c.is_current & _c.event_type.in_([kind for kind in EventType if kind.is_exam_end])
_is_open = _c.is_current & (_c.event_type == EventType.EXAM_STARTED)
_is_active = _c.event_type.not_in(NO_PRESENCE) & (_c.timestamp != UNKNOWN_TIME)
_NEWEST_FIRST = (_c.timestamp.desc(), _c.event_id.desc())


def summaries(transaction: Transaction, students: Sequence[Student]) -> list[StudentSummary]:
    """Return how each of the students does, in their order; what alert rules say is not among the concerns."""
    figures = _figures(transaction, [student.student_id for student in students])
    results = _by_id(transaction, [row.last_result for row in figures.values() if row.last_result is not None])
    return [_summary(student, figures[student.student_id], results) for student in students]


def card(transaction: Transaction, student: Student) -> Card:
    """Return all about one student at a glance; what alert rules say is not among the concerns."""
    of_student = _c.student_id == student.student_id
    last_active = transaction.scalar(sa.select(sa.func.max(_c.timestamp)).where(of_student, _is_active))
    exams = sa.select(*AS_EVENT).where(of_student, _is_exam_end).order_by(*_NEWEST_FIRST)
    scored = (
        sa.select(_c.percentage)
        .where(of_student, _is_exam_end, _c.percentage.is_not(None))
        .order_by(*_NEWEST_FIRST)
        .limit(2 * TREND_EXAMS)
    )
    return definitions.card(
        student,
        last_active,
        _tallies(transaction, of_student),
        list(transaction.scalars(scored)),
        [from_row(row) for row in transaction.execute(exams.limit(LAST_EXAMS))],
    )


def scores(transaction: Transaction, student_id: int, since: datetime | None, most: int) -> list[Event]:
    """Return the last finished exams (at most `most`) that have a percentage, oldest first."""
    query = sa.select(*AS_EVENT).where(_c.student_id == student_id, _is_exam_end, _c.percentage.is_not(None))
    if since is not None:
        query = query.where(_c.timestamp >= since)
    rows = transaction.execute(query.order_by(*_NEWEST_FIRST).limit(most)).all()
    return [from_row(row) for row in reversed(rows)]


def _figures(transaction: Transaction, student_ids: Collection[int]) -> dict[int, Any]:
    """Return last activity, open exams, last result and average of each student, each by a few index entries."""
    each = each_id(transaction, student_ids)
    of_student = _c.student_id == each.c.value
    last_active = sa.select(_c.timestamp).where(of_student, _is_active).order_by(*_NEWEST_FIRST).limit(1)
    opened = sa.select(sa.func.count()).select_from(events).where(of_student, _is_open)
    last_result = sa.select(_c.event_id).where(of_student, _is_exam_end).order_by(*_NEWEST_FIRST).limit(1)
    average = sa.select(sa.func.avg(_c.percentage)).where(of_student, _is_exam_end)
    query = sa.select(
        each.c.value.label("student_id"),
        last_active.scalar_subquery().label("last_active"),
        opened.scalar_subquery().label("open_exams"),
        last_result.scalar_subquery().label("last_result"),
        average.scalar_subquery().label("average"),
    )
    return {row.student_id: row for row in transaction.execute(query)}


def _by_id(transaction: Transaction, event_ids: Collection[int]) -> dict[int, Event]:
    query = sa.select(*AS_EVENT).where(in_list(_c.event_id, event_ids, transaction.dialect.name))
    return {row.event_id: from_row(row) for row in transaction.execute(query)}


def _summary(student: Student, figures: Any, results: dict[int, Event]) -> StudentSummary:
    last_result = results.get(figures.last_result)
    why = definitions.concerns_of(last_result.event_type if last_result else None, figures.average)
    return StudentSummary(student, figures.last_active, figures.open_exams, last_result, figures.average, why)


def _tallies(transaction: Transaction, of_student: sa.ColumnElement[bool]) -> list[Tally]:
    course = _c.activity_metadata["course_title"].as_string()
    query = (
        sa.select(
            _c.event_type,
            course.label("course"),
            sa.func.count(),
            sa.func.count(_c.percentage),
            sa.func.coalesce(sa.func.sum(_c.percentage), 0.0),
        )
        .where(of_student, _c.event_type.not_in(BY_CLOCK), _c.is_current, _c.mirrors.is_(None))
        .group_by(_c.event_type, sa.text("course"))
    )
    return [Tally(EventType(row[0]), *row[1:]) for row in transaction.execute(query)]
