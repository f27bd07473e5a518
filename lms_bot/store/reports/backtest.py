"""The recorded past of students and classes, with the moment from which on each part of it was known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.academics.deadlines import CLASS_GRACE
from lms_bot.core.backtest.history import Activity, ClassHistory, Due, ExamResult, Item, Past, StudentHistory
from lms_bot.core.calendar import EARLIEST, UNKNOWN_TIME
from lms_bot.core.events import FINISHING, OBSERVED, EventType
from lms_bot.db.engine import UtcDateTime
from lms_bot.db.lists import in_bound_list, in_list, run_with_ids
from lms_bot.store.academics.deadlines import takers
from lms_bot.store.alerts import deadlines as due_reading
from lms_bot.store.session import Transaction
from lms_bot.store.tables import course_items, deadlines, events, exam_durations, mentor_students, students, watched

_c = events.c
_known_at = sa.case((_c.is_history & (_c.timestamp != UNKNOWN_TIME), _c.timestamp), else_=_c.created_at)
_is_found_time = (_c.timestamp > _c.created_at) | (_c.timestamp == UNKNOWN_TIME)
_at = sa.case((_is_found_time, _c.created_at), else_=_c.timestamp)
_EXAM_ENDS = [kind for kind in EventType if kind.is_exam_end]
SILENT_UNTIL_GONE = CLASS_GRACE  # after the last event of one who has left, when nobody noted the day


def mentors_students(transaction: Transaction) -> dict[int, list[int]]:
    """Return the students of every mentor who has any, by mentor id."""
    link = mentor_students.c
    query = sa.select(link.mentor_id, link.student_id).order_by(link.mentor_id, link.student_id)
    found: dict[int, list[int]] = defaultdict(list)
    for mentor_id, student_id in transaction.execute(query.join(students, students.c.student_id == link.student_id)):
        found[mentor_id].append(student_id)
    return found


def first_known(transaction: Transaction) -> datetime | None:
    """Return when the first event that says its time happened."""
    found: datetime | None = transaction.scalar(sa.select(sa.func.min(_c.timestamp)).where(_c.timestamp > EARLIEST))
    return found


def exam_minutes(transaction: Transaction) -> dict[int, int]:
    """Return how many minutes exams take, by id."""
    return {row[0]: row[1] for row in transaction.execute(sa.select(exam_durations))}


def items_due(transaction: Transaction) -> dict[Activity, tuple[Item, ...]]:
    """Return the items of courses that have a deadline, by each activity that does them."""
    own, item = course_items.alias("own").c, course_items.c
    is_its = (own.source_table == deadlines.c.source_table) & (own.activity_id == deadlines.c.activity_id)
    has_deadline = sa.exists().where(is_its, own.course_id == item.course_id, own.item == item.item)
    found: dict[Activity, tuple[Item, ...]] = {}
    for course_id, name, source_table, activity_id in transaction.execute(
        sa.select(item.course_id, item.item, item.source_table, item.activity_id).where(has_deadline)
    ):
        key = (source_table, activity_id)
        found[key] = (*found.get(key, ()), (course_id, name))
    return found


def dues_of(transaction: Transaction) -> dict[int, tuple[Due, ...]]:
    """Return the deadlines of every student who has any; an activity of several courses is due once."""
    courses: dict[int, list[int]] = defaultdict(list)
    for student_id, course_id in transaction.execute(sa.select(takers.c.student_id, takers.c.course_id)):
        courses[student_id].append(course_id)
    by_course = due_reading.due_by_course(transaction, {one for own in courses.values() for one in own})
    known: dict[tuple[int, ...], tuple[Due, ...]] = {}
    for own in map(tuple, courses.values()):
        if own not in known:
            due = {one.activity: one for course_id in own for one in by_course.get(course_id, ())}
            known[own] = tuple(Due(one.item, one.activity, one.until, one.title) for one in due.values())
    return {student_id: known[tuple(own)] for student_id, own in courses.items() if known[tuple(own)]}


def histories(
    transaction: Transaction,
    student_ids: Collection[int],
    dues: Mapping[int, tuple[Due, ...]],
    left: Mapping[int, datetime],
) -> Iterator[StudentHistory]:
    """Yield the histories of these students; `left` says when some of them left, where that is known.

    Of others who are not active any more nobody noted the day: it counts as ten days after their last event.
    """
    past: dict[int, list[Past]] = defaultdict(list)
    for student_id, *row in run_with_ids(transaction, _past, student_ids):
        past[student_id].append(Past(*row))
    for row in run_with_ids(transaction, _people, student_ids):
        own = sorted(past.get(row.student_id, ()))
        left_at = left.get(row.student_id)
        if left_at is None and not row.is_active and own:
            left_at = own[-1].known_at + SILENT_UNTIL_GONE
        due = tuple(
            one for one in dues.get(row.student_id, ()) if row.enrolled_at is None or row.enrolled_at <= one.until
        )
        yield StudentHistory(row.student_id, row.enrolled_at, left_at, tuple(own), due)


def class_history(
    transaction: Transaction,
    dues: Mapping[int, tuple[Due, ...]],
    items: Mapping[Activity, tuple[Item, ...]],
    left: Mapping[int, datetime],
) -> ClassHistory:
    """Return what the class of every exam and deadline came to as time went by."""
    query = sa.select(_known_at, _c.source_table, _c.source_id, _c.activity_id, _c.percentage)
    query = query.where(_c.event_type.in_(_EXAM_ENDS), ~_c.is_withdrawn, _c.percentage.is_not(None))
    results = sorted(ExamResult(*row) for row in transaction.execute(query.where(_c.activity_id.is_not(None))))
    expected: dict[Activity, list[tuple[datetime, int]]] = defaultdict(list)
    activity_of: dict[Item, Activity] = {}
    for student_id, since in _enrolments(transaction):
        for one in dues.get(student_id, ()):
            activity_of[one.item] = one.activity
            if since is None or since <= one.until:
                expected[one.activity].append((one.until, 1))
                if student_id in left:
                    expected[one.activity].append((max(left[student_id], one.until), -1))
    return ClassHistory(results, expected, _handed_in(transaction, items, activity_of, left))


def _handed_in(
    transaction: Transaction,
    items: Mapping[Activity, tuple[Item, ...]],
    activity_of: Mapping[Item, Activity],
    left: Mapping[int, datetime],
) -> dict[Activity, list[tuple[datetime, int]]]:
    """Return when each student first did what is due, and left, by the activity whose deadline it is."""
    within = in_list(_c.activity_id, {one for _, one in items}, transaction.dialect.name)
    query = sa.select(_known_at, _c.student_id, _c.source_table, _c.activity_id)
    query = query.where(within, _c.event_type.in_(FINISHING), ~_c.is_withdrawn)
    first: dict[tuple[Activity, int], datetime] = {}
    for known_at, student_id, source_table, activity_id in transaction.execute(query) if items else ():
        for item in items.get((source_table, activity_id), ()):
            key = (activity_of.get(item, (source_table, activity_id)), student_id)
            if key not in first or known_at < first[key]:
                first[key] = known_at
    found: dict[Activity, list[tuple[datetime, int]]] = defaultdict(list)
    for (activity, student_id), at in first.items():
        found[activity].append((at, 1))
        if student_id in left:
            found[activity].append((max(left[student_id], at), -1))
    return found


def _enrolments(transaction: Transaction) -> Iterator[tuple[int, datetime | None]]:
    query = sa.select(students.c.student_id, watched.c.enrolled_at)
    joined = query.outerjoin(watched, watched.c.student_id == students.c.student_id)
    yield from ((row[0], row[1]) for row in transaction.execute(joined))


@cache
def _past(dialect: str) -> sa.Select[Any]:
    return sa.select(
        _c.student_id,
        sa.type_coerce(_known_at, UtcDateTime),
        _c.event_id,
        _c.event_type,
        sa.type_coerce(_at, UtcDateTime),
        *(_c.source_table, _c.source_id, _c.activity_id, _c.activity_title, _c.percentage, _c.mirrors),
    ).where(in_bound_list(_c.student_id, "ids", dialect), ~_c.is_withdrawn, _c.event_type.in_(OBSERVED))


@cache
def _people(dialect: str) -> sa.Select[Any]:
    query = sa.select(students.c.student_id, students.c.is_active, watched.c.enrolled_at)
    joined = query.outerjoin(watched, watched.c.student_id == students.c.student_id)
    return joined.where(in_bound_list(students.c.student_id, "ids", dialect))
