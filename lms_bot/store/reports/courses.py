"""Courses: who takes them, what they consist of, and what of that is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import FINISHING, PROGRESS, PROGRESS_STEPS, EventType
from lms_bot.core.reports.patterns import MOST_TAKERS, CourseProgress, median_share
from lms_bot.db.lists import each_id, in_list
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
_is_seen = (_c.event_type == EventType.CONTENT_PROGRESS) & (_progress >= PROGRESS_STEPS[-1])
is_done = _c.is_current & ~_c.is_withdrawn & (_c.event_type.in_(FINISHING) | _is_seen)
_is_of_item = (course_items.c.source_table == _c.source_table) & (course_items.c.activity_id == _c.activity_id)

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
    c = course_items.c
    query = (
        sa.select(c.source_table, c.activity_id, c.course_id, c.item, sa.func.max(sa.case((is_done, 1), else_=0)))
        .select_from(events.join(course_items, _is_of_item))
        .where(_c.student_id == student_id, _c.is_current, ~_c.is_withdrawn)
        .group_by(c.source_table, c.activity_id, c.course_id, c.item)
    )
    items: dict[Activity, set[Item]] = defaultdict(set)
    done = set()
    for source_table, activity_id, course_id, name, has_done in transaction.execute(query):
        item = Item(course_id, name)
        items[source_table, activity_id].add(item)
        if has_done:
            done.add(item)
    return Touched({activity: frozenset(found) for activity, found in items.items()}, frozenset(done))


def progress(transaction: Transaction, student_id: int) -> list[CourseProgress]:
    """Return how far a student is in each course that they take, by title, beside those who take it too."""
    takers = _takers(transaction, student_id)
    if not takers:
        return []
    everybody = {one for of_course in takers.values() for one in of_course}
    done = _done(transaction, everybody, takers)
    return [
        CourseProgress(
            course_id,
            title,
            done[course_id].get(student_id, 0),
            items,
            len(takers[course_id]),
            median_share(done[course_id], takers[course_id], items),
        )
        for course_id, title, items in _courses(transaction, takers)
    ]


def _takers(transaction: Transaction, student_id: int) -> dict[int, list[int]]:
    """Return who takes each course of a student: at most a hundred of the active, those with the nearest ids."""
    by_batch = course_batches.join(batch_students, course_batches.c.batch_id == batch_students.c.batch_id)
    alone = sa.select(course_students.c.course_id, course_students.c.student_id)
    in_batches = sa.select(course_batches.c.course_id, batch_students.c.student_id).select_from(by_batch)
    own = sa.union(
        alone.where(course_students.c.student_id == student_id),
        in_batches.where(batch_students.c.student_id == student_id),
    ).cte("own")
    is_own = sa.select(own.c.course_id)
    theirs = sa.union(
        alone.where(course_students.c.course_id.in_(is_own)), in_batches.where(course_batches.c.course_id.in_(is_own))
    ).subquery("theirs")
    nearest = (sa.func.abs(theirs.c.student_id - student_id), theirs.c.student_id)
    place = sa.func.row_number().over(partition_by=theirs.c.course_id, order_by=nearest).label("place")
    ranked = (
        sa.select(theirs.c.course_id, theirs.c.student_id, place)
        .join(students, students.c.student_id == theirs.c.student_id)
        .where(students.c.is_active | (students.c.student_id == student_id))
        .subquery("ranked")
    )
    query = sa.select(ranked.c.course_id, ranked.c.student_id).where(ranked.c.place <= MOST_TAKERS)
    found: dict[int, list[int]] = defaultdict(list)
    for course_id, taker in transaction.execute(query):
        found[course_id].append(taker)
    return found


def _done(
    transaction: Transaction, student_ids: Collection[int], course_ids: Iterable[int]
) -> dict[int, dict[int, int]]:
    """Return by course and student how many items are done."""
    each, c = each_id(transaction, student_ids), course_items.c
    done = (
        sa.select(_c.student_id, c.course_id, c.item)
        .select_from(each.join(events, _c.student_id == each.c.value).join(course_items, _is_of_item))
        .where(is_done, in_list(c.course_id, course_ids, transaction.dialect.name))
        .distinct()
        .subquery("done")
    )
    query = sa.select(done.c.course_id, done.c.student_id, sa.func.count()).group_by(
        done.c.course_id, done.c.student_id
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for course_id, student_id, count in transaction.execute(query):
        found[course_id][student_id] = count
    return found


def _courses(transaction: Transaction, course_ids: Iterable[int]) -> list[Any]:
    """Return id, title and number of items of these courses, by title."""
    of_course = sa.select(sa.func.count(course_items.c.item.distinct()))
    items = of_course.where(course_items.c.course_id == courses.c.course_id).scalar_subquery()
    query = sa.select(courses.c.course_id, courses.c.title, items).where(
        in_list(courses.c.course_id, course_ids, transaction.dialect.name)
    )
    rows = transaction.execute(query).all()
    return sorted(rows, key=lambda row: ((row.title or "").casefold(), row.course_id))
