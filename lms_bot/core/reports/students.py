"""What events add up to; every definition stands here once (docs/definitions.md says them in words)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import fmean
from typing import NamedTuple

from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Student
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.streaks import StudentStreaks

PASS_LINE = 50.0  # percent: what the LMS asks for where an exam has no mark of its own
TREND_EXAMS = 5
FEWEST_COMPARED = 3  # exams before those of which something is said by comparing
LAST_EXAMS = 5


class Concern(StrEnum):
    """Why a student needs attention."""

    LAST_FAILED = "last exam failed"
    LOW_AVERAGE = f"average below {PASS_LINE:g}%"
    INACTIVE = "inactive"
    NEVER_STARTED = "never started"
    FAILED_TWICE = "one exam failed twice"
    SCORE_DROP = "score drop"
    ABANDONED = "exam abandoned"
    STREAK_BROKEN = "streak broken"
    STUCK = "stuck"
    DEADLINE_MISSED = "deadline missed"


@dataclass(frozen=True, slots=True)
class StudentSummary:
    """How one student does, in one line: what the `students` table shows."""

    student: Student
    last_active: datetime | None
    open_exams: int
    last_result: Event | None
    average: float | None
    concerns: tuple[Concern, ...]

    @property
    def is_failing(self) -> bool:
        """Return whether the last result is a failed exam, or the average is below the pass line."""
        return Concern.LAST_FAILED in self.concerns or Concern.LOW_AVERAGE in self.concerns

    @property
    def is_inactive(self) -> bool:
        return Concern.INACTIVE in self.concerns or Concern.NEVER_STARTED in self.concerns


@dataclass(frozen=True, slots=True)
class Course:
    """What a student did in one course; `scored` exams have a percentage, and `average` is theirs."""

    title: str
    events: int
    scored: int
    average: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """All about one student at a glance; counts go by what the rows of the LMS say now."""

    student: Student
    last_active: datetime | None
    counts: Mapping[EventType, int]
    scored: int
    average: float | None
    trend: float | None
    last_exams: tuple[Event, ...]
    courses: tuple[Course, ...]
    concerns: tuple[Concern, ...]

    @property
    def open_exams(self) -> int:
        return self.counts.get(EventType.EXAM_STARTED, 0)

    @property
    def passed(self) -> int:
        return self.counts.get(EventType.EXAM_PASSED, 0)

    @property
    def judged(self) -> int:
        """Count the exams with a verdict, passed or failed."""
        return self.passed + self.counts.get(EventType.EXAM_FAILED, 0)

    @property
    def pass_rate(self) -> float | None:
        """Return how many percent of the exams with a verdict were passed."""
        return 100 * self.passed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class FullCard:
    """The card of a student with their streaks, and their subjects, the weakest first."""

    card: Card
    streaks: StudentStreaks
    subjects: tuple[PartPerformance, ...]


class Tally(NamedTuple):
    """How many current events of one type and course there are, how many with a percentage, and the sum of those."""

    event_type: EventType
    course: str | None
    events: int
    scored: int
    percent: float


def trend(percentages: Sequence[float]) -> float | None:
    """Return the mean of the last five exams minus that of the (three to five) before, in points.

    `percentages` come newest first; None with fewer than eight.
    """
    if len(percentages) < TREND_EXAMS + FEWEST_COMPARED:
        return None
    return fmean(percentages[:TREND_EXAMS]) - fmean(percentages[TREND_EXAMS : 2 * TREND_EXAMS])


def concerns_of(last_result: EventType | None, average: float | None) -> tuple[Concern, ...]:
    """Return why a student whose last finished exam ended so, with this average, is failing: nothing if not."""
    found = []
    if last_result is EventType.EXAM_FAILED:
        found.append(Concern.LAST_FAILED)
    if average is not None and average < PASS_LINE:
        found.append(Concern.LOW_AVERAGE)
    return tuple(found)


def all_concerns(student: Student, failing: Iterable[Concern], rules: Iterable[str]) -> tuple[Concern, ...]:
    """Return why a student needs attention: failing, and the alert rules (by name); nobody who has left does."""
    if not student.is_active:
        return ()
    found = {*failing, *(Concern[rule.upper()] for rule in rules)}
    return tuple(concern for concern in Concern if concern in found)


def card(
    student: Student,
    last_active: datetime | None,
    tallies: Sequence[Tally],
    last_percentages: Sequence[float],
    last_exams: Sequence[Event],
) -> Card:
    """Return a student's card; percentages (at least ten, if there are so many) and exams newest first."""
    counts = {kind: count for kind in EventType if (count := sum(t.events for t in tallies if t.event_type is kind))}
    ends = [tally for tally in tallies if tally.event_type.is_exam_end]
    average = _average(ends)
    return Card(
        student,
        last_active,
        counts,
        sum(tally.scored for tally in ends),
        average,
        trend(last_percentages),
        tuple(last_exams[:LAST_EXAMS]),
        _courses(tallies),
        concerns_of(last_exams[0].event_type if last_exams else None, average),
    )


def _courses(tallies: Sequence[Tally]) -> tuple[Course, ...]:
    """Return the courses by title; what belongs to none is left out."""
    by_title: dict[str, list[Tally]] = {}
    for tally in tallies:
        if tally.course is not None:
            by_title.setdefault(tally.course, []).append(tally)
    found = []
    for title, of_course in sorted(by_title.items(), key=lambda item: (item[0].casefold(), item[0])):
        ends = [tally for tally in of_course if tally.event_type.is_exam_end]
        events, scored = sum(t.events for t in of_course), sum(t.scored for t in ends)
        found.append(Course(title, events, scored, _average(ends)))
    return tuple(found)


def _average(tallies: Sequence[Tally]) -> float | None:
    scored = sum(tally.scored for tally in tallies)
    return math.fsum(tally.percent for tally in tallies) / scored if scored else None
