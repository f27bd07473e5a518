"""The history of students and of their class, with the moment from which on each part of it was known."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from lms_bot.core.academics.deadlines import CLASS_GRACE, GRACE, Deadline
from lms_bot.core.attention import FEWEST_OF_CLASS

Activity = tuple[str, int]
Item = tuple[int, str]


class Past(NamedTuple):
    """An event as the store has it; `known_at` is when it was found, or its own time where it is history."""

    known_at: datetime
    event_id: int
    kind: str
    at: datetime
    source_table: str
    source_id: int
    activity_id: int | None
    title: str | None
    percentage: float | None
    mirrors: int | None


class Due(NamedTuple):
    """A deadline of an item of a course, which any of the item's activities does."""

    item: Item
    activity: Activity
    until: datetime
    title: str | None


@dataclass(frozen=True, slots=True)
class StudentHistory:
    """All that is known of a student in the end; `past` is in the order in which it was known.

    `left_at` is from when on they are a student no more, None for who stayed. `items` are the items of courses with a
    deadline that an activity does.
    """

    student_id: int
    enrolled_at: datetime | None
    left_at: datetime | None
    past: tuple[Past, ...]
    due: tuple[Due, ...] = ()


class ExamResult(NamedTuple):
    """A result in an exam, as it was found."""

    known_at: datetime
    source_table: str
    source_id: int
    activity_id: int
    percentage: float


@dataclass(slots=True)
class _Curve:
    """A count and a sum that change as time goes by."""

    moments: list[datetime] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)

    def add(self, at: datetime, count: int, value: float) -> None:
        self.moments.append(at)
        self.counts.append((self.counts[-1] if self.counts else 0) + count)
        self.sums.append((self.sums[-1] if self.sums else 0.0) + value)

    def known(self, now: datetime) -> tuple[int, float]:
        place = bisect_right(self.moments, now)
        return (self.counts[place - 1], self.sums[place - 1]) if place else (0, 0.0)


class ClassHistory:
    """What the class of each exam and deadline had come to at a moment."""

    def __init__(
        self,
        results: Iterable[ExamResult],
        expected: Mapping[Activity, Iterable[tuple[datetime, int]]],
        handed_in: Mapping[Activity, Iterable[tuple[datetime, int]]],
    ) -> None:
        """Take results in the order of `known_at`, and how many students more or fewer had, and kept, each deadline.

        A result that a later one of the same row supersedes counts until then.
        """
        self._results: dict[Activity, _Curve] = defaultdict(_Curve)
        last: dict[Activity, tuple[Activity, float]] = {}
        for one in results:
            row, exam = (one.source_table, one.source_id), (one.source_table, one.activity_id)
            if row in last:
                before, value = last[row]
                self._results[before].add(one.known_at, -1, -value)
            self._results[exam].add(one.known_at, 1, one.percentage)
            last[row] = (exam, one.percentage)
        self._expected = {activity: _curve(changes) for activity, changes in expected.items()}
        self._handed_in = {activity: _curve(changes) for activity, changes in handed_in.items()}
        self._moment: datetime | None = None
        self._known: dict[Activity, tuple[int, int]] = {}
        self._turned: dict[Activity, datetime | None] = {}

    def average(self, exam: Activity, now: datetime) -> float | None:
        """Return the mean percentage of an exam so far; None with too few results to compare with."""
        curve = self._results.get(exam)
        count, total = curve.known(now) if curve else (0, 0.0)
        return total / count if count >= FEWEST_OF_CLASS else None

    def deadline(self, activity: Activity, now: datetime) -> tuple[int, int]:
        """Return for how many students an activity was due at a moment, and how many of them had done it."""
        if now != self._moment:
            self._moment, self._known = now, {}
        if activity not in self._known:
            self._known[activity] = self._counts(activity, now)
        return self._known[activity]

    def turned_at(self, one: Due) -> datetime | None:
        """Return when most of the class had done something, if that was after the grace and within ten days.

        It says when to look again, and is nothing that is judged.
        """
        if one.activity not in self._turned:
            curves = (self._expected.get(one.activity), self._handed_in.get(one.activity))
            moments = sorted(moment for curve in curves if curve for moment in curve.moments)
            later = moments[bisect_right(moments, one.until + GRACE) : bisect_right(moments, one.until + CLASS_GRACE)]
            most = (
                moment
                for moment in later
                if Deadline(one.until, None, *self._counts(one.activity, moment), False).missed_at(GRACE) <= moment
            )
            self._turned[one.activity] = next(most, None)
        return self._turned[one.activity]

    def _counts(self, activity: Activity, now: datetime) -> tuple[int, int]:
        curves = (self._expected.get(activity), self._handed_in.get(activity))
        expected, handed_in = (curve.known(now)[0] if curve else 0 for curve in curves)
        return expected, handed_in


def _curve(changes: Iterable[tuple[datetime, int]]) -> _Curve:
    found = _Curve()
    for at, count in sorted(changes):
        found.add(at, count, 0.0)
    return found
