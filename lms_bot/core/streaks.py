"""A student's days, and the streaks that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.calendar import DAY
from lms_bot.core.people import Student

MILESTONES = (7, 30, 100)  # days
NOTABLE_DAYS = 7  # a streak that is shorter is not told of when it ends
SETTLED_AFTER = timedelta(hours=1)  # a day is over when what happened at its end has been found
SHOWN_DAYS = 14


class Mark(StrEnum):
    """How far a student reached the goal of a day."""

    NONE = "none"
    PARTIAL = "partial"
    COMPLETE = "complete"


class Kind(StrEnum):
    """Which days a streak is made of: those with something finished, or those with any activity."""

    LEARNING = "learning"
    PRESENCE = "presence"


class Day(NamedTuple):
    """A student's local day: how many events, how much was finished, and whether the LMS saw the student."""

    day: date
    events: int
    finished: int
    in_lms: bool = False

    def mark(self, goal: int) -> Mark:
        """Return how far the day's goal was reached, which is `goal` finished exams or contents."""
        if self.finished >= goal:
            return Mark.COMPLETE
        return Mark.PARTIAL if self.belongs_to(Kind.PRESENCE) else Mark.NONE

    def belongs_to(self, kind: Kind) -> bool:
        return self.finished > 0 if kind is Kind.LEARNING else self.events > 0 or self.in_lms


class Streak(NamedTuple):
    """Days in a row, the first and the last of them included."""

    first: date
    last: date
    streak_id: int | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def goes_on(self, today: date) -> bool:
        """Return whether no day was missed yet; today is not over."""
        return self.last >= today - DAY


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a student's streak of one kind is now, and was at its longest, in days."""

    current: int
    best: int


@dataclass(frozen=True, slots=True)
class StudentStreaks:
    """How regularly a student learns; `days` are the last ones until today, oldest first."""

    student: Student
    learning: Lasting
    presence: Lasting
    days: tuple[Day, ...]


def streaks_of(days: Iterable[date]) -> list[Streak]:
    """Return the streaks that these days make, oldest first."""
    return _joined(Streak(day, day) for day in days)


def changed(before: Sequence[Streak], appeared: Iterable[date], disappeared: Iterable[date]) -> list[Streak]:
    """Return a student's streaks, oldest first, once days were found late or turned out not to have been.

    A streak keeps the id of the last one before that it has days of: what grows at its end, or is joined by an earlier
    one, stays itself.
    """
    after = _joined([*before, *(Streak(day, day) for day in appeared)])
    for day in disappeared:
        after = [part for streak in after for part in _without(streak, day)]
    return with_ids(before, after)


def with_ids(before: Iterable[Streak], after: Sequence[Streak]) -> list[Streak]:
    """Return the streaks `after`, oldest first, each with the id of the last one before that shares days with it."""
    free = sorted(before)
    named = []
    for streak in reversed(after):
        shared = [old for old in free if old.first <= streak.last and old.last >= streak.first]
        named.append(streak._replace(streak_id=shared[-1].streak_id if shared else None))
        if shared:
            free.remove(shared[-1])
    return named[::-1]


def are_beside(streak: Streak, day: date) -> bool:
    """Return whether the day is in the streak, or next to it."""
    return streak.first - DAY <= day <= streak.last + DAY


def lasting(streaks: Iterable[Streak], today: date) -> Lasting:
    """Return how long the streaks of one student and kind are; one that missed a day has ended by itself."""
    known = list(streaks)
    current = max((streak.days for streak in known if streak.goes_on(today)), default=0)
    return Lasting(current, max((streak.days for streak in known), default=0))


def by_streak(students: Iterable[StudentStreaks]) -> list[StudentStreaks]:
    """Return students with the longest current streak first, then the longest ever."""
    return sorted(
        students,
        key=lambda one: (
            -one.learning.current,
            -one.learning.best,
            -one.presence.current,
            one.student.name.casefold(),
            one.student.student_id,
        ),
    )


def last_days(days: Iterable[Day], today: date, count: int = SHOWN_DAYS) -> list[Day]:
    """Return the last days until today, oldest first; empty ones where nothing is known."""
    known = {day.day: day for day in days}
    wanted = [today - DAY * (count - 1 - number) for number in range(count)]
    return [known.get(day, Day(day, 0, 0)) for day in wanted]


def _joined(parts: Iterable[Streak]) -> list[Streak]:
    found: list[Streak] = []
    for part in sorted(parts, key=lambda streak: streak.first):
        if found and part.first <= found[-1].last + DAY:
            found[-1] = Streak(found[-1].first, max(found[-1].last, part.last))
        else:
            found.append(Streak(part.first, part.last))
    return found


def _without(streak: Streak, day: date) -> list[Streak]:
    if not streak.first <= day <= streak.last:
        return [streak]
    parts = (Streak(streak.first, day - DAY), Streak(day + DAY, streak.last))
    return [part for part in parts if part.first <= part.last]
