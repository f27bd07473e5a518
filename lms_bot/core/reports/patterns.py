"""How a student learns: when, how regularly, how fast; silent where that rests on too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import local_day
from lms_bot.core.events import EventType
from lms_bot.core.people import Student
from lms_bot.core.recommendations import Recommendation
from lms_bot.core.reports.academics.facts import CourseProgress

PERIOD = timedelta(days=90)  # what patterns are seen in
WATCHED_WITHIN = timedelta(days=7)  # before an exam
HOURS = 3  # in a row, in which most is done
FEWEST_MOMENTS = 12  # for the hours
FEWEST_DAYS = 8  # with any activity, for the weekday
FEWEST_LEARNED, FEWEST_KNOWN = 4, 14  # days of learning, and days since the first of them, for days a week
FEWEST_GAPS = 3  # between days of learning
FEWEST_TIMED = 3  # contents or exams, for the minutes that they take
FEWEST_EXAMS = 4  # of courses, for what was watched before
FEWEST_PASSED = 3  # exams, for the attempts that they took
FEWEST_TAKERS = 10  # of a course, for a comparison; of fewer one might learn how another does
TAKERS_BESIDE = 25  # who are compared, on each side by id: they joined at about the same time
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing about how a student learns; `n` is how many observations it rests on, `value` None if too few."""

    value: float | None
    n: int
    sentence: str = ""

    def as_json(self) -> dict[str, object]:
        return {"value": self.value, "n": self.n, "sentence": self.sentence or None}


