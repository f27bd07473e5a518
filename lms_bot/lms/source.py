"""What a declaration of an LMS says: its sources of events, its people, and whatever else can be read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from lms_bot.core.events import EventType
from lms_bot.db.lists import in_list
from lms_bot.lms.snapshot import in_blocks, written_since

NOW = sa.bindparam("now", type_=sa.BigInteger)
"""The present moment in seconds since 1970, for queries about people and enrolment."""

Query = sa.Select[Any]
Expression = sa.ColumnElement[Any]
Field = str | Expression
"""Something of a row: a column of its table by name, or an expression over that table and those joined to it."""


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
class Source:
    """A table whose rows state events, and the fields of these rows.

    * `name` is the source's stable word in the store (`source_table`), `letter` stands before its events' numbers.
    * `joins` are other tables by what they are joined on, each row of which may be missing. Those of the `parts` hold a
      part of the row, under a `key` of their own: a change there is a change of the row. What other tables say is read
      along with a change, and is none by itself.
    * Rows of which `only` is not true are none of ours.
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
    * A source that `is_optional` may be missing from an installation.
    """

    name: str
    letter: str
    table: sa.Table
    key: str = "id"
    joins: Mapping[sa.FromClause, sa.ColumnElement[bool]] = field(default_factory=dict)
    parts: tuple[sa.Table, ...] = ()
    only: sa.ColumnElement[bool] | None = None
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
    is_optional: bool = False

    @property
    def key_column(self) -> sa.Column[int]:
        return self.table.c[self.key]

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
    def own_columns(self) -> list[sa.ColumnElement[Any]]:
        """Return the columns whose change is a change of the row: the table's, and those of its parts."""
        of_parts = (column.label(f"{part.name}.{column.name}") for part in self.parts for column in part.c)
        return [*self.table.c, *of_parts]

    @property
    def columns(self) -> list[sa.ColumnElement[Any]]:
        """Return all columns that are read, whether the row is ours as the last."""
        others = (expression.label(f"field_{place}") for place, expression in enumerate(self._expressions()))
        is_ours = [] if self.only is None else [self.only.label("is_ours")]
        return [*self.own_columns, *others, *is_ours]

    def place(self, wanted: Field) -> int:
        """Return where a field is in a row with all columns. Raises KeyError and ValueError where it is in none."""
        if isinstance(wanted, str):
            return list(self.table.c).index(self.table.c[wanted])
        return len(self.own_columns) + [id(one) for one in self._expressions()].index(id(wanted))

    def _expressions(self) -> list[sa.ColumnElement[Any]]:
        """Return the fields that are no columns of the table, each once."""
        single = (self.student, self.username, self.activity, self.state, self.result, self.progress, self.turn)
        several = (*self.facts.values(), *self.times.values(), *self.durations.values())
        texts = (title.id for title in self.titles.values())
        fields = (*single, self.is_final, self.enrolled, *self.started, *self.ended, *several, *texts)
        return list({id(one): one for one in fields if one is not None and not isinstance(one, str)}.values())

    @property
    def watches(self) -> list[Watch]:
        """Return what is watched for changes: the table, and each part."""
        parts = (Watch(f"{self.name}.{place}", self, part) for place, part in enumerate(self.parts, 1))
        return [Watch(self.name, self, self.table), *parts]


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """A table in which changes of a source's rows are looked for; `name` is that of its cursor in the store."""

    name: str
    source: Source
    table: sa.Table

    @property
    def key_column(self) -> sa.Column[int]:
        return self.table.c[self.source.key]

    @property
    def is_part(self) -> bool:
        """It holds a part of each row only, under a key of its own."""
        return self.table is not self.source.table

    def select(self) -> Query:
        """Return the query for all columns of the source's rows; where it is a part, its own key comes last."""
        source, joins = self.source, dict(self.source.joins)
        columns = [*source.columns, self.key_column.label("watched_key")] if self.is_part else source.columns
        joined: sa.FromClause = self.table
        if self.is_part:
            joined = joined.join(source.table, joins.pop(self.table))
        for table, on in joins.items():
            joined = joined.outerjoin(table, on)
        return sa.select(*columns).select_from(joined)

    def rows_above(self, key: int, limit: int) -> Query:
        """Return the query for the next rows above a key of the watched table."""
        return self.select().where(self.key_column > key).order_by(self.key_column).limit(limit)

    def rows_by_key(self, ids: Sequence[int], dialect: str) -> Query:
        """Return the query for rows of the source by their own keys."""
        return self.select().where(in_list(self.source.key_column, ids, dialect))

    def rows_in_blocks(self, first: int, end: int, since: int | None) -> Query:
        """Return the query for rows in these blocks of the table, written by transaction `since` or a later one."""
        query = self.select().where(in_blocks(self.table, first, end))
        return query if since is None else query.where(written_since(self.table, since))


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
        of_sources = (columns_of(source.watches[0].select()) for source in self.sources if not source.is_optional)
        people = (self.people.students, self.people.mentors, *self.people.links.values())
        return set().union(*of_sources, *map(columns_of, people))

    def wanted(self) -> set[sa.Column[object]]:
        """Return the columns that are read: those required, those of optional sources, and of titles."""
        optional = (source.watches[0].select() for source in self.sources if source.is_optional)
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
