"""What a declaration of an LMS says: its sources of events, its people, and whatever else can be read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from lms_bot.core.events import EventType


class Id(sa.Integer):
    """A whole number that names a row."""


class Time(sa.Text):
    """A moment, read as text: see lms_bot.db.engine.lms_engine, and lms_bot.lms.values.moment for what it may be."""


class Kind(StrEnum):
    """What the rows of a source are about."""

    EXAM = "exam"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Title:
    """A text of the catalogue: the one that `catalogue` has for the id in `column`."""

    catalogue: str
    column: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """Rows whose `column` is `value` may state the same fact as another source's row, the one with the id in `key`.

    Where `key` holds none, the catalogue `exams` has the exam that this row's activity is, and a row about that exam
    and the same student at the same time states it.
    """

    key: str
    column: str
    value: str
    exams: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """A table whose rows state events; the names below are those of its columns, unless said otherwise.

    * `name` is the source's stable word in the store (`source_table`), `letter` stands before its events' numbers.
    * `states` are the LMS's words for a state, in lower case, and the event that each states; where that is
      exam_completed, `results` say by the word in `result` whether it is a better known one.
    * `started` and `ended` are the columns with those moments: the first of them that holds one counts.
    * `facts`, `titles` and `times` become metadata, by its key; `title` is the activity's own.
    """

    name: str
    kind: Kind
    letter: str
    table: sa.Table
    key: str = "id"
    student: str
    username: str | None = None
    activity: str
    title: str
    state: str
    states: Mapping[str, EventType]
    result: str | None = None
    results: Mapping[str, EventType] = field(default_factory=dict)
    started: tuple[str, ...]
    ended: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, Title] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mirror | None = None

    @property
    def key_column(self) -> sa.Column[int]:
        return self.table.c[self.key]


@dataclass(frozen=True, slots=True, eq=False)
class PeopleQueries:
    """Who is who, read whole.

    `students` and `mentors` give id, username, email, first_name, last_name and display_name, students also is_active;
    `links` give mentor_id and student_id.
    """

    students: sa.Select[Any]
    mentors: sa.Select[Any]
    links: sa.Select[Any]


@dataclass(frozen=True, slots=True, eq=False)
class PresenceQueries:
    """When the LMS saw students.

    `days` gives an id that grows, a student id and a day; `moments` gives a student id and when they were seen last.
    """

    days: sa.Select[Any]
    moments: sa.Select[Any]


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentQueries:
    """`since` gives a student id and when they were enrolled, `minutes` an exam's id and how long it takes."""

    since: sa.Select[Any]
    minutes: sa.Select[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """An LMS as it is declared.

    Each query in `catalogue` gives an id and a text, the first one of an id counting; they may be missing, as may
    `presence` and `enrolment`: what an installation does not have, or does not show us, is done without.
    """

    name: str
    sources: tuple[Source, ...]
    catalogue: Mapping[str, sa.Select[Any]]
    people: PeopleQueries
    presence: PresenceQueries
    enrolment: EnrolmentQueries

    def source(self, name: str) -> Source:
        """Return the source of this name. Raises StopIteration where there is none."""
        return next(source for source in self.sources if source.name == name)

    @property
    def extras(self) -> tuple[sa.Select[Any], ...]:
        """Return the queries beside the catalogue that an installation may do without."""
        return self.presence.days, self.presence.moments, self.enrolment.since, self.enrolment.minutes

    def required(self) -> set[sa.Column[object]]:
        """Return the columns without which nothing works."""
        of_sources = {column for source in self.sources for column in source.table.c}
        return of_sources.union(*map(columns_of, (self.people.students, self.people.mentors, self.people.links)))

    def wanted(self) -> set[sa.Column[object]]:
        """Return the columns that are read: those required, and those of titles."""
        return self.required().union(*map(columns_of, self.catalogue.values()))


def columns_of(query: sa.Select[Any]) -> set[sa.Column[object]]:
    """Return the columns of tables that a query reads."""
    return set(_columns(query))


def _columns(query: sa.Select[Any]) -> Iterator[sa.Column[object]]:
    used = (*query.selected_columns, *visitors.iterate(query))
    return (element for element in used if isinstance(element, sa.Column))
