"""Finds what is wrong with a declaration by looking at it alone, before any database is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lms_bot.core.events import EventType
from lms_bot.core.sync.studies import COUNTED, DIMENSIONS
from lms_bot.lms.source import Counts, Query, Results, Schema, Source

_TAKEN = "as"  # the letters of alerts and of streaks
_LONGEST_NAME = 28  # the store keeps names of 32, of parts with their number
_PERSON = ("id", "username", "email", "first_name", "last_name", "display_name")


def faults(schema: Schema) -> list[str]:
    """Return what is wrong, in a sentence each."""
    found = [*_of_names(schema), *_of_people(schema)]
    for source in schema.sources:
        found += [f"source {source.name}: {fault}" for fault in (*_of_columns(source), *_of_titles(source, schema))]
    return [*found, *_of_details(schema), *_of_academics(schema)]


def _of_details(schema: Schema) -> Iterator[str]:
    sources = {source.name for source in schema.sources}
    names = Counter([*sources, *(detail.name for detail in schema.details)])
    yield from (
        f"detail {name}: a source or another detail has that name" for name, times in names.items() if times > 1
    )
    for detail in schema.details:
        if len(detail.name) > _LONGEST_NAME:
            yield f"detail {detail.name}: its name has more than {_LONGEST_NAME} characters"
        named = dict.fromkeys(one for one in (detail.key, *detail.fields) if isinstance(one, str))
        missing = [name for name in named if name not in detail.table.c]
        yield from (f"detail {detail.name}: there is no column {name}" for name in missing)
        if not missing and len(detail.watches[0].select.get_final_froms()) > 1:
            yield f"detail {detail.name}: something is read from a table that is not among its joins"
        if isinstance(detail, Results) and detail.exam_source not in sources:
            yield f"detail {detail.name}: there is no source {detail.exam_source}"
        if isinstance(detail, Results) and detail.dimension not in DIMENSIONS:
            yield f"detail {detail.name}: {detail.dimension!r} is none of {', '.join(DIMENSIONS)}"
        if isinstance(detail, Counts) and (unknown := sorted(detail.counts.keys() - COUNTED)):
            yield f"detail {detail.name}: it counts {', '.join(unknown)}, which nobody asks for"


def _of_academics(schema: Schema) -> Iterator[str]:
    sources = {source.name for source in schema.sources}
    yield from (f"items name no source {name}" for name in schema.academics.items if name not in sources)
    yield from (f"quizzes name no source {name}" for name in schema.academics.quizzes if name not in sources)
    lessons = schema.academics.lesson_source
    if lessons is not None and lessons not in schema.academics.items:
        yield f"the source of lessons {lessons} has no items"
    for name, query in schema.academics.named.items():
        width = 3 if name.startswith("items of ") else 2
        if len(query.selected_columns) != width:
            yield f"the query for {name} does not give {width} columns"


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
    yield from (
        f"the name {name!r} has more than {_LONGEST_NAME} characters" for name in names if len(name) > _LONGEST_NAME
    )
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
    single = (source.student, source.username, source.activity, source.state, source.result, source.progress)
    several = (source.facts, source.times, source.durations)
    fields = [source.key, *single, source.turn, source.is_final, source.enrolled, *source.started, *source.ended]
    fields += [*source.bands, *(one for named in several for one in named.values())]
    fields += [title.id for title in source.titles.values()]
    if source.mirrors:
        fields += [source.mirrors.key, source.mirrors.column]
    named = dict.fromkeys(one for one in fields if isinstance(one, str))
    missing = [name for name in named if name not in source.table.c]
    yield from (f"there is no column {name}" for name in missing)
    if not missing and len(source.watches[0].select.get_final_froms()) > 1:
        yield "something is read from a table that is not among its joins"
    if EventType.CONTENT_PROGRESS in source.states.values() and source.progress is None:
        yield "a state is content_progress, but progress says no percentage"
    words = (*source.states, *source.results)
    yield from (f"the word {word!r} is not in lower case" for word in words if word != word.strip().casefold())
    for part in source.parts:
        if part not in source.joins:
            yield f"the part {part.name} is not among its joins"
        if source.key not in part.c:
            yield f"the part {part.name} has no column {source.key}"


def _of_titles(source: Source, schema: Schema) -> Iterator[str]:
    named = [source.names, *(title.catalogue for title in source.titles.values())]
    if source.mirrors:
        named.append(source.mirrors.exams)
    yield from (f"there is no catalogue {name}" for name in dict.fromkeys(named) if name not in schema.catalogue)
