"""Reads who is a student, who is a mentor, and who mentors whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.people import Mentor, Student
from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.inspection import read_if_there
from lms_bot.lms.links import LinkFiles
from lms_bot.lms.source import NOW, PeopleQueries
from lms_bot.lms.values import integer, number, text


@dataclass(frozen=True, slots=True)
class People:
    """All students, all mentors, and the pairs (mentor id, student id) between them."""

    students: tuple[Student, ...]
    mentors: tuple[Mentor, ...]
    links: frozenset[tuple[int, int]]


def read_people(engine: sa.Engine, queries: PeopleQueries, files: LinkFiles, now: datetime) -> People:
    """Read everybody in one short transaction. Raises LmsUnavailable."""
    at = {NOW.key: int(now.timestamp())}
    try:
        with engine.connect() as connection, connection.begin():
            read_students, read_mentors = (
                connection.execute(query, at).all() for query in (queries.students, queries.mentors)
            )
            supervisors = [] if queries.supervisors is None else read_if_there(connection, queries.supervisors)
            links = _links(connection, queries, at)
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"students and mentors cannot be read: {reason(error)}") from error
    students = tuple(
        Student(row.id, _username(row), text(row.email), _display_name(row), bool(row.is_active))
        for row in read_students
    )
    supervised = {row[0]: _supervision(*row[1:]) for row in supervisors}
    mentors = tuple(
        Mentor(row.id, _username(row), text(row.email), _display_name(row), **supervised.get(row.id, {}))
        for row in read_mentors
    )
    files.know(mentors, students)
    links |= files.read()
    if queries.only_linked:
        linked = {mentor_id for mentor_id, _ in links}
        mentors = tuple(mentor for mentor in mentors if mentor.mentor_id in linked)
    return People(students, mentors, links)


def read_links(
    engine: sa.Engine, queries: PeopleQueries, files: LinkFiles, now: datetime
) -> frozenset[tuple[int, int]]:
    """Read all links, as (mentor id, student id), those in files by who is known. Raises LmsUnavailable."""
    if files.needs_people:
        return read_people(engine, queries, files, now).links
    try:
        with engine.connect() as connection, connection.begin():
            return _links(connection, queries, {NOW.key: int(now.timestamp())}) | files.read()
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"the links between mentors and students cannot be read: {reason(error)}") from error


def _links(connection: sa.Connection, queries: PeopleQueries, at: dict[str, int]) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for query in queries.links.values():
        pairs: list[Any] = [*connection.execute(query, at).all()]
        links = ((integer(mentor), integer(student)) for mentor, student in pairs)
        found.update((mentor, student) for mentor, student in links if mentor is not None and student is not None)
    return frozenset(found)


def _supervision(supervisor_id: Any, email: Any, students: Any) -> dict[str, Any]:
    count = number(students)
    return {
        "supervisor_id": integer(supervisor_id),
        "supervisor_email": text(email),
        "students_count": int(count) if count is not None and 0 <= count < 2**31 else None,
    }


def _username(row: Any) -> str:
    return text(row.username) or f"#{row.id}"


def _display_name(row: Any) -> str | None:
    whole = " ".join(part for part in (text(row.first_name), text(row.last_name)) if part)
    return text(row.display_name) or whole or None
