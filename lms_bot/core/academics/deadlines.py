"""Deadlines of students: when one counts as missed, and whether a silent student is on time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.calendar import DAY

GRACE = DAY  # after which something is missed, by default
MOST = 0.8  # of the class has handed in what somebody is called late with after their grace
FEWEST = 10  # students, for a class whose share says something
CLASS_GRACE = timedelta(days=10)  # for what most of the class has not handed in either
AHEAD = timedelta(days=14)  # so long after their last deadline a student's silence is judged by it


class Deadline(NamedTuple):
    """Something a student had, or has, to hand in until a moment, in aware UTC.

    `expected` and `handed_in` count the class: for how many students it is due, and how many of them have done it.
    """

    until: datetime
    title: str | None
    expected: int
    handed_in: int
    is_done: bool

    def missed_at(self, grace: timedelta) -> datetime:
        """Return from when on it counts as missed, unless it is done.

        That is after the grace; but only after ten days where most of the class has not handed it in either: then the
        date is none that is kept, or what is handed in is not known yet.
        """
        is_class_late = self.expected >= FEWEST and self.handed_in < MOST * self.expected
        return self.until + (max(grace, CLASS_GRACE) if is_class_late else grace)


class Standing(NamedTuple):
    """How a student stands with deadlines: those that count, and those of them that were missed, the last one first."""

    due: tuple[Deadline, ...]
    missed: tuple[Deadline, ...]

    @property
    def is_last_missed(self) -> bool:
        """Return whether the last of those that count was missed."""
        return bool(self.missed) and self.missed[0] == self.due[0]


def standing(deadlines: Sequence[Deadline], grace: timedelta, now: datetime) -> Standing:
    """Return how a student stands: what is done counts once it is due, what is not counts once it is missed."""
    in_order = sorted(deadlines, key=lambda one: one.until, reverse=True)
    due = tuple(one for one in in_order if (one.until if one.is_done else one.missed_at(grace)) <= now)
    return Standing(due, tuple(one for one in due if not one.is_done))


def is_on_time(deadlines: Sequence[Deadline], grace: timedelta, now: datetime) -> bool:
    """Return whether a student has missed nothing, with something due ahead or until lately."""
    has_some = any(one.until + AHEAD > now for one in deadlines)
    return has_some and all(one.is_done or one.missed_at(grace) > now for one in deadlines)
