"""What the LMS's pages reported of students and lessons, a row for each pair."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import PAGE_REPORTS, EventType
from lms_bot.core.web.watching import Watching
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import course_items, courses, events, lessons, page_reports, students

_r = page_reports.c
_WATCHING = (_r.stretches, _r.position, _r.seen_at, _r.length, _r.length_by, _r.reported)


class Lesson(NamedTuple):
    """A lesson of which pages report; `quiz_id` of the source `quiz_source` must be passed before it is complete."""

    lesson_id: int
    title: str | None
    course_title: str | None
    quiz_source: str | None
    quiz_id: int | None


class PageReport(NamedTuple):
    """What was reported of one student and lesson."""

    report_id: int
    watching: Watching
    completed_at: datetime | None


def lesson(transaction: Transaction, lesson_id: int) -> Lesson | None:
    """Return the lesson with this id in the LMS, of the first course that has it."""
    item = course_items.c
    query = (
        sa.select(item.activity_id, lessons.c.title, courses.c.title, lessons.c.quiz_source, lessons.c.quiz_id)
        .outerjoin(lessons, lessons.c.lesson_id == item.activity_id)
        .outerjoin(courses, courses.c.course_id == item.course_id)
        .where(item.source_table == PAGE_REPORTS, item.activity_id == lesson_id)
        .order_by(item.course_id)
        .limit(1)
    )
    row = transaction.execute(query).first()
    return None if row is None else Lesson(*row)


def hold_student(transaction: Transaction, student_id: int) -> bool:
    """Return whether this is an active student of the LMS; if so, nobody forgets them before this transaction ends."""
    query = sa.select(students.c.student_id).where(students.c.student_id == student_id, students.c.is_active)
    return transaction.scalar(query.with_for_update(read=True, key_share=True)) is not None


def take(transaction: Transaction, student_id: int, lesson_id: int, now: datetime) -> PageReport:
    """Return what was reported of a student and a lesson, to be changed: whoever else takes it waits until the end."""
    new = {"student_id": student_id, "lesson_id": lesson_id, "stretches": [], "length_by": 0.0, "reported": 0.0}
    insert = insert_into(transaction, page_reports).values(**new, updated_at=now)
    transaction.execute(insert.on_conflict_do_nothing())
    query = sa.select(_r.report_id, _r.completed_at, *_WATCHING).where(*_is(student_id, lesson_id)).with_for_update()
    report_id, completed_at, stretches, *known = transaction.execute(query).one()
    return PageReport(report_id, Watching(tuple((a, b) for a, b in stretches), *known), completed_at)


def keep(transaction: Transaction, report: PageReport, now: datetime) -> None:
    """Keep what is known now of a report that was taken."""
    known = report.watching
    values: dict[str, Any] = {
        "stretches": known.stretches,
        "position": known.position,
        "seen_at": known.seen_at,
        "length": known.length,
        "length_by": known.length_by,
        "reported": known.reported,
        "completed_at": report.completed_at,
        "updated_at": now,
    }
    transaction.execute(sa.update(page_reports).where(_r.report_id == report.report_id).values(values))


def is_passed(transaction: Transaction, student_id: int, source_table: str, exam_id: int) -> bool:
    """Return whether a student has passed an exam, as far as is recorded."""
    c = events.c
    query = sa.select(c.event_id).where(
        c.student_id == student_id,
        c.event_type == EventType.EXAM_PASSED,
        c.activity_id == exam_id,
        c.source_table == source_table,
        c.is_current,
        ~c.is_withdrawn,
    )
    return transaction.scalar(query.limit(1)) is not None


def _is(student_id: int, lesson_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return _r.student_id == student_id, _r.lesson_id == lesson_id
