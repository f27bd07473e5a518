"""Events, their types and classes, and the activities that state them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

COURSE_KEY = 100  # characters; it is part of an index, which takes no texts of any length
_MOST_PERCENT = 1000.0  # beyond it a value is a mistake, and no score


class EventType(StrEnum):
    """What can be observed about a student, and what the clock makes of that."""

    EXAM_STARTED = "exam_started"
    EXAM_COMPLETED = "exam_completed"
    EXAM_PASSED = "exam_passed"
    EXAM_FAILED = "exam_failed"
    CONTENT_STARTED = "content_started"
    CONTENT_COMPLETED = "content_completed"
    CONTENT_WATCHED = "content_watched"
    CONTENT_PROGRESS = "content_progress"
    CERTIFICATION_ISSUED = "certification_issued"
    STREAK_MILESTONE = "streak_milestone"
    STREAK_BROKEN = "streak_broken"
    STUDENT_ALERT = "student_alert"
    ALERT_REMINDER = "alert_reminder"

    @property
    def is_by_clock(self) -> bool:
        """No row of the LMS states it: it happens while time goes by."""
        return self.is_alert or self in (EventType.STREAK_MILESTONE, EventType.STREAK_BROKEN)

    @property
    def is_alert(self) -> bool:
        """It asks one mentor to do something."""
        return self in (EventType.STUDENT_ALERT, EventType.ALERT_REMINDER)

    @property
    def is_start(self) -> bool:
        return self in (EventType.EXAM_STARTED, EventType.CONTENT_STARTED)

    @property
    def is_exam_end(self) -> bool:
        return self in (EventType.EXAM_COMPLETED, EventType.EXAM_PASSED, EventType.EXAM_FAILED)

    @property
    def is_of_exam(self) -> bool:
        return self is EventType.EXAM_STARTED or self.is_exam_end


OBSERVED = tuple(kind for kind in EventType if not kind.is_by_clock)
BY_CLOCK = tuple(kind for kind in EventType if kind.is_by_clock)
ALERTING = tuple(kind for kind in EventType if kind.is_alert)
OF_EXAMS = tuple(kind for kind in OBSERVED if kind.is_of_exam)
FINISHING = frozenset(
    [*(kind for kind in OF_EXAMS if kind.is_exam_end), EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED]
)
OPENING = (EventType.CONTENT_STARTED, EventType.CONTENT_PROGRESS)  # of content that is not finished yet
MIRRORING = (EventType.CONTENT_STARTED, EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED)  # it may be an exam
NO_PRESENCE = (*BY_CLOCK, EventType.CERTIFICATION_ISSUED)  # the student need not have been there at that time


class EventClass(StrEnum):
    """What a mentor chooses for: kinds of events that matter alike."""

    FAILED = "failed"
    PASSED = "passed"
    COMPLETED = "completed"
    STARTED = "started"
    CONTENT = "content"
    PROGRESS = "progress"
    STREAK = "streak"
    ALERT = "alert"

    @classmethod
    def of(cls, kind: EventType) -> EventClass:
        return _CLASSES[kind]


_CLASSES = {
    EventType.EXAM_FAILED: EventClass.FAILED,
    EventType.EXAM_PASSED: EventClass.PASSED,
    EventType.EXAM_COMPLETED: EventClass.COMPLETED,
    EventType.EXAM_STARTED: EventClass.STARTED,
    EventType.CONTENT_STARTED: EventClass.CONTENT,
    EventType.CONTENT_COMPLETED: EventClass.CONTENT,
    EventType.CONTENT_WATCHED: EventClass.CONTENT,
    EventType.CONTENT_PROGRESS: EventClass.PROGRESS,
    EventType.CERTIFICATION_ISSUED: EventClass.PASSED,
    EventType.STREAK_MILESTONE: EventClass.STREAK,
    EventType.STREAK_BROKEN: EventClass.STREAK,
    EventType.STUDENT_ALERT: EventClass.ALERT,
    EventType.ALERT_REMINDER: EventClass.ALERT,
}


MIRRORED_EXAM = "exam_id"  # in the metadata of content that is an exam and does not say which attempt it belongs to
PROGRESS = "progress"  # in the metadata of content_progress: which of the steps was reached
COURSE = "course_title"  # in the metadata
PROGRESS_STEPS = (50, 90)  # percent
MANY_EVENTS = 200  # in one poll, or waiting for one mentor: more may be a flood, which the admins hear of

# Source tables of our own: rows that the clock made.
STREAK_MARKS = "streak_marks"  # what a streak came to
STUDENT_ALERTS = "student_alerts"
ALERT_REMINDERS = "alert_reminders"

PAGE_REPORTS = "page_reports"  # a source of our own, too: what the LMS's pages said of a student and a lesson


class Activity(NamedTuple):
    """A row of the LMS as it was seen once: what it states, with the titles that belong to it.

    A named tuple because a poll makes them by the hundred thousand. `event_type` is None for a row whose state states
    no event; one that is not known is the `unknown_state`, as the LMS spells it. Times are aware UTC. `details` holds
    the metadata of the contract that come straight from the row; `fingerprint` changes when anything told of it does.
    `mirrors` is the id of the row in another source that states the same fact. `turn` is the number of this fact among
    those that the row states one after the other, where it says so. One that `is_final` comes to no other outcome by
    itself, and one that `is_copy` came with its student from elsewhere.
    """

    source_table: str
    source_id: int
    event_type: EventType | None
    unknown_state: str | None
    student_id: int | None
    student_username: str | None
    activity_id: int | None
    title: str | None
    started_at: datetime | None
    ended_at: datetime | None
    details: dict[str, Any]
    fingerprint: int
    mirrors: int | None
    turn: int | None = None
    is_final: bool = False
    is_copy: bool = False


class Event(NamedTuple):
    """A fact: this row was seen in this state. `timestamp` is aware UTC; `is_history` events are never told.

    The row is one of the LMS, or one of ours where the clock caused the event. Its `episode` is 0, and one more each
    time the row becomes another fact; `turn` is the number that the row itself gives it. `is_dated`: the row itself
    says when it happened. `student_name` is the display name as it is now, `shares_name` says that another student of
    the reader has it, `url` is where the LMS shows what the event is about, and `student_url` where it shows the
    student; these are set to be shown.
    """

    event_type: EventType
    source_table: str
    source_id: int
    student_id: int | None
    student_username: str | None
    activity_id: int | None
    activity_title: str | None
    metadata: dict[str, Any]
    timestamp: datetime
    is_history: bool
    fingerprint: int
    mirrors: int | None
    event_id: int = 0
    episode: int = 0
    is_dated: bool = True
    turn: int | None = None
    student_name: str | None = None
    shares_name: bool = False
    url: str | None = None
    student_url: str | None = None


def is_finished(kind: str, mirrors: int | None) -> bool:
    """Whether a current event counts as something finished; content that mirrors an exam is counted as the exam."""
    return mirrors is None and kind in FINISHING


def percentage(metadata: Mapping[str, Any]) -> float | None:
    """Return the percentage of an exam, where there is one that can be counted with."""
    value = metadata.get("percentage")
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value.strip().removesuffix("%").replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= _MOST_PERCENT else None


def course_key(metadata: Mapping[str, Any]) -> str | None:
    """Return the title of an event's course, as it is searched."""
    title = metadata.get(COURSE)
    return searched(title) if isinstance(title, str) else None


@lru_cache(1_000)
def searched(title: str) -> str:
    """Return a course's title, or a part of one, as both are compared: folded to lower case, and not endless."""
    storable = title.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return storable.casefold()[:COURSE_KEY]
