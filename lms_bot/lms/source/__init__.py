"""What a declaration of an LMS says: its sources of events, their details, and whatever else can be read there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.lms.source.queries import (
    NOW,
    AcademicQueries,
    EnrolmentQueries,
    PeopleQueries,
    PresenceQueries,
    Query,
    columns_of,
)
from lms_bot.lms.source.tracked import Expression, Field, Tracked, Watch

__all__ = [
    "NOW",
    "AcademicQueries",
    "Counts",
    "Detail",
    "EnrolmentQueries",
    "Expression",
    "Field",
    "Mirror",
    "PeopleQueries",
    "PresenceQueries",
    "Query",
    "Results",
    "Schema",
    "Source",
    "Title",
    "Tracked",
    "Watch",
    "columns_of",
    "states",
]


RESULTS: Mapping[str, EventType] = {
    **dict.fromkeys(("pass", "passed"), EventType.EXAM_PASSED),
    **dict.fromkeys(("fail", "failed"), EventType.EXAM_FAILED),
}


def states(**words: str) -> dict[str, EventType | None]:
    """Return what words for a state mean, from the words by the type of the event that they state; `none` is no event.

    Raises ValueError for what is no type of event.
    """
    means = {kind: None if kind == "none" else EventType(kind) for kind in words}
    return {word: means[kind] for kind, text in words.items() for word in text.split()}


@dataclass(frozen=True, slots=True)
class Title:
    """A text of the catalogue: the one that `catalogue` has for an id of the row."""

    catalogue: str
    id: Field


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
class Source(Tracked):
    """A table whose rows state events, whose name is `source_table` in the store.

    * `letter` stands before its events' numbers.
    * `states` are the LMS's words for a state, in lower case, and the event that each states, or None; where that is
      exam_completed, `results` say by the word in `result` whether it is a better known one. Where it is
      content_progress, `progress` holds the percentage that the student has come to.
    * `turn` numbers the facts that one row states one after the other, from 0.
    * `is_final` is true of a row that comes to no other outcome by itself, though its event is no final one.
    * `started` and `ended` have those moments: the first of them that holds one counts. What began
      before the moment in `enrolled` came with the student, as a copy, and is history.
    * `facts`, `titles`, `times` and `durations` (in seconds) become metadata, by its key; `title` names the catalogue
      with the activity's own, which else has the name of the column of activities.
    * A number in one of the `bands` counts as the highest of these steps that it has come to.
    """

    letter: str
    student: Field
    username: Field | None = None
    activity: Field
    title: str | None = None
    state: Field = "state"
    states: Mapping[str, EventType | None]
    result: Field | None = None
    results: Mapping[str, EventType] = field(default_factory=lambda: RESULTS)
    progress: Field | None = None
    turn: Field | None = None
    is_final: Field | None = None
    started: tuple[Field, ...] = ()
    ended: tuple[Field, ...] = ()
    enrolled: Field | None = None
    facts: Mapping[str, Field] = field(default_factory=dict)
    titles: Mapping[str, Title] = field(default_factory=dict)
    times: Mapping[str, Field] = field(default_factory=dict)
    durations: Mapping[str, Field] = field(default_factory=dict)
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mirrors: Mirror | None = None

    @property
    def names(self) -> str:
        """Return the name of the catalogue with the names of activities."""
        return self.title or str(self.activity)

    @property
    def catalogues(self) -> set[str]:
        """Return the names of the catalogues with the texts of its events."""
        of_mirror = {self.mirrors.exams} if self.mirrors else set()
        return {self.names, *(title.catalogue for title in self.titles.values()), *of_mirror}

    @property
    def fields(self) -> Sequence[Field | None]:
        single = (self.student, self.username, self.activity, self.state, self.result, self.progress, self.turn)
        several = (*self.facts.values(), *self.times.values(), *self.durations.values())
        texts = (title.id for title in self.titles.values())
        return (*single, self.is_final, self.enrolled, *self.started, *self.ended, *several, *texts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detail(Tracked):
    """A table whose rows say more about a student than an event can."""

    student: Field
    is_optional: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results(Detail):
    """A table of the results of parts of attempts: of a subject, or of a level of difficulty, as `dimension` says.

    `attempt` is the id of an attempt of the source `exam_source`, made by `student`, or by `username` where that has
    none. `label` names the part; the others are numbers of questions.
    """

    exam_source: str
    attempt: Field
    username: Field | None = None
    dimension: str
    label: Field
    correct: Field
    incorrect: Field
    unanswered: Field
    total: Field

    @property
    def fields(self) -> Sequence[Field | None]:
        counts = (self.correct, self.incorrect, self.unanswered, self.total)
        return (self.student, self.username, self.attempt, self.label, *counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts(Detail):
    """A table of what the LMS itself counts of a student up to a `day`; the newest one counts.

    The `counts` are current_streak, highest_streak, videos, exams, downloads and conferences, as far as there are any.
    """

    day: Field
    counts: Mapping[str, Field]

    @property
    def fields(self) -> Sequence[Field | None]:
        return (self.student, self.day, *self.counts.values())


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """An LMS as it is declared.

    Each query in `catalogue` gives an id and a text, the first one of an id counting; they may be missing, as may
    `presence`, `enrolment`, `details` and `academics`: what an installation does not have, or does not show us, is done
    without. Where texts have markup, it is taken out. `urls` are the pages of an event by its source's name, and
    `student` is a student's, below the LMS's own address; in braces they name fields of the event, or keys of its
    metadata.
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
        of_sources = (columns_of(source.watches[0].select()) for source in self.sources if not source.is_optional)
        people = (self.people.students, self.people.mentors, *self.people.links.values())
        return set().union(*of_sources, *map(columns_of, people))

    def wanted(self) -> set[sa.Column[object]]:
        """Return the columns that are read: those required, those of optional sources, and of titles."""
        optional = (source.watches[0].select() for source in self.sources if source.is_optional)
        titles = (query for queries in self.catalogue.values() for query in queries)
        return self.required().union(*map(columns_of, (*optional, *titles)))
