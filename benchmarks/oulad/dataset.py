"""Reads a folder with tables of the dataset, whatever presentations they are of."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

NEVER = 10**6  # a day that does not come
BAD = ("fail", "withdrawn")
Course = tuple[str, str]
"""A module, and a presentation of it."""


class Enrolment(NamedTuple):
    """A student of one presentation; days count from its start. `groups` are never an input, only compared."""

    course: Course
    student: str
    is_bad: bool
    registered: int
    unregistered: int
    groups: Mapping[str, str]


class Assessment(NamedTuple):
    """Something to hand in, until a day if there is one."""

    course: Course
    due_day: int | None
    title: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """The tables of a folder; of what is many, it is read when it is asked for."""

    folder: Path
    enrolments: tuple[Enrolment, ...]
    assessments: Mapping[str, Assessment]

    @classmethod
    def read(cls, folder: Path) -> Dataset:
        """Read who is enrolled, and what is to be handed in."""
        groups = ("gender", "imd_band", "disability")
        enrolments = tuple(
            Enrolment(
                (row["module"], row["presentation"]),
                row["student"],
                row["result"].strip().casefold() in BAD,
                whole(row.get("registered_day"), 0),
                whole(row.get("unregistered_day"), NEVER),
                {name: row.get(name) or "unknown" for name in groups},
            )
            for row in rows(folder, "students")
        )
        assessments = {
            row["assessment"]: Assessment(
                (row["module"], row["presentation"]),
                None if (due := whole(row.get("due_day"), NEVER)) == NEVER else due,
                f"{row['type']} {row['assessment']}",
            )
            for row in rows(folder, "assessments")
        }
        return cls(folder, enrolments, assessments)

    def activity(self) -> Iterator[tuple[Course, str, int]]:
        """Yield the days on which students used the platform, as (course, student, day)."""
        for row in rows(self.folder, "activity"):
            day = whole(row["day"], NEVER)
            if day != NEVER:
                yield (row["module"], row["presentation"]), row["student"], day

    def submissions(self) -> Iterator[tuple[str, str, int, float | None]]:
        """Yield what was handed in, as (student, assessment, day, score)."""
        for row in rows(self.folder, "submissions"):
            day = whole(row["day"], NEVER)
            if day != NEVER:
                yield row["student"], row["assessment"], day, _number(row.get("score"))


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table, gzipped or not."""
    path = folder / f"{name}.csv.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    else:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def whole(value: str | None, otherwise: int) -> int:
    """Return a day, which may stand there as 12 or 12.0, or what stands for none."""
    number = _number(value)
    return otherwise if number is None else int(number)


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value and value.strip() not in ("", "?") else None
    except ValueError:
        return None
