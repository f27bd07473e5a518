"""Chooses where the links between mentors and students come from, and reads those that stand in a file."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from lms_bot.core.people import Mentor, Student, folded_email
from lms_bot.errors import ConfigError, LmsUnavailable
from lms_bot.lms.schemas.tables import Id
from lms_bot.lms.source import Query, Schema

log = logging.getLogger(__name__)

ALL = "all"
_TABLE = re.compile(r"(\w+)(?::(\w+):(?!\2\Z)(\w+))?")  # two columns, never one twice
_HEAD = ("mentor", "student")

Link = tuple[int, int]
"""A mentor's id and a student's."""


def choose_links(schema: Schema, chosen: Sequence[str]) -> tuple[Schema, LinkFiles]:
    """Return the schema with the chosen links alone, and the files that have others.

    `all` is all that the schema declares, and a name one of them; `table:NAME`, or `table:NAME:MENTOR:STUDENT` with the
    names of its columns, is a table of ids, and `csv:PATH` a file. Raises ConfigError for anything else.
    """
    declared = schema.people.links
    queries: dict[str, Query] = {}
    files = []
    for word in chosen or [ALL]:
        kind, _, rest = word.partition(":")
        if word == ALL:
            queries |= declared
        elif word in declared:
            queries[word] = declared[word]
        elif kind == "table" and (named := _TABLE.fullmatch(rest)):
            queries[word] = _of_table(named[1], named[2] or "mentor_id", named[3] or "student_id")
        elif kind == "csv" and rest:
            files.append(Path(rest))
        else:
            allowed = ", ".join([ALL, *declared, "table:NAME", "csv:PATH"])
            raise ConfigError(f"lms_mentors names {word!r}: with lms_schema = {schema.name}, allowed are {allowed}.")
    if not queries and not files:
        raise ConfigError(
            f"lms_schema = {schema.name} knows no links to mentors: name a table or a file in lms_mentors."
        )
    return replace(schema, people=replace(schema.people, links=queries)), LinkFiles(files)


def _of_table(name: str, mentor: str, student: str) -> Query:
    table = sa.Table(name, sa.MetaData(), sa.Column(mentor, Id()), sa.Column(student, Id()))
    return sa.select(*table.c)


class LinkFiles:
    """Files of links, with a line for each: the columns `mentor` and `student` hold an id, a username or an address.

    Remembers who is called what, so that a file can be read again without reading everybody.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._mentors: Mapping[str, int | None] = {}
        self._students: Mapping[str, int | None] = {}

    @property
    def needs_people(self) -> bool:
        """Return whether the files can be read only once it is known who is called what."""
        return bool(self._paths) and not self._mentors

    def know(self, mentors: Iterable[Mentor], students: Iterable[Student]) -> None:
        """Remember who is called what."""
        if self._paths:
            self._mentors = _by_name((one.mentor_id, one.username, one.email) for one in mentors)
            self._students = _by_name((one.student_id, one.username, one.email) for one in students)

    def read(self) -> frozenset[Link]:
        """Return the links in all files, without those of people who are not known.

        Raises LmsUnavailable where a file cannot be read: who lost all links would lose what waits for them, too.
        """
        return frozenset(link for path in self._paths for link in self._read(path))

    def _read(self, path: Path) -> Iterator[Link]:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file, skipinitialspace=True)
                if missing := [name for name in _HEAD if name not in (rows.fieldnames or ())]:
                    raise LmsUnavailable(f"the file of links {path} has no column {missing[0]}")
                pairs = [(row["mentor"], row["student"]) for row in rows]
        except (OSError, ValueError, csv.Error) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no table in UTF-8"
            raise LmsUnavailable(f"the file of links {path} cannot be read: {why}") from error
        found = [
            (self._mentors.get(_folded(mentor)), self._students.get(_folded(student))) for mentor, student in pairs
        ]
        known = [(mentor, student) for mentor, student in found if mentor is not None and student is not None]
        if len(known) < len(pairs):
            log.warning("%d lines of %s name nobody whom the LMS has, or several", len(pairs) - len(known), path)
        yield from known


def _by_name(people: Iterable[tuple[int, str, str | None]]) -> dict[str, int | None]:
    """Return ids by everything that people are called; a name of several people is nobody's, and an id comes first."""
    named: dict[str, int | None] = {}
    ids: dict[str, int | None] = {}
    for person, username, address in people:
        ids[str(person)] = person
        for name in {_folded(username), _folded(address)} - {""}:
            named[name] = None if name in named else person
    return named | ids


def _folded(name: str | None) -> str:
    return folded_email(name or "")
