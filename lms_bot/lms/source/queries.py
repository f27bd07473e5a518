"""The queries in a declaration of an LMS for what is read whole: people, presence, enrolment, and what is studied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

NOW = sa.bindparam("now", type_=sa.BigInteger)
"""The present moment in seconds since 1970, for queries about people and enrolment."""

Query = sa.Select[Any]
Bound = tuple[Query, dict[str, Any]]
"""A query that is made once, and the values bound to it this time."""


@dataclass(frozen=True, slots=True, eq=False)
class PeopleQueries:
    """Who is who, read whole.

    `students` and `mentors` give id, username, email, first_name, last_name and display_name, students also is_active.
    Each of the `links`, by a name that settings may choose, gives mentor ids and student ids; all of them count
    together. Where `only_linked`, mentors are those of the mentors' query who have a student. `supervisors` gives a
    mentor's id, supervisor_id, supervisor_email and students_count.
    """

    students: Query
    mentors: Query
    links: Mapping[str, Query]
    only_linked: bool = False
    supervisors: Query | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PresenceQueries:
    """When the LMS saw students.

    `days` gives an id that grows, a student id and a day; `moments` give student ids and when they were seen last.
    """

    days: Query | None = None
    moments: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentQueries:
    """`since` gives a student id and when they were enrolled, `minutes` an exam's id and how long it takes.

    Each of the `deadlines`, by the name of a source, gives the id of an activity, until when it is to be done,
    and perhaps its title.
    """

    since: Query | None = None
    minutes: Query | None = None
    deadlines: Mapping[str, Query] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class AcademicQueries:
    """What students study, in small tables that are read whole; each may be missing.

    `batches` and `courses` give an id and a name. The others give pairs of ids: `batch_students` a batch and a student,
    `course_batches` a course and a batch that takes it, `course_students` a course and a student. Each of the `items`,
    by the name of a source, gives a course's id, the item of it and the id of an activity by which that is done.
    The activities of the source named in `lesson_source` are lessons, of which the LMS's pages report; `lessons` gives
    their ids and titles, and each of the `quizzes`, by the name of a source, a lesson's id and that of an exam without
    which the lesson is not complete.
    """

    batches: Query | None = None
    batch_students: Query | None = None
    courses: Query | None = None
    course_batches: Query | None = None
    course_students: Query | None = None
    items: Mapping[str, Query] = field(default_factory=dict)
    lesson_source: str | None = None
    lessons: Query | None = None
    quizzes: Mapping[str, Query] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, Query]:
        """Return all queries that are declared, by what they give."""
        names = ("batches", "batch_students", "courses", "course_batches", "course_students", "lessons")
        single = {name: query for name in names if (query := getattr(self, name)) is not None}
        items = {f"items of {name}": query for name, query in self.items.items()}
        return single | items | {f"quizzes of {name}": query for name, query in self.quizzes.items()}


def columns_of(query: Query) -> set[sa.Column[object]]:
    """Return the columns of tables that a query reads, under whatever name it has given the tables."""
    return set(_columns(query))


def _columns(query: Query) -> Iterator[sa.Column[object]]:
    for element in (*query.selected_columns, *visitors.iterate(query)):
        if not isinstance(element, sa.Column):
            continue
        if isinstance(element.table, sa.Alias):
            yield element.table.element.c[element.name]
        elif isinstance(element.table, sa.Table):
            yield element
