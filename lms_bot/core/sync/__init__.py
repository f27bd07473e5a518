"""What a sync with the LMS came to: what changed, what cannot be quite right, and how far apart both are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

KINDS = ("students", "mentors", "links", "academics")  # of what is kept in sync, in the order in which they are told
FUTURE = timedelta(days=1)  # so far ahead of us a moment may be, whatever zone it was in


class Problem(StrEnum):
    """Why a row cannot be quite right; it is kept and counted all the same."""

    PERCENTAGE = "percentage"
    FUTURE = "future"
    SAME_EMAIL = "same_email"
    SAME_USERNAME = "same_username"
    UNKNOWN_MENTOR = "unknown_mentor"
    UNKNOWN_STUDENT = "unknown_student"
    UNKNOWN_ATTEMPT = "unknown_attempt"
    UNKNOWN_BATCH = "unknown_batch"
    UNKNOWN_COURSE = "unknown_course"

    @property
    def said(self) -> str:
        """Return what is wrong, as a sentence goes on after the row."""
        return _SAID[self]


_SAID = {
    Problem.PERCENTAGE: "a percentage outside 0 to 100",
    Problem.FUTURE: "a time in the future",
    Problem.SAME_EMAIL: "two people with one e-mail address",
    Problem.SAME_USERNAME: "two people with one username",
    Problem.UNKNOWN_MENTOR: "a mentor whom the LMS does not have",
    Problem.UNKNOWN_STUDENT: "a student whom the LMS does not have",
    Problem.UNKNOWN_ATTEMPT: "an attempt that is not known",
    Problem.UNKNOWN_BATCH: "a batch that the LMS does not have",
    Problem.UNKNOWN_COURSE: "a course that the LMS does not have",
}


class Conflict(NamedTuple):
    """A row that cannot be quite right, and what it holds."""

    source_table: str
    source_id: int
    problem: Problem
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were read, and how many of ours were added, changed and removed for that."""

    read: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.read + other.read,
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
        )

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing was other than it was."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync of one kind came to, in how many seconds; the conflicts are those that stand now."""

    changes: Changes = field(default_factory=Changes)
    conflicts: tuple[Conflict, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync came to, by kind."""

    students: Synced
    mentors: Synced
    links: Synced
    academics: Synced

    @property
    def kinds(self) -> dict[str, Synced]:
        """Return the kinds by their names."""
        return {name: getattr(self, name) for name in KINDS}

    def as_json(self) -> dict[str, Any]:
        """Return the result as it is given to programs."""
        return {
            name: {
                **asdict(kind.changes),
                "conflicts": [conflict._asdict() for conflict in kind.conflicts],
                "seconds": round(kind.seconds, 3),
            }
            for name, kind in self.kinds.items()
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the store is from the LMS in what was compared: rows that it lacks, has too many, or has otherwise."""

    compared: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0

    def __add__(self, other: Drift) -> Drift:
        return Drift(
            self.compared + other.compared,
            self.missing + other.missing,
            self.extra + other.extra,
            self.different + other.different,
        )

    @property
    def distance(self) -> int:
        """Return how many rows are not the same; 0 is the goal."""
        return self.missing + self.extra + self.different

    @classmethod
    def of(cls, changes: Changes) -> Drift:
        """Return the drift that these changes have mended."""
        return cls(changes.read, changes.added, changes.removed, changes.changed)
