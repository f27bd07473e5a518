"""Plays the life of a Moodle into a database, transaction by transaction, and reads what truly happened there."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

Change = dict[str, Any]
"""A row that was inserted, updated or deleted, as the README beside the data says."""


class Step(NamedTuple):
    """What one transaction changed, and when."""

    number: int
    at: datetime
    changes: list[Change]


class Site:
    """The data of a site in a folder: its tables, its start, every change, and the truth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, engine: sa.Engine) -> None:
        """Make the tables, and the site as it was when it was set up."""
        is_postgresql = engine.dialect.name == "postgresql"
        schema, start = ((self._folder / name).read_text("utf-8") for name in ("schema.sql", "start.sql"))
        statements = [*_statements(schema), *(one for one in _statements(start) if one.startswith("INSERT"))]
        with engine.begin() as connection:
            for number, statement in enumerate(statements):
                named = re.sub(r"^CREATE (UNIQUE )?INDEX ON", rf"CREATE \1INDEX i{number} ON", statement)
                here = named.replace("public.", "")
                if not is_postgresql and " INDEX " in here:
                    continue  # of texts without a length, which other servers do not index
                connection.exec_driver_sql(here.replace("%", "%%") if is_postgresql else here)

    def steps(self) -> Iterator[Step]:
        """Give what happened, transaction by transaction."""
        packed, plain = self._folder / "changes.jsonl.gz", self._folder / "changes.jsonl"
        with gzip.open(packed, "rt", encoding="utf-8") if packed.exists() else plain.open(encoding="utf-8") as file:
            changes = [json.loads(line) for line in file]
        for (number, at), together in groupby(changes, key=itemgetter("tx", "t")):
            yield Step(number, datetime.fromtimestamp(at, UTC), list(together))

    def truth(self) -> Truth:
        """What truly happened."""
        lines = (self._folder / "truth.jsonl").read_text("utf-8").splitlines()
        return Truth([json.loads(line) for line in lines])


class Truth:
    """What truly happened, in order, and which events a reader makes of it."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self._lines = lines

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self._lines if line["kind"] == kind]

    def copies(self) -> set[int]:
        """The attempts that came with a restored course."""
        return {attempt for line in self.of_kind("course_restored") for attempt in line["attempts"]}

    def deleted(self) -> set[int]:
        """The attempts that are gone in the end."""
        of_modules = {attempt for line in self.of_kind("module_deleted") for attempt in line["attempts"]}
        return of_modules | {line["attempt"] for line in self.of_kind("exam_attempt_deleted")}

    def previews(self) -> set[int]:
        return {line["attempt"] for line in self.of_kind("preview_started")}

    def attempts(self) -> dict[tuple[str, int], list[str]]:
        """The start of each attempt at a quiz, and each outcome that it came to."""
        found: dict[tuple[str, int], list[str]] = {}
        for line in self._lines:
            if line["kind"] == "exam_started":
                found["quiz_attempts", line["attempt"]] = ["exam_started"]
            elif line.get("state") == "finished" and line["preview"] == 0:
                outcome = {"pass": "exam_passed", "fail": "exam_failed", None: "exam_completed"}
                kinds = found["quiz_attempts", line["attempt"]]
                if kinds[-1] != outcome[line["attempt_result"]]:
                    kinds.append(outcome[line["attempt_result"]])
        return found

    def completions(self, of_exams: set[int]) -> dict[tuple[str, int], list[str]]:
        """Each time that something but an exam was completed, without what a restored course brought."""
        restored = [line["t"] for line in self.of_kind("course_restored")]
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for line in self.of_kind("completion"):
            is_copy = line["t"] in restored and line["from"] is None
            if line["cm"] not in of_exams and not line["from"] and line["to"] and not is_copy:
                found["course_modules_completion", line["row"]].append("content_completed")
        return dict(found)

    def views(self) -> set[tuple[int, int]]:
        """Who looked at what, as (student, course module)."""
        return {(line["user"], line["cm"]) for line in self.of_kind("content_viewed")}

    def courses(self) -> dict[tuple[str, int], list[str]]:
        restored = [line["t"] for line in self.of_kind("course_restored")]
        done = (line["row"] for line in self.of_kind("course_completed") if line["t"] not in restored)
        return {("course_completions", row): ["certification_issued"] for row in done}

    def badges(self) -> dict[tuple[str, int], list[str]]:
        return {("badge_issued", line["row"]): ["certification_issued"] for line in self.of_kind("badge_issued")}

    def assignments(self) -> dict[tuple[int, int], list[str]]:
        """What became of the work of each (student, assignment)."""
        found: dict[tuple[int, int], list[str]] = defaultdict(list)
        for line in self._lines:
            if line["kind"] == "assignment_submitted":
                found[line["user"], line["assign"]].append("exam_completed")
            elif line["kind"] == "assignment_graded":
                outcome = "exam_passed" if line["grade"] >= line["gradepass"] else "exam_failed"
                if found[line["user"], line["assign"]][-1] != outcome:
                    found[line["user"], line["assign"]].append(outcome)
        return dict(found)


def play(engine: sa.Engine, step: Step, tables: dict[str, sa.Table]) -> None:
    """Change what a transaction of the site changed, inside a savepoint, as Moodle does."""
    with engine.begin() as connection, connection.begin_nested():
        for change in step.changes:
            table = tables[change["table"]]
            row = table.c.id == change["id"] if "id" in change else sa.true()
            if change["op"] == "insert":
                connection.execute(sa.insert(table).values(change["row"]))
            elif change["op"] == "delete":
                connection.execute(sa.delete(table).where(row))
            elif change["set"]:
                connection.execute(sa.update(table).where(row).values(change["set"]))
            else:
                connection.execute(sa.update(table).where(row).values(id=table.c.id))


def tables_of(engine: sa.Engine) -> dict[str, sa.Table]:
    """The tables of a database, by name."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return dict(metadata.tables)


def _statements(text: str) -> list[str]:
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [one.strip() for one in re.split(r";\s*\n", without_comments) if one.strip()]
