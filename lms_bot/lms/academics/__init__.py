"""Reads what students study: batches, courses, who belongs to them, and what courses consist of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.sync.studies import Academics, Pair
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
            return Academics(
                batches=_named(_rows(connection, queries.batches, at)),
                batch_students=_pairs(_rows(connection, queries.batch_students, at)),
                courses=_named(_rows(connection, queries.courses, at)),
                course_batches=_pairs(_rows(connection, queries.course_batches, at)),
                course_students=_pairs(_rows(connection, queries.course_students, at)),
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


def _named(rows: Rows) -> dict[int, str | None] | None:
    return None if rows is None else {row[0]: text(row[1]) for row in rows if integer(row[0]) is not None}


def _pairs(rows: Rows) -> frozenset[Pair] | None:
    if rows is None:
        return None
    return frozenset((row[0], row[1]) for row in rows if integer(row[0]) is not None and integer(row[1]) is not None)
