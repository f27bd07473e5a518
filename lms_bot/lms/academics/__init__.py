"""Reads what students study: batches, courses, who belongs to them, and what courses consist of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import PAGE_REPORTS
from lms_bot.core.sync.studies import Academics, Lesson, Pair
from lms_bot.db.engine import refusal
from lms_bot.lms.inspection import can_read
from lms_bot.lms.source.queries import NOW, AcademicQueries, Query
from lms_bot.lms.values import integer, text

LONGEST_ITEM = 64  # characters that the store keeps of what names an item
Rows = list[Any] | None


def read_academics(engine: sa.Engine, queries: AcademicQueries, now: datetime) -> Academics:
    """Read all of it in one short transaction. Raises LmsUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            at = int(now.timestamp())
            items = {name: _rows(connection, query, at) for name, query in queries.items.items()}
            if queries.lesson_source is not None:  # what a page reports of a lesson does the same item
                items[PAGE_REPORTS] = items[queries.lesson_source]
            return Academics(
                batches=_named(_rows(connection, queries.batches, at)),
                batch_students=_pairs(_rows(connection, queries.batch_students, at)),
                courses=_named(_rows(connection, queries.courses, at)),
                course_batches=_pairs(_rows(connection, queries.course_batches, at)),
                course_students=_pairs(_rows(connection, queries.course_students, at)),
                lessons=_lessons(connection, queries, at),
                items=frozenset(
                    (course, str(item)[:LONGEST_ITEM], name, activity)
                    for name, rows in items.items()
                    for course, item, activity in rows or ()
                    if integer(course) is not None and integer(activity) is not None and item is not None
                ),
                item_sources=frozenset(name for name, rows in items.items() if rows is not None),
            )
    except sa.exc.SQLAlchemyError as error:
        raise refusal(error, "batches and courses") from error


def _rows(connection: sa.Connection, query: Query | None, at: int) -> Rows:
    if query is None or not can_read(connection, query):
        return None
    return [*connection.execute(query, {NOW.key: at}).all()]


def _lessons(connection: sa.Connection, queries: AcademicQueries, at: int) -> frozenset[Lesson] | None:
    """Return the lessons; of several exams of one that which was declared, and then made, first."""
    titles = _named(_rows(connection, queries.lessons, at))
    if titles is None:
        return None
    quiz_of: dict[int, tuple[str, int]] = {}
    for source, query in queries.quizzes.items():
        for lesson_id, exam_id in sorted(_pairs(_rows(connection, query, at)) or ()):
            quiz_of.setdefault(lesson_id, (source, exam_id))
    return frozenset((one, title, *quiz_of.get(one, (None, None))) for one, title in titles.items())


def _named(rows: Rows) -> dict[int, str | None] | None:
    return None if rows is None else {row[0]: text(row[1]) for row in rows if integer(row[0]) is not None}


def _pairs(rows: Rows) -> frozenset[Pair] | None:
    if rows is None:
        return None
    return frozenset((row[0], row[1]) for row in rows if integer(row[0]) is not None and integer(row[1]) is not None)
