"""What the store knows of one student's studies, from which every figure is reckoned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.streaks import Streak

MOST_EVENTS = 100  # that are named as evidence
SUBJECT, DIFFICULTY = "subject", "difficulty"  # of what a result is a part

Moment = tuple[int, datetime]
"""An event's id and its time."""


class Evidence(NamedTuple):
    """What a figure rests on: `n` events, the first and the last moment that is known of them, and the newest ids."""

    n: int
    period: tuple[datetime, datetime] | None
    event_ids: tuple[int, ...]


NOTHING_FOUND = Evidence(0, None, ())


class Finished(NamedTuple):
    """A finished exam that still stands."""

    event_id: int
    at: datetime
    source_table: str
    activity_id: int | None
    percentage: float | None


class Standing(NamedTuple):
    """A student's best percentage in one exam, and how many of those who took it did worse in theirs."""

    source_table: str
    activity_id: int
    best: float
    took: int
    below: int


class Group(Enum):
    """With whom a student is compared: their batches; everybody, where the LMS has no batches; else nobody."""

    BATCH = "of the batch"
    EVERYBODY = "of all who took it"
    NOBODY = "of nobody"


class Batch(NamedTuple):
    """A batch to which a student belongs."""

    batch_id: int
    name: str | None


class PartResult(NamedTuple):
    """What a finished exam came to in one subject, or at one level of difficulty."""

    dimension: str
    label: str
    event_id: int
    at: datetime
    correct: int
    incorrect: int
    unanswered: int
    total: int


class Watching(NamedTuple):
    """That a video was watched; `video` is the same text for all that are one video."""

    event_id: int
    at: datetime
    video: str


class Sitting(NamedTuple):
    """Content that was finished, and when it had been opened."""

    event_id: int
    at: datetime
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """How much of a course a student has done, and the median percentage of those who take it with them.

    `takers` are how many are compared, the student among them; `median` is None where they are too few, and
    `last_activity` where nothing of the course has a known time.
    """

    course_id: int
    title: str | None
    done: int
    items: int
    takers: int = 1
    median: float | None = None
    last_activity: datetime | None = None

    @property
    def percentage(self) -> float | None:
        """Return the share that is done, in percent; None for a course of which no items are known."""
        return 100 * self.done / self.items if self.items else None

    def as_json(self) -> dict[str, object]:
        return {
            "course_id": self.course_id,
            "title": self.title,
            "done": self.done,
            "items": self.items,
            "percentage": self.percentage,
            "median": self.median,
            "takers": self.takers,
            "last_activity": None if self.last_activity is None else self.last_activity.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class LearningStreaks:
    """A student's learning streak now and their longest (None where there is none), with what was finished in each."""

    current: Streak | None
    longest: Streak | None
    in_current: Evidence = NOTHING_FOUND
    in_longest: Evidence = NOTHING_FOUND


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a student's figures are reckoned from, newest first; `read_at` is when the LMS was last read."""

    exams: tuple[Finished, ...]
    group: Group
    standings: tuple[Standing, ...]
    videos: tuple[Watching, ...]
    streaks: LearningStreaks
    read_at: datetime | None


def evidence(found: Iterable[Moment]) -> Evidence:
    """Return events, newest first, as evidence."""
    events = list(found)
    known = [at for _, at in events if at != UNKNOWN_TIME]
    period = (min(known), max(known)) if known else None
    return Evidence(len(events), period, tuple(event_id for event_id, _ in events[:MOST_EVENTS]))
