"""Courses: who takes them, what they consist of, and what of that is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import FINISHING, PROGRESS, PROGRESS_STEPS, EventType, searched
from lms_bot.core.reports.academics.facts import CourseProgress
from lms_bot.core.reports.patterns import TAKERS_BESIDE, median_share
from lms_bot.db.lists import each_bound_id, in_bound_list, list_value
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    batch_students,
    course_batches,
    course_items,
    course_students,
    courses,
    events,
    students,
)

_c = events.c
_progress = _c.activity_metadata[PROGRESS].as_integer()
is_watched_enough = (_c.event_type == EventType.CONTENT_PROGRESS) & (_progress >= PROGRESS_STEPS[-1])
is_done = _c.is_current & ~_c.is_withdrawn & (_c.event_type.in_(FINISHING) | is_watched_enough)
_is_of_item = (course_items.c.source_table == _c.source_table) & (course_items.c.activity_id == _c.activity_id)
_STUDENT = sa.bindparam("student", type_=sa.BigInteger)
_ANY = 2**63 - 1  # beyond any id

Activity = tuple[str, int]
"""An exam or a content, by source table and id."""


class Item(NamedTuple):
    """A part of a course."""

    course_id: int
    name: str


class Touched(NamedTuple):
    """What items a student's activities belong to, and which items are done."""

    items: Mapping[Activity, frozenset[Item]]
    done: frozenset[Item]

    def courses(self, activity: Activity) -> frozenset[int]:
        return frozenset(item.course_id for item in self.items.get(activity, ()))


def touched(transaction: Transaction, student_id: int) -> Touched:
    """Return to which items of courses the activities of a student belong that have current events."""
    items: dict[Activity, set[Item]] = defaultdict(set)
    done = set()
    for source_table, activity_id, course_id, name, has_done in transaction.execute(_TOUCHED, {"student": student_id}):
        item = Item(course_id, name)
        items[source_table, activity_id].add(item)
        if has_done:
            done.add(item)
    return Touched({activity: frozenset(found) for activity, found in items.items()}, frozenset(done))


def progress(transaction: Transaction, student_id: int) -> list[CourseProgress]:
    """Return how far a student is in each course that they take, by title, beside those who take it with them."""
    takers: dict[int, list[int]] = defaultdict(list)
    for course_id, taker in transaction.execute(_TAKERS, {"student": student_id}):
        takers[course_id].append(taker)
    if not takers:
        return []
    done = _done(transaction, {one for of_course in takers.values() for one in of_course}, takers)
    dialect = transaction.dialect.name
    rows = transaction.execute(_courses(dialect), {"courses": list_value(takers, dialect)}).all()
    return [
        CourseProgress(
            course_id,
            title,
            done[course_id].get(student_id, 0),
            items,
            len(takers[course_id]),
            median_share(done[course_id], takers[course_id], items),
        )
        for course_id, title, items in sorted(rows, key=lambda row: ((row.title or "").casefold(), row.course_id))
    ]


def _done(
    transaction: Transaction, student_ids: Collection[int], course_ids: Iterable[int]
) -> dict[int, dict[int, int]]:
    """Return by course and student how many items are done."""
    dialect = transaction.dialect.name
    given = {"students": list_value(student_ids, dialect), "courses": list_value(course_ids, dialect)}
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for course_id, student_id, count in transaction.execute(_counts_of_done(dialect), given):
        found[course_id][student_id] = count
    return found


def _selected_touched() -> sa.Select[Any]:
    c = course_items.c
    return (
        sa.select(c.source_table, c.activity_id, c.course_id, c.item, sa.func.max(sa.case((is_done, 1), else_=0)))
        .select_from(events.join(course_items, _is_of_item))
        .where(_c.student_id == _STUDENT, _c.is_current, ~_c.is_withdrawn)
        .group_by(c.source_table, c.activity_id, c.course_id, c.item)
    )


def _selected_takers() -> sa.CompoundSelect[Any]:
    """Select by course who takes it with a student: the members of the batch, or those who take it by themselves."""
    mine, beside = batch_students.alias("mine"), batch_students.alias("beside")
    alone, others = course_students.alias("alone"), course_students.alias("others")
    in_batches = (
        sa.select(course_batches.c.course_id, beside.c.student_id)
        .select_from(mine.join(course_batches, course_batches.c.batch_id == mine.c.batch_id))
        .join(beside, (beside.c.batch_id == mine.c.batch_id) & _is_beside(batch_students, "batch_id", mine, beside))
        .where(mine.c.student_id == _STUDENT)
    )
    by_themselves = (
        sa.select(others.c.course_id, others.c.student_id)
        .select_from(alone)
        .join(
            others, (others.c.course_id == alone.c.course_id) & _is_beside(course_students, "course_id", alone, others)
        )
        .where(alone.c.student_id == _STUDENT)
    )
    return sa.union(*(_of_active(query) for query in (in_batches, by_themselves)))