@dataclass(frozen=True, slots=True)
class Patterns:
    """How a student learns.

    `hour` begins the three hours in which most is done, by the student's clock; `weekday` counts from 0, a Monday.
    `gap` is in days, `content_minutes` and `exam_minutes` lie between opening and finishing. `watched_before` is in
    percent of exams, `attempts` the mean number until a pass, `pace` in points of percent above the others.
    """

    hour: Pattern
    weekday: Pattern
    days_per_week: Pattern
    gap: Pattern
    content_minutes: Pattern
    exam_minutes: Pattern
    watched_before: Pattern
    attempts: Pattern
    pace: Pattern

    @property
    def known(self) -> list[Pattern]:
        """Return those of which there is enough to say something."""
        every: list[Pattern] = [getattr(self, field.name) for field in fields(self)]
        return [pattern for pattern in every if pattern.value is not None]

    def as_json(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name).as_json() for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a student is in each course, how they learn, and what should happen next."""

    student: Student
    courses: tuple[CourseProgress, ...]
    patterns: Patterns
    recommendations: tuple[Recommendation, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "student_id": self.student.student_id,
            "current_courses": [course.as_json() for course in self.courses],
            "learning_patterns": self.patterns.as_json(),
            "recommendations": [one.as_json() for one in self.recommendations],
        }


class Finished(NamedTuple):
    """An attempt at an exam that ended, as its row says now; `exam` tells exams apart."""

    at: datetime
    exam: tuple[str, int]
    outcome: EventType
    courses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Observations:
    """What patterns are seen in: of the last 90 days, but for the attempts, which are all there are.

    `moments` are when something was done, `learned` the local days with something finished, oldest first, `minutes` lie
    between opening and finishing. `attempts` come oldest first, `videos` are when one was watched and of which courses.
    """

    moments: Sequence[datetime] = ()
    learned: Sequence[date] = ()
    content_minutes: Sequence[float] = ()
    exam_minutes: Sequence[float] = ()
    attempts: Sequence[Finished] = ()
    videos: Sequence[tuple[datetime, frozenset[int]]] = ()


def patterns(seen: Observations, courses: Iterable[CourseProgress], zone: ZoneInfo, now: datetime) -> Patterns:
    """Return how a student learns; hours and weekdays are those of `zone`."""
    return Patterns(
        hour=hour(seen.moments, zone),
        weekday=weekday({local_day(moment, zone) for moment in seen.moments}),
        days_per_week=days_per_week(seen.learned, local_day(now, zone)),
        gap=gap(seen.learned),
        content_minutes=minutes(seen.content_minutes, "Finishes a lesson", "lessons"),
        exam_minutes=minutes(seen.exam_minutes, "Finishes an exam", "exams"),
        watched_before=watched_before(seen, now),
        attempts=attempts(seen.attempts),
        pace=pace(courses),
    )


def hour(moments: Sequence[datetime], zone: ZoneInfo) -> Pattern:
    """Return at which hour the three begin in which most is done, the earliest of several."""
    counts = Counter(moment.astimezone(zone).hour for moment in moments)
    sums = [sum(counts[(first + step) % 24] for step in range(HOURS)) for first in range(24)]
    first, most = sums.index(max(sums)), max(sums)
    if len(moments) < FEWEST_MOMENTS:
        return Pattern(None, len(moments))
    until = (first + HOURS) % 24
    share = round(100 * most / len(moments))
    return Pattern(
        first, len(moments), f"Mostly active from {first} to {until} o'clock ({share}% of {len(moments):,} times)."
    )


def weekday(days: Iterable[date]) -> Pattern:
    """Return the day of the week, from 0 for Monday, with activity most often, the first of several."""
    counts = Counter(day.weekday() for day in days)
    n = counts.total()
    if n < FEWEST_DAYS:
        return Pattern(None, n)
    day = max(range(7), key=lambda number: counts[number])
    return Pattern(day, n, f"Most often active on {WEEKDAYS[day]} ({counts[day]} of {n:,} days).")


def days_per_week(learned: Sequence[date], today: date) -> Pattern:
    """Return on how many days a week something was finished, since the first of these days."""
    known = (today - learned[0]).days + 1 if learned else 0
    if len(learned) < FEWEST_LEARNED or known < FEWEST_KNOWN:
        return Pattern(None, len(learned))
    value = 7 * len(learned) / known
    return Pattern(value, len(learned), f"Learns on {_number(value)} days a week ({len(learned):,} of {known:,} days).")


def gap(learned: Sequence[date]) -> Pattern:
    """Return the median number of days from one day of learning to the next."""
    gaps = [(late - early).days for early, late in pairwise(learned)]
    if len(gaps) < FEWEST_GAPS:
        return Pattern(None, len(gaps))
    value = float(median(gaps))
    often = "every day" if value == 1 else f"every {_number(value)} days"
    return Pattern(value, len(gaps), f"Usually learns {often} (median of {len(gaps):,} gaps).")


def minutes(taken: Sequence[float], start: str, things: str) -> Pattern:
    """Return the median of the minutes between opening and finishing."""
    if len(taken) < FEWEST_TIMED:
        return Pattern(None, len(taken))
    value = median(taken)
    return Pattern(value, len(taken), f"{start} {_length(value)} after opening it (median of {len(taken):,} {things}).")


def watched_before(seen: Observations, now: datetime) -> Pattern:
    """Return before how many percent of the exams a video of their course was watched in the seven days before."""
    exams = [one for one in seen.attempts if one.courses and one.at >= now - PERIOD]
    watched = sum(
        any(one.courses & courses and one.at - WATCHED_WITHIN <= at <= one.at for at, courses in seen.videos)
        for one in exams
    )
    if len(exams) < FEWEST_EXAMS:
        return Pattern(None, len(exams))
    sentence = f"Watched a video of the course in the week before {watched:,} of {len(exams):,} exams."
    return Pattern(100 * watched / len(exams), len(exams), sentence)


def attempts(finished: Sequence[Finished]) -> Pattern:
    """Return the mean number of attempts until an exam was first passed, over the exams that were."""
    tries: Counter[tuple[str, int]] = Counter()
    needed: dict[tuple[str, int], int] = {}
    for one in finished:
        tries[one.exam] += 1
        if one.outcome is EventType.EXAM_PASSED:
            needed.setdefault(one.exam, tries[one.exam])
    if len(needed) < FEWEST_PASSED:
        return Pattern(None, len(needed))
    value = fmean(needed.values())
    tries_needed = "1 attempt" if value == 1 else f"{_number(value)} attempts"
    return Pattern(value, len(needed), f"Needs {tries_needed} to pass (mean of {len(needed):,} exams).")


def pace(courses: Iterable[CourseProgress]) -> Pattern:
    """Return by how many points of percent a student is before the others, the mean of the courses compared."""
    ahead = [one.percentage - one.median for one in courses if one.percentage is not None and one.median is not None]
    if not ahead:
        return Pattern(None, 0)
    value, of = fmean(ahead), "1 course" if len(ahead) == 1 else f"{len(ahead):,} courses"
    points = round(value)
    where = f"{abs(points)} points {'ahead of' if points > 0 else 'behind'}" if points else "level with"
    return Pattern(value, len(ahead), f"Is {where} the median of those who take the same ({of}).")


def median_share(done: Mapping[int, int], takers: Sequence[int], items: int) -> float | None:
    """Return the median percentage of a course's items done, over its takers; None where these are too few."""
    if len(takers) < FEWEST_TAKERS or not items:
        return None
    return median(100 * done.get(student_id, 0) / items for student_id in takers)


def _number(value: float) -> str:
    return f"{round(value, 1):g}"


def _length(taken: float) -> str:
    """Return minutes as people say them."""
    if taken < 120:
        return f"{round(taken)} minutes"
    return f"{round(taken / 60)} hours" if taken < 48 * 60 else f"{round(taken / 1440)} days"
