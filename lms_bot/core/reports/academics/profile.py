"""A student's academic profile and performance, as reports give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.reports.academics.facts import Batch, CourseProgress, LmsCounts
from lms_bot.core.reports.academics.metrics import AcademicMetrics, Metric
from lms_bot.core.reports.academics.subjects import PartPerformance

RECENT_EVENTS = 5


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure as the LMS counts it, on its last such `day`, beside ours; `ours` is None where we count no such."""

    name: str
    ours: int | float | None
    theirs: int
    day: date

    @property
    def difference(self) -> int | float | None:
        """Return by how much the LMS counts more; None where there are no two to compare."""
        return None if self.ours is None else self.theirs - self.ours


@dataclass(frozen=True, slots=True)
class AcademicProfile:
    """How a student stands; courses with the last activity first, subjects the clearest first, events newest first."""

    student: Student
    batches: tuple[Batch, ...]
    academic_metrics: AcademicMetrics
    current_courses: tuple[CourseProgress, ...]
    strong_subjects: tuple[PartPerformance, ...]
    struggling_subjects: tuple[PartPerformance, ...]
    recent_activity: tuple[Event, ...]
    lms_counts: tuple[Beside, ...]
    as_of: datetime
    lms_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExamTaken:
    """A finished exam, with the share of the student's group that did worse in that exam, and how many took it.

    Where too few took it, there is no `percentile`; where nobody is compared, `took` is None too.
    """

    event: Event
    percentile: float | None
    took: int | None


@dataclass(frozen=True, slots=True)
class Performance:
    """What a student's exams came to; `exam_history` is a page of `exams`, newest first, that goes on at `next`."""

    student: Student
    exams: int
    exam_history: tuple[ExamTaken, ...]
    next: int | None
    subject_performance: tuple[PartPerformance, ...]
    difficulty_performance: tuple[PartPerformance, ...]
    percentile_rank: Metric
    time_on_content: Metric
    as_of: datetime
    lms_read_at: datetime | None


def beside_ours(counts: LmsCounts | None, ours: AcademicMetrics) -> tuple[Beside, ...]:
    """Return what the LMS counts of a student, each figure beside ours."""
    if counts is None:
        return ()
    pairs = {
        "current_streak": (ours.current_streak.value, counts.current_streak),
        "highest_streak": (ours.highest_streak.value, counts.highest_streak),
        "total_exams": (ours.total_exams.value, counts.exams),
        "videos_watched": (ours.videos_watched.value, counts.videos),
        "downloads": (None, counts.downloads),
        "conferences_attended": (None, counts.conferences),
    }
    return tuple(Beside(name, mine, theirs, counts.day) for name, (mine, theirs) in pairs.items() if theirs is not None)
