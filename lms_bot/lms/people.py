"""Reads who is a student, who is a mentor, and who mentors whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lms_bot.core.people import Mentor, Student
from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.source import PeopleQueries
from lms_bot.lms.values import text


@dataclass(frozen=True, slots=True)
class People:
    """All students, all mentors, and the pairs (mentor id, student id) between them."""

    students: tuple[Student, ...]
    mentors: tuple[Mentor, ...]
    links: frozenset[tuple[int, int]]


def read_people(engine: sa.Engine, queries: PeopleQueries) -> People:
    """Read everybody in one short transaction. Raises LmsUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            students, mentors, links = (
                connection.execute(query).all() for query in (queries.students, queries.mentors, queries.links)
            )
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"students and mentors cannot be read: {reason(error)}") from error
    return People(
        students=tuple(
            Student(row.id, _username(row), text(row.email), _display_name(row), bool(row.is_active))
            for row in students
        ),
        mentors=tuple(Mentor(row.id, _username(row), text(row.email), _display_name(row)) for row in mentors),
        links=_links(links),
    )


def read_links(engine: sa.Engine, queries: PeopleQueries) -> frozenset[tuple[int, int]]:
    """Read all links in one statement, as (mentor id, student id). Raises LmsUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            return _links(connection.execute(queries.links).all())
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"the links between mentors and students cannot be read: {reason(error)}") from error


def _links(rows: Iterable[Any]) -> frozenset[tuple[int, int]]:
    return frozenset((row[0], row[1]) for row in rows if row[0] is not None and row[1] is not None)


def _username(row: Any) -> str:
    return text(row.username) or f"#{row.id}"


def _display_name(row: Any) -> str | None:
    whole = " ".join(part for part in (text(row.first_name), text(row.last_name)) if part)
    return text(row.display_name) or whole or None
