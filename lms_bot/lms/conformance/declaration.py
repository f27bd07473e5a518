"""Looks whether a declaration agrees with itself, without any database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lms_bot.core.events import EventType
from lms_bot.lms.conformance.findings import Finding, failed, ok
from lms_bot.lms.source import Field, Schema, Source


def check(schema: Schema) -> Iterator[Finding]:
    """Say what contradicts itself, or that nothing does."""
    found = list(problems(schema))
    yield from (failed("schema", problem, "correct the declaration") for problem in found)
    if not found:
        names = ", ".join(f"{source.name} ({source.letter})" for source in schema.sources)
        yield ok("schema", f"{schema.name} declares {names}")


def problems(schema: Schema) -> Iterator[str]:
    """Give in a sentence each what in a declaration contradicts itself."""
    names = [watch.name for watch in schema.watches]
    for kind, words in (("name", names), ("letter", [source.letter for source in schema.sources])):
        yield from (f"several sources have the {kind} {one!r}" for one, times in Counter(words).items() if times > 1)
    for source in schema.sources:
        yield from (f"{source.name}: {problem}" for problem in _of_source(source, schema))
    for where, named in (("deadlines", schema.enrolment.deadlines), ("urls", schema.urls)):
        strangers = set(named) - {"student", *(source.name for source in schema.sources)}
        yield from (f"{where} name {one!r}, which is no source" for one in sorted(strangers))


def _of_source(source: Source, schema: Schema) -> Iterator[str]:
    yield from (f"the part {part.name} is not joined" for part in source.parts if part not in source.joins)
    tables = (source.table, *source.parts)
    without_key = [table.name for table in tables if source.key not in table.c]
    yield from (f"the key {source.key!r} is no column of {name}" for name in without_key)
    unknown = {field for field in _fields(source) if isinstance(field, str)} - set(source.table.c.keys())
    yield from (f"{field!r} is no column of {source.table.name}" for field in sorted(unknown))
    catalogues = {source.names, *(title.catalogue for title in source.titles.values())}
    catalogues |= {source.mirrors.exams} if source.mirrors else set()
    yield from (f"{name!r} is nothing in the catalogue" for name in sorted(catalogues - schema.catalogue.keys()))
    words = {*source.states, *source.results}
    yield from (f"the word {one!r} is never found: not in lower case" for one in sorted(words) if one != _folded(one))
    if EventType.CONTENT_PROGRESS in source.states.values() and source.progress is None:
        yield "it states content_progress, and no column says how far the student has come"


def _fields(source: Source) -> Iterable[Field | None]:
    """Return the fields of a source's rows; those that are texts are to be columns of its table."""
    single = (source.student, source.username, source.activity, source.state, source.result, source.progress)
    mirror = (source.mirrors.key, source.mirrors.column) if source.mirrors else ()
    titles = (title.id for title in source.titles.values())
    kept = (*source.facts.values(), *source.times.values(), *source.durations.values(), *source.bands)
    of_time = (*source.started, *source.ended, source.enrolled)
    return (*single, source.turn, source.is_final, *of_time, *titles, *kept, *mirror)


def _folded(word: str) -> str:
    return word.strip().casefold()
