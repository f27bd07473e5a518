"""Reads which deadlines students have, and which of them they have kept, for many students at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.academics.deadlines import Deadline
from lms_bot.db.lists import in_bound_list, list_value, run_with_ids
from lms_bot.store.academics.deadlines import takers
from lms_bot.store.reports.courses import is_done
from lms_bot.store.session import Transaction
from lms_bot.store.tables import course_items, deadlines, events

Item = tuple[int, str]


class Due(NamedTuple):
    """A deadline of an item of a course, as the store keeps it."""

    item: Item
    activity: tuple[str, int]
    until: datetime
    title: str | None
    expected: int
    handed_in: int


def deadlines_of(transaction: Transaction, student_ids: Collection[int]) -> dict[int, tuple[Deadline, ...]]:
    """Return the deadlines of these students, by student id; who has none is left out."""
    courses: dict[int, list[int]] = defaultdict(list)
    for student_id, course_id in run_with_ids(transaction, _courses, student_ids):
        courses[student_id].append(course_id)
    if not courses:
        return {}
    due = due_by_course(transaction, {one for own in courses.values() for one in own})
    done: dict[int, set[Item]] = defaultdict(set)
    for student_id, *item in run_with_ids(transaction, _done, courses) if due else ():
        done[student_id].add((item[0], item[1]))
    return {
        student_id: found
        for student_id, own in courses.items()
        if (found := tuple(of_student(due, own, done[student_id])))
    }


def due_by_course(transaction: Transaction, course_ids: Collection[int]) -> dict[int, list[Due]]:
    """Return the deadlines of courses; of an item that has several, the last."""
    dialect = transaction.dialect.name
    last: dict[Item, Due] = {}
    for row in transaction.execute(_due(dialect), {"courses": list_value(course_ids, dialect)}):
        one = Due((row[0], row[1]), (row[2], row[3]), *row[4:])
        if one.item not in last or last[one.item].until < one.until:
            last[one.item] = one
    found: dict[int, list[Due]] = defaultdict(list)
    for one in last.values():
        found[one.item[0]].append(one)
    return found


def of_student(due: Mapping[int, list[Due]], courses: Iterable[int], done: Collection[Item]) -> Iterable[Deadline]:
    """Return the deadlines of one who takes these courses; an activity of several courses is due once."""
    found: dict[tuple[str, int], Deadline] = {}
    for one in (one for course_id in courses for one in due.get(course_id, ())):
        before = found.get(one.activity)
        is_kept = one.item in done or (before is not None and before.is_done)
        found[one.activity] = Deadline(one.until, one.title, one.expected, one.handed_in, is_kept)
    return found.values()


@cache
def _courses(dialect: str) -> sa.Select[Any]:
    c, own = takers.c, course_items.alias("own")
    has_deadline = sa.exists().where(
        own.c.course_id == c.course_id,
        deadlines.c.source_table == own.c.source_table,
        deadlines.c.activity_id == own.c.activity_id,
    )
    return sa.select(c.student_id, c.course_id).where(in_bound_list(c.student_id, "ids", dialect), has_deadline)


@cache
def _due(dialect: str) -> sa.Select[Any]:
    item, c = course_items.c, deadlines.c
    is_its = (item.source_table == c.source_table) & (item.activity_id == c.activity_id)
    query = sa.select(
        item.course_id, item.item, c.source_table, c.activity_id, c.until, c.title, c.expected, c.handed_in
    )
    return query.join(deadlines, is_its).where(in_bound_list(item.course_id, "courses", dialect))


@cache
def _done(dialect: str) -> sa.Select[Any]:
    """Select the items with a deadline that each student has done."""
    item, own, c = course_items.c, course_items.alias("own").c, events.c
    is_its = (item.source_table == c.source_table) & (item.activity_id == c.activity_id)
    has_deadline = sa.exists().where(
        own.course_id == item.course_id,
        own.item == item.item,
        deadlines.c.source_table == own.source_table,
        deadlines.c.activity_id == own.activity_id,
    )
    query = sa.select(c.student_id, item.course_id, item.item).join(course_items, is_its)
    return query.where(in_bound_list(c.student_id, "ids", dialect), is_done, has_deadline).distinct()