def _is_beside(table: sa.Table, key: str, mine: sa.FromClause, beside: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return that a row of the same group is among the twenty-five nearest by id on either side of a student's."""
    near = table.alias()
    of_group = sa.select(near.c.student_id).where(near.c[key] == mine.c[key]).correlate(mine)
    before, after = near.c.student_id < _STUDENT, near.c.student_id > _STUDENT
    lowest = of_group.where(before).order_by(near.c.student_id.desc()).limit(1).offset(TAKERS_BESIDE)
    highest = of_group.where(after).order_by(near.c.student_id).limit(1).offset(TAKERS_BESIDE)
    low, high = lowest.scalar_subquery(), highest.scalar_subquery()
    return (beside.c.student_id > sa.func.coalesce(low, -_ANY)) & (beside.c.student_id < sa.func.coalesce(high, _ANY))


def _of_active(query: sa.Select[Any]) -> sa.Select[Any]:
    """Select of takers those who are active, and the student."""
    taker = query.selected_columns.student_id
    is_counted = students.c.is_active | (students.c.student_id == _STUDENT)
    return query.join(students, students.c.student_id == taker).where(is_counted)


_TOUCHED, _TAKERS = _selected_touched(), _selected_takers()


@cache
def _counts_of_done(dialect: str) -> sa.Select[Any]:
    each, c = each_bound_id("students", dialect), course_items.c
    done = (
        sa.select(_c.student_id, c.course_id, c.item)
        .select_from(each.join(events, _c.student_id == each.c.value).join(course_items, _is_of_item))
        .where(is_done, in_bound_list(c.course_id, "courses", dialect))
        .distinct()
        .subquery("done")
    )
    columns = (done.c.course_id, done.c.student_id)
    return sa.select(*columns, sa.func.count()).group_by(*columns)


@cache
def _courses(dialect: str) -> sa.Select[Any]:
    """Select id, title and number of items of courses."""
    of_course = sa.select(sa.func.count(course_items.c.item.distinct()))
    items = of_course.where(course_items.c.course_id == courses.c.course_id).scalar_subquery()
    return sa.select(courses.c.course_id, courses.c.title, items).where(
        in_bound_list(courses.c.course_id, "courses", dialect)
    )


def courses_of(transaction: Transaction, student_id: int) -> tuple[CourseProgress, ...]:
    """Return the courses that a student takes, alone or with a batch: the last activity first, then by title."""
    rows = transaction.execute(_COURSES, {"student": student_id}).all()
    found = [
        CourseProgress(course_id, title, done, items, last_activity=at) for course_id, title, done, items, at in rows
    ]
    return tuple(sorted(found, key=_last_first))


def takers_of(transaction: Transaction, words: str) -> set[int]:
    """Return the ids of all who take a course with these words in its title, alone or with a batch."""
    wanted, dialect = searched(words), transaction.dialect.name
    titles = transaction.execute(sa.select(courses.c.course_id, courses.c.title))
    named = [course_id for course_id, title in titles if title is not None and wanted in searched(title)]
    return set(transaction.scalars(_takers_of(dialect), {"courses": list_value(named, dialect)})) if named else set()


@cache
def _takers_of(dialect: str) -> sa.CompoundSelect[Any]:
    alone = sa.select(course_students.c.student_id).where(
        in_bound_list(course_students.c.course_id, "courses", dialect)
    )
    with_batch = (
        sa.select(batch_students.c.student_id)
        .join(course_batches, course_batches.c.batch_id == batch_students.c.batch_id)
        .where(in_bound_list(course_batches.c.course_id, "courses", dialect))
    )
    return alone.union(with_batch)


def _last_first(course: CourseProgress) -> tuple[float, str, int]:
    at = course.last_activity
    return (0.0 if at is None else -at.timestamp()), (course.title or "").casefold(), course.course_id


def _selected_courses() -> sa.Select[Any]:
    alone = sa.select(course_students.c.course_id).where(course_students.c.student_id == _STUDENT)
    with_batch = (
        sa.select(course_batches.c.course_id)
        .join(batch_students, batch_students.c.batch_id == course_batches.c.batch_id)
        .where(batch_students.c.student_id == _STUDENT)
    )
    taken = alone.union(with_batch).cte("taken")
    is_known = (_c.timestamp != UNKNOWN_TIME) & ~_c.is_withdrawn
    did = (
        sa.select(
            course_items.c.course_id,
            sa.func.count(sa.distinct(sa.case((is_done, course_items.c.item)))).label("done"),
            sa.func.max(sa.case((is_known, _c.timestamp))).label("last_activity"),
        )
        .join(events, _is_of_item)
        .where(_c.student_id == _STUDENT)
        .group_by(course_items.c.course_id)
        .cte("did")
    )
    items = sa.select(sa.func.count(sa.distinct(course_items.c.item))).where(
        course_items.c.course_id == taken.c.course_id
    )
    return (
        sa.select(taken.c.course_id, courses.c.title, sa.func.coalesce(did.c.done, 0))
        .add_columns(items.scalar_subquery(), did.c.last_activity)
        .outerjoin(courses, courses.c.course_id == taken.c.course_id)
        .outerjoin(did, did.c.course_id == taken.c.course_id)
    )


_COURSES = _selected_courses()
