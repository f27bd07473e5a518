"""The titles of exams, contents, courses and chapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lms_bot.lms.schemas.classic import tables
from lms_bot.lms.values import text

Titles = dict[int | None, str | None]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Titles by LMS id; `exam_courses` gives the title of the first course that has the exam among its contents."""

    exams: Titles = field(default_factory=dict)
    exam_courses: Titles = field(default_factory=dict)
    contents: Titles = field(default_factory=dict)
    courses: Titles = field(default_factory=dict)
    chapters: Titles = field(default_factory=dict)


def read_catalog(connection: sa.Connection) -> Catalog:
    """Read all titles; a table that this installation does not have, or does not show us, has none."""
    courses = _titles(connection, tables.courses.c.id, tables.courses.c.title)
    contents: Titles = {}
    exam_courses: Titles = {}
    c = tables.contents.c
    for content_id, title, course_id, exam_id in _rows(connection, c.id, c.title, c.course_id, c.exam_id):
        contents[content_id] = text(title)
        if exam_id is not None and course_id in courses:
            exam_courses.setdefault(exam_id, courses[course_id])
    return Catalog(
        exams=_titles(connection, tables.exams.c.id, tables.exams.c.title),
        exam_courses=exam_courses,
        contents=contents,
        courses=courses,
        chapters=_titles(connection, tables.chapters.c.id, tables.chapters.c.name),
    )


def _titles(connection: sa.Connection, *columns: sa.Column[Any]) -> Titles:
    return {row[0]: text(row[1]) for row in _rows(connection, *columns)}


def _rows(connection: sa.Connection, *columns: sa.Column[Any]) -> list[Any]:
    if not _readable(connection, columns[0].table.name, {column.name for column in columns}):
        return []
    return list(connection.execute(sa.select(*columns).order_by(columns[0])))


def _readable(connection: sa.Connection, table: str, names: set[str]) -> bool:
    if connection.dialect.name == "sqlite":
        shown = sa.text("SELECT name FROM pragma_table_info(:table)")
    else:
        shown = sa.text(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(:table)) "
            "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')"
        )
    return names <= set(connection.scalars(shown, {"table": table}))
