"""Reads the facts about students that the alert rules judge, for many students at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.alert_rules import Broken, Facts, Result
from lms_bot.core.alerting.facts import GAP_WINDOW, LOOKBACK, sort_activities, usual_gap, with_deadlines
from lms_bot.core.calendar import DAY, UNKNOWN_TIME, start_of_day
from lms_bot.core.events import FINISHING, NO_PRESENCE, OBSERVED, EventType
from lms_bot.core.streaks import Kind
from lms_bot.db.engine import UtcDateTime
from lms_bot.db.lists import each_bound_id, in_bound_list, in_list, run_with_ids
from lms_bot.store.alerts.deadlines import deadlines_of
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, exam_durations, streaks, student_days, students, watched

_EXAM_ENDS = frozenset(kind for kind in EventType if kind.is_exam_end)
_c = events.c
# It was not before it was found; and where its time is unknown, nothing else has been found since.
_is_found_time = (_c.timestamp > _c.created_at) | (_c.timestamp == UNKNOWN_TIME)
_at = sa.case((_is_found_time, _c.created_at), else_=_c.timestamp)


def facts_of(transaction: Transaction, student_ids: Collection[int], default: ZoneInfo, now: datetime) -> list[Facts]:
    """Return the facts of these students, if the LMS has them; `default` is the zone of those without their own."""
    did = _activities(transaction, student_ids, now)
    gaps = _usual_gaps(transaction, student_ids, now)
    broken = _last_streaks(transaction, student_ids, default)
    due = deadlines_of(transaction, student_ids)
    return [
        Facts(
            student_id=row.student_id,
            is_active=row.is_active,
            enrolled_at=min(row.enrolled_at, now) if row.enrolled_at else None,
            first_at=row.first_at,
            learned_at=row.learned_at,
            average=row.average,
            usual_gap=gaps.get(row.student_id),
            streak=broken.get(row.student_id),
            **did.get(row.student_id, {}),
            **with_deadlines(due.get(row.student_id, ()), row.enrolled_at, now),
        )
        for row in run_with_ids(transaction, _people, student_ids)
    ]


def results(
    transaction: Transaction, exam_ids: Collection[int], student_ids: Collection[int], since: datetime
) -> dict[int, tuple[str | None, dict[int, Result]]]:
    """Return by exam its title, and the result since a moment of each of these students who finished it."""
    dialect = transaction.dialect.name
    failed = sa.case((_c.event_type == EventType.EXAM_FAILED, _at))
    passed = sa.case((_c.event_type == EventType.EXAM_PASSED, 1), else_=0)
    query = (
        sa.select(
            _c.activity_id, _c.student_id, sa.func.max(failed), sa.func.max(passed), sa.func.max(_c.activity_title)
        )
        .where(in_list(_c.student_id, student_ids, dialect), _c.timestamp >= since)
        .where(_c.is_current, _c.event_type.in_(_EXAM_ENDS), in_list(_c.activity_id, exam_ids, dialect))
        .group_by(_c.activity_id, _c.student_id)
    )
    found: dict[int, tuple[str | None, dict[int, Result]]] = {}
    for exam_id, student_id, failed_at, is_passed, title in transaction.execute(query):
        found.setdefault(exam_id, (title, {}))[1][student_id] = Result(failed_at, bool(is_passed))
    return found


@cache
def _people(dialect: str) -> sa.Select[Any]:
    each = each_bound_id("ids", dialect)
    of_student = _c.student_id == each.c.value
    own = of_student & _c.event_type.not_in(NO_PRESENCE)
    first = sa.select(_at).where(own).order_by(_c.timestamp, _c.event_id).limit(1)
    finished = of_student & _c.is_current & _c.mirrors.is_(None) & _c.event_type.in_(FINISHING)
    last = sa.select(_at).where(finished).order_by(_c.timestamp.desc(), _c.event_id.desc()).limit(1)
    exams = of_student & _c.is_current & _c.event_type.in_(_EXAM_ENDS)
    return (
        sa.select(
            students.c.student_id,
            students.c.is_active,
            watched.c.enrolled_at,
            first.scalar_subquery().label("first_at"),
            last.scalar_subquery().label("learned_at"),
            sa.select(sa.func.avg(_c.percentage)).where(exams).scalar_subquery().label("average"),
        )
        .select_from(each.join(students, students.c.student_id == each.c.value))
        .outerjoin(watched, watched.c.student_id == students.c.student_id)
    )


def _activities(transaction: Transaction, student_ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    """Return each student's finished exams, open ones and open content, from current events, newest first."""
    minutes = {row[0]: row[1] for row in transaction.execute(sa.select(exam_durations))}
    of_students: dict[int, list[Any]] = defaultdict(list)
    for student_id, *row in run_with_ids(transaction, _done_since, student_ids, since=now - LOOKBACK):
        of_students[student_id].append(row)
    return {student_id: sort_activities(rows, minutes) for student_id, rows in of_students.items()}


@cache
def _done_since(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(_c.student_id, _c.event_type, _at, _c.activity_id, _c.activity_title, _c.percentage)
        .where(in_bound_list(_c.student_id, "ids", dialect))
        .where(_c.timestamp >= sa.bindparam("since", type_=UtcDateTime))
        .where(_c.is_current, _c.mirrors.is_(None), _c.event_type.in_(OBSERVED))
        .order_by(_c.student_id, _c.timestamp.desc(), _c.event_id.desc())
    )


def _usual_gaps(transaction: Transaction, student_ids: Collection[int], now: datetime) -> dict[int, timedelta]:
    """Return the median time between two days of learning, of those who have learned often enough."""
    days: dict[int, list[int]] = defaultdict(list)
    for student_id, day in run_with_ids(transaction, _days_of_learning, student_ids, since=(now - GAP_WINDOW).date()):
        days[student_id].append(day.toordinal())
    return {student_id: gap for student_id, own in days.items() if (gap := usual_gap(own)) is not None}


def _last_streaks(transaction: Transaction, student_ids: Collection[int], default: ZoneInfo) -> dict[int, Broken]:
    """Return each student's last learning streak; it has ended once the day after its last one is over."""
    zones = zones_of(transaction, student_ids)
    last = {row.student_id: row for row in run_with_ids(transaction, _streaks, student_ids)}
    return {
        student_id: Broken(row.days, row.last_day, start_of_day(row.last_day + 2 * DAY, zones.get(student_id, default)))
        for student_id, row in last.items()
    }


@cache
def _days_of_learning(dialect: str) -> sa.Select[Any]:
    c = student_days.c
    is_theirs = in_bound_list(c.student_id, "ids", dialect)
    query = sa.select(c.student_id, c.day).where(is_theirs, c.is_learned, c.day >= sa.bindparam("since"))
    return query.order_by(c.student_id, c.day)


@cache
def _streaks(dialect: str) -> sa.Select[Any]:
    """Select the last learning streak of each student."""
    c, own, each = streaks.c, streaks.alias().c, each_bound_id("ids", dialect)
    of_student = (own.student_id == each.c.value) & (own.kind == Kind.LEARNING)
    last = sa.select(sa.func.max(own.last_day)).where(of_student)
    is_last = (c.student_id == each.c.value) & (c.kind == Kind.LEARNING) & (c.last_day == last.scalar_subquery())
    return sa.select(c.student_id, c.last_day, c.days).select_from(each.join(streaks, is_last))
