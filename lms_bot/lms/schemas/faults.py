"""Finds what is wrong with a declaration by looking at it alone, before any database is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lms_bot.core.events import EventType
from lms_bot.lms.source import Query, Schema, Source

_TAKEN = "as"  # the letters of alerts and of streaks
_PERSON = ("id", "username", "email", "first_name", "last_name", "display_name")


def faults(schema: Schema) -> list[str]:
    """Return what is wrong, in a sentence each."""
    found = [*_of_names(schema), *_of_people(schema)]
    for source in schema.sources:
        found += [f"source {source.name}: {fault}" for fault in (*_of_columns(source), *_of_titles(source, schema))]
    return found


def _of_names(schema: Schema) -> Iterator[str]:
    names = Counter(source.name for source in schema.sources)
    letters = Counter(source.letter for source in schema.sources)
    if not names:
        yield "it has no sources"
    yield from (f"two sources are named {name}" for name, times in names.items() if times > 1)
    yield from (f"two sources have the letter {letter!r}" for letter, times in letters.items() if times > 1)
    for letter in letters:
        if len(letter) != 1 or not "a" <= letter <= "z" or letter in _TAKEN:
            yield f"{letter!r} is no letter from b to z but s"
    for kind, known in (("deadlines", schema.enrolment.deadlines), ("urls", schema.urls)):
        yield from (f"{kind} name no source {name}" for name in known if name not in names and name != "student")


def _of_people(schema: Schema) -> Iterator[str]:
    wanted: tuple[tuple[str, Query, tuple[str, ...]], ...] = (
        ("students", schema.people.students, (*_PERSON, "is_active")),
        ("mentors", schema.people.mentors, _PERSON),
    )
    for who, query, names in wanted:
        given = {column.key for column in query.selected_columns}
        yield from (f"the query for {who} gives no {name}" for name in names if name not in given)
    for name, query in schema.people.links.items():
        if len(query.selected_columns) != 2:
            yield f"the links {name} are not two columns, a mentor's id and a student's"


def _of_columns(source: Source) -> Iterator[str]:
    given = {column.key for column in source.columns}
    one = (source.username, source.result, source.progress, source.turn, source.is_final, source.enrolled)
    named = [source.key, source.student, source.activity, source.state, *(name for name in one if name is not None)]
    several = (source.facts, source.times, source.durations)
    named += [*source.started, *source.ended, *source.bands, *(name for names in several for name in names.values())]
    named += [title.column for title in source.titles.values()]
    if source.mirrors:
        named += [source.mirrors.key, source.mirrors.column]
    yield from (f"there is no column {name}" for name in dict.fromkeys(named) if name not in given)
    if EventType.CONTENT_PROGRESS in source.states.values() and source.progress is None:
        yield "a state is content_progress, but progress names no column"
    if unheard := [word for word in source.states if word != word.strip().casefold()]:
        yield f"the state {unheard[0]!r} is not in lower case"
    yield from (f"the part {part.name} is not among its joins" for part in source.parts if part not in source.joins)


def _of_titles(source: Source, schema: Schema) -> Iterator[str]:
    named = [source.title, *(title.catalogue for title in source.titles.values())]
    if source.mirrors:
        named.append(source.mirrors.exams)
    yield from (f"there is no catalogue {name}" for name in dict.fromkeys(named) if name not in schema.catalogue)
