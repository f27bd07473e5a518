"""The academic metrics of a student: a plain number each, or none, with the evidence beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median

from lms_bot.core.reports.academics.facts import (
    Evidence,
    Facts,
    Finished,
    Group,
    Sitting,
    Standing,
    Watching,
    evidence,
)
from lms_bot.core.streaks import Streak

FEWEST_COMPARED = 10  # who took an exam, or nothing is said of how the student stands among them
_NOT_READ = "The LMS was not read yet."


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure and what it rests on; `value` is None, and never 0, where it is unknown.

    `period` holds the first and the last moment of `n` events, of which `event_ids` are the newest. `reason` says how
    the value was reckoned, or why there is none.
    """

    value: int | float | None
    n: int
    period: tuple[datetime, datetime] | None
    event_ids: tuple[int, ...]
    reason: str

    @classmethod
    def of(cls, value: int | float | None, found: Evidence, reason: str) -> Metric:
        """Return the figure that rests on this evidence."""
        return cls(value, found.n, found.period, found.event_ids, reason)


@dataclass(frozen=True, slots=True)
class AcademicMetrics:
    """The six figures of the contract."""

    current_streak: Metric
    highest_streak: Metric
    average_score: Metric
    percentile_rank: Metric
    total_exams: Metric
    videos_watched: Metric


def academic_metrics(facts: Facts) -> AcademicMetrics:
    """Return all six figures."""
    is_read, streaks = facts.read_at is not None, facts.streaks
    return AcademicMetrics(
        current_streak=_streak(streaks.current, streaks.in_current, "until today or yesterday", is_read=is_read),
        highest_streak=_streak(streaks.longest, streaks.in_longest, "in the longest streak", is_read=is_read),
        average_score=average_score(facts.exams),
        percentile_rank=percentile_rank(facts.exams, facts.standings, facts.group),
        total_exams=total_exams(facts.exams, is_read=is_read),
        videos_watched=videos_watched(facts.videos, is_read=is_read),
    )


def average_score(exams: Sequence[Finished]) -> Metric:
    """Return the mean percentage of the finished exams that have one."""
    marks = [exam.percentage for exam in exams if exam.percentage is not None]
    found = evidence((exam.event_id, exam.at) for exam in exams if exam.percentage is not None)
    if not marks:
        return Metric.of(None, found, "No finished exam has a percentage.")
    return Metric.of(fmean(marks), found, "The mean percentage of the finished exams that have one.")


def total_exams(exams: Sequence[Finished], *, is_read: bool) -> Metric:
    """Return how many exams were finished, as their rows say now."""
    found = evidence((exam.event_id, exam.at) for exam in exams)
    return _counted(found.n, found, "Exams that were finished, each by its current outcome.", is_read=is_read)


def percentile(standing: Standing) -> float | None:
    """Return the share (0 to 100) of those who took an exam that did worse in it; None where too few took it."""
    return None if standing.took < FEWEST_COMPARED else 100 * standing.below / standing.took


def percentile_rank(exams: Iterable[Finished], standings: Iterable[Standing], group: Group) -> Metric:
    """Return the mean of the student's percentiles; the best attempt counts, of the student and of the others."""
    ranks = {(one.source_table, one.activity_id): rank for one in standings if (rank := percentile(one)) is not None}
    best: dict[tuple[str, int | None], Finished] = {}
    for exam in exams:
        key = (exam.source_table, exam.activity_id)
        if key in ranks and exam.percentage is not None and exam.percentage > (_mark(best.get(key))):
            best[key] = exam
    found = evidence((exam.event_id, exam.at) for exam in sorted(best.values(), key=_newest_first))
    if group is Group.NOBODY:
        return Metric.of(None, found, "The student is in no batch.")
    if not ranks:
        return Metric.of(None, found, f"No exam was taken by {FEWEST_COMPARED} or more {_whom(group)}.")
    reason = f"The mean share {group.value} that scored lower, over exams that {FEWEST_COMPARED} or more took."
    return Metric.of(fmean(ranks.values()), found, reason)


def videos_watched(videos: Iterable[Watching], *, is_read: bool) -> Metric:
    """Return how many different videos were watched."""
    newest: dict[str, Watching] = {}
    for one in videos:
        newest.setdefault(one.video, one)
    found = evidence((one.event_id, one.at) for one in newest.values())
    return _counted(found.n, found, "Different videos that were watched to 90 % or completed.", is_read=is_read)


def time_on_content(sittings: Sequence[Sitting]) -> Metric:
    """Return the median minutes between opening and finishing content, where both moments are known."""
    found = evidence((one.event_id, one.at) for one in sittings)
    if not sittings:
        return Metric.of(None, found, "Of no finished content is it known when it was opened.")
    minutes = median((one.at - one.opened_at).total_seconds() / 60 for one in sittings)
    return Metric.of(minutes, found, "The median minutes between opening and finishing, where both are known.")


def _streak(streak: Streak | None, found: Evidence, where: str, *, is_read: bool) -> Metric:
    value = streak.days if streak else 0
    return _counted(value, found, f"Days in a row with something finished, {where}.", is_read=is_read)


def _counted(value: int, found: Evidence, reason: str, *, is_read: bool) -> Metric:
    """Return a count; nothing is unknown, and not 0, as long as nobody has looked."""
    return Metric.of(value, found, reason) if value or is_read else Metric.of(None, found, _NOT_READ)


def _whom(group: Group) -> str:
    return "of the batch" if group is Group.BATCH else "students"


def _mark(exam: Finished | None) -> float:
    return float("-inf") if exam is None or exam.percentage is None else exam.percentage


def _newest_first(exam: Finished) -> tuple[float, int]:
    return -exam.at.timestamp(), -exam.event_id
