"""How much of their courses students have done."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.reports.academics.facts import CourseProgress
from lms_bot.store.reports.academics import is_done
from lms_bot.store.session import Transaction
from lms_bot.store.tables import batch_students, course_batches, course_items, course_students, courses, events

_c, _item = events.c, course_items.c
_STUDENT = sa.bindparam("student", type_=sa.BigInteger)


def courses_of(transaction: Transaction, student_id: int) -> tuple[CourseProgress, ...]:
    """Return the courses that a student takes, alone or with a batch: the last activity first, then by title."""
    found = [CourseProgress(*row) for row in transaction.execute(_COURSES, {"student": student_id})]
    return tuple(sorted(found, key=_last_first))


def _last_first(course: CourseProgress) -> tuple[float, str, int]:
    at = course.last_activity
    return (0.0 if at is None else -at.timestamp()), (course.title or "").casefold(), course.course_id


def _courses() -> sa.Select[Any]:
    alone = sa.select(course_students.c.course_id).where(course_students.c.student_id == _STUDENT)
    with_batch = (
        sa.select(course_batches.c.course_id)
        .join(batch_students, batch_students.c.batch_id == course_batches.c.batch_id)
        .where(batch_students.c.student_id == _STUDENT)
    )
    taken = alone.union(with_batch).cte("taken")
    is_known = (_c.timestamp != UNKNOWN_TIME) & ~_c.is_withdrawn
    does_count = is_done & _c.is_current & ~_c.is_withdrawn & _c.mirrors.is_(None)
    did = (
        sa.select(
            _item.course_id,
            sa.func.count(sa.distinct(sa.case((does_count, _item.item)))).label("done"),
            sa.func.max(sa.case((is_known, _c.timestamp))).label("last_activity"),
        )
        .join(events, (_c.source_table == _item.source_table) & (_c.activity_id == _item.activity_id))
        .where(_c.student_id == _STUDENT)
        .group_by(_item.course_id)
        .cte("did")
    )
    items = sa.select(sa.func.count(sa.distinct(_item.item))).where(_item.course_id == taken.c.course_id)
    return (
        sa.select(taken.c.course_id, courses.c.title, sa.func.coalesce(did.c.done, 0))
        .add_columns(items.scalar_subquery(), did.c.last_activity)
        .outerjoin(courses, courses.c.course_id == taken.c.course_id)
        .outerjoin(did, did.c.course_id == taken.c.course_id)
    )


_COURSES = _courses()
