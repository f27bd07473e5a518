"""An LMS as it is declared: its sources of events, their details, and whatever else can be read there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from lms_bot.lms.source.details import Detail
from lms_bot.lms.source.queries import (
    AcademicQueries,
    EnrolmentQueries,
    PeopleQueries,
    PresenceQueries,
    Query,
    columns_of,
)
from lms_bot.lms.source.sources import Source
from lms_bot.lms.source.tracked import Watch


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """An LMS as it is declared.

    Each query in `catalogue` gives an id and a text, the first one of an id that says something counting; they may be
    missing, as may `presence`, `enrolment`, `details` and `academics`: what an installation does not have, or does not
    show us, is done without. Where texts have markup, it is taken out. `urls` are the pages of an event by its source's
    name, and `student` is a student's, below the LMS's own address; in braces they name fields of the event, or keys
    of its metadata.
    """

    name: str
    sources: tuple[Source, ...]
    catalogue: Mapping[str, tuple[Query, ...]]
    people: PeopleQueries
    presence: PresenceQueries = field(default_factory=PresenceQueries)
    enrolment: EnrolmentQueries = field(default_factory=EnrolmentQueries)
    details: tuple[Detail, ...] = ()
    academics: AcademicQueries = field(default_factory=AcademicQueries)
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
    def detail_watches(self) -> list[Watch]:
        """Return the tables in which changes of details are looked for."""
        return [watch for detail in self.details for watch in detail.watches]

    @property
    def extras(self) -> tuple[Query, ...]:
        """Return the queries beside the catalogue that an installation may do without."""
        presence, enrolment = self.presence, self.enrolment
        single = (presence.days, *presence.moments, enrolment.since, enrolment.minutes, self.people.supervisors)
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
