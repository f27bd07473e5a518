"""A student's academic profile and performance, as reports give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lms_bot.core.academics.snapshots import Snapshot, change
from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.reports.academics.facts import Batch, CourseProgress
from lms_bot.core.reports.academics.metrics import AcademicMetrics, Metric
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.reports.feed import Place
from lms_bot.core.sync.studies import LmsCounts

RECENT_EVENTS = 5
WEEKS_AGO = (1, 4)  # how long ago the snapshots are with which a student is compared


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
class Change:
    """By how much the figures have changed since a snapshot `weeks` or a little longer ago; None where unknown."""

    weeks: int
    since: date
    total_exams: float | None
    average_score: float | None
    videos_watched: float | None
    current_streak: float | None


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
    changes: tuple[Change, ...]
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
    """What a student's exams came to; `exam_history` is a page of `exams`, newest first, that goes on after `next`."""

    student: Student
    exams: int
    exam_history: tuple[ExamTaken, ...]
    next: Place | None
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


def change_since(then: Snapshot, weeks: int, now: AcademicMetrics) -> Change:
    """Return by how much the figures have changed since a snapshot."""
    return Change(
        weeks=weeks,
        since=then.snapshot_date,
        total_exams=change(now.total_exams.value, then.total_exams_taken),
        average_score=change(now.average_score.value, then.average_score),
        videos_watched=change(now.videos_watched.value, then.videos_watched),
        current_streak=change(now.current_streak.value, then.streak_count),
    )
