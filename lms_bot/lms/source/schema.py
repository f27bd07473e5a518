"""An LMS as it is declared: its sources of events, its people, and whatever else can be read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from lms_bot.lms.source.fields import Query
from lms_bot.lms.source.sources import Source, Watch


@dataclass(frozen=True, slots=True, eq=False)
class PeopleQueries:
    """Who is who, read whole.

    `students` and `mentors` give id, username, email, first_name, last_name and display_name, students also is_active.
    Each of the `links`, by a name that settings may choose, gives mentor ids and student ids; all of them count
    together. Where `only_linked`, mentors are those of the mentors' query who have a student.
    """

    students: Query
    mentors: Query
    links: Mapping[str, Query]
    only_linked: bool = False


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

    Each of the `deadlines`, by the name of a source, gives the id of an activity and until when it is to be done.
    """

    since: Query | None = None
    minutes: Query | None = None
    deadlines: Mapping[str, Query] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """An LMS as it is declared.

    Each query in `catalogue` gives an id and a text, the first one of an id counting; they may be missing, as may
    `presence` and `enrolment`: what an installation does not have, or does not show us, is done without. Where texts
    have markup, it is taken out. `urls` are the pages of an event by its source's name, and `student` is a student's,
    below the LMS's own address; in braces they name fields of the event, or keys of its metadata.
    """

    name: str
    sources: tuple[Source, ...]
    catalogue: Mapping[str, tuple[Query, ...]]
    people: PeopleQueries
    presence: PresenceQueries = PresenceQueries()
    enrolment: EnrolmentQueries = EnrolmentQueries()
    has_markup: bool = False
    urls: Mapping[str, str] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """Return the source of this name. Raises StopIteration where there is none."""
        return next(source for source in self.sources if source.name == name)

    @property
    def watches(self) -> list[Watch]:
        """Return the tables in which changes are looked for."""
        return [watch for source in self.sources for watch in source.watches]

    @property
    def extras(self) -> tuple[Query, ...]:
        """Return the queries beside the catalogue that an installation may do without."""
        presence, enrolment = self.presence, self.enrolment
        single = (presence.days, *presence.moments, enrolment.since, enrolment.minutes)
        return (*(query for query in single if query is not None), *enrolment.deadlines.values())

    def required(self) -> set[sa.Column[object]]:
        """Return the columns without which nothing works."""
        of_sources = (columns_of(source.watches[0].select) for source in self.sources if not source.is_optional)
        people = (self.people.students, self.people.mentors, *self.people.links.values())
        return set().union(*of_sources, *map(columns_of, people))

    def wanted(self) -> set[sa.Column[object]]:
        """Return the columns that are read: those required, those of optional sources, and of titles."""
        optional = (source.watches[0].select for source in self.sources if source.is_optional)
        titles = (query for queries in self.catalogue.values() for query in queries)
        return self.required().union(*map(columns_of, (*optional, *titles)))


def columns_of(query: Query) -> set[sa.Column[object]]:
    """Return the columns of tables that a query reads, under whatever name it has given the tables."""
    return set(_columns(query))


def _columns(query: Query) -> Iterator[sa.Column[object]]:
    for element in (*query.selected_columns, *visitors.iterate(query)):
        if isinstance(element, sa.Column):
            of_alias = isinstance(element.table, sa.Alias)
            yield element.table.element.c[element.name] if of_alias else element  # type: ignore[attr-defined]
