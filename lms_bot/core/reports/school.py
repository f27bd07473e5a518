"""How a whole school does: counts of many, in which no single student can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

FEWEST_SHOWN = 5  # students in a group: of fewer one might learn how a single one does
DAYS_SHOWN = 30  # of activity
STREAK_GROUPS = ((0, 0), (1, 2), (3, 6), (7, 13), (14, 29), (30, None))  # days, the last of each included


class Active(NamedTuple):
    """How many students were active on each of the last 30 days, in the last 7 days, and in all 30; None: too few."""

    daily: tuple[tuple[date, int | None], ...]
    weekly: int | None
    monthly: int | None

    @property
    def today(self) -> int | None:
        return self.daily[-1][1]

    @property
    def stickiness(self) -> float | None:
        """Return the mean of the days as a share of all 30, in percent; None where they are too few."""
        counts = [count for _, count in self.daily if count is not None]
        if not self.monthly or len(counts) < len(self.daily):
            return None
        return 100 * sum(counts) / len(counts) / self.monthly


class Completion(NamedTuple):
    """Of what the students of a course opened, how much they finished; who takes part is counted in `students`."""

    title: str
    students: int
    opened: int
    finished: int

    @property
    def rate(self) -> float:
        """Return the share that was finished, in percent."""
        return 100 * self.finished / self.opened


class StreakGroup(NamedTuple):
    """How many students have a streak of `first` to `last` days (None: or more)."""

    first: int
    last: int | None
    students: int | None

    @property
    def label(self) -> str:
        if self.first == self.last == 0:
            return "none"
        return f"{self.first}+ days" if self.last is None else f"{self.first}\N{EN DASH}{self.last} days"


class Engagement(NamedTuple):
    """Things finished in 14 days, and how many students were active then."""

    finished: int
    active: int

    @property
    def each(self) -> float | None:
        """Return how much that is for each of them; None where they are too few."""
        return self.finished / self.active if self.active >= FEWEST_SHOWN else None


class AlertCounts(NamedTuple):
    """Alerts told in 30 days; how many of them somebody acted on, and how many are open."""

    told: int
    acted: int
    open: int


@dataclass(frozen=True, slots=True)
class SchoolReport:
    """How a school does, as of a moment; numbers of too few students are None, and such groups are `hidden`.

    `peaks` are events by weekday (0 is Monday) and hour.
    """

    as_of: datetime
    students: int
    active: Active
    completions: tuple[Completion, ...]
    hidden_courses: int
    peaks: tuple[tuple[int, ...], ...]
    streaks: tuple[StreakGroup, ...]
    engagement: tuple[Engagement, Engagement]
    alerts: AlertCounts


def shown(count: int) -> int | None:
    """Return how many students there are, None where they are so few that one could be seen among them."""
    return count if count == 0 or count >= FEWEST_SHOWN else None


def parts_shown(counts: Sequence[int]) -> list[int | None]:
    """Return the parts of a whole that may be shown; where one alone is hidden the smallest other one is, too.

    Otherwise whoever knows the whole could reckon it.
    """
    found = [shown(count) for count in counts]
    if found.count(None) == 1 and (others := [count for count in found if count]):
        found[found.index(min(others))] = None
    return found
