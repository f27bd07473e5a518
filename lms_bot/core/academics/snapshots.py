"""How a student stood at the beginning of a week, and which weeks of which students are still to be described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

WEEK = timedelta(days=7)
MOST_WEEKS = 104  # that are made of the past


class SubjectScore(NamedTuple):
    """What a student's results in a subject came to, pooled: percent, and of how many results."""

    percentage: float
    n: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a student stood when `snapshot_date` began, a Monday: by all that is of the time before.

    `average_score` is in percent, None without exams that have a percentage; `streak_count` is in days.
    """

    student_id: int
    snapshot_date: date
    total_exams_taken: int
    average_score: float | None
    videos_watched: int
    streak_count: int
    subject_scores: Mapping[str, SubjectScore] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A walk over all students, by id, that describes the weeks from `first` to `last`; it has come to `after`."""

    first: date
    last: date
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The sweeps that are left, by the time zone in which weeks begin; `newest` is the last week planned."""

    zone: str
    newest: date
    sweeps: tuple[Sweep, ...]

    def has_come_to(self, after: int | None) -> Plan:
        """Return the plan once its first sweep has come to this student; None: to the end."""
        first, *others = self.sweeps
        return replace(self, sweeps=(*([] if after is None else [replace(first, after=after)]), *others))


def monday_of(day: date) -> date:
    """Return the Monday that begins the week of a day."""
    return day - timedelta(days=day.weekday())


def weeks(first: date, last: date) -> list[date]:
    """Return the Mondays from `first` to `last`, both of them Mondays, the newest first and at most 104."""
    return [last - WEEK * number for number in range(min((last - first).days // 7 + 1, MOST_WEEKS))]


def planned(before: Plan | None, zone: str, newest: date) -> Plan:
    """Return what is to be done once this week has begun: the new weeks first, and all again in another time zone."""
    oldest = newest - WEEK * (MOST_WEEKS - 1)
    if before is None or before.zone != zone:
        return Plan(zone, newest, (Sweep(newest, newest), Sweep(oldest, newest - WEEK)))
    if newest <= before.newest:
        begun = (one for one in before.sweeps if one.first <= newest)  # all, unless a clock was wrong
        return replace(before, newest=newest, sweeps=tuple(replace(one, last=min(one.last, newest)) for one in begun))
    return Plan(zone, newest, (Sweep(max(before.newest + WEEK, oldest), newest), *before.sweeps))


def change(now_value: float | None, then: float | None) -> float | None:
    """Return by how much a figure has changed since a snapshot; None where one of the two is unknown."""
    return None if now_value is None or then is None else now_value - then
