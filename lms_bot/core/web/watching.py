"""How much of a lesson's video a student watched, from what the LMS's pages report while it plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST_STEP = 12.0  # seconds of the video between two positions that were played through: pages report every 5 to 10
LONGEST_STRETCH = 90.0  # seconds in one report that says where it was played from
SAME_SITTING = timedelta(minutes=1)  # between two reports, for the second to go on where the first was
MOST_STRETCHES = 500  # that are kept; of more, the shortest are let go
WATCHED_ENOUGH = 90.0  # percent, from which a video counts as watched
STATED = 101.0  # a length that a page states counts more than any that is estimated, by whatever percentage

Stretch = tuple[float, float]
"""Where a part of a video begins and ends, in seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a page reports once: a percentage, and where it can the position in the video, in seconds.

    `since` is from where the video was played to that position without a jump, and `length` how long the video is.
    """

    percentage: float
    position: float | None = None
    since: float | None = None
    length: float | None = None


@dataclass(frozen=True, slots=True)
class Watching:
    """What is known of one student and one video.

    `stretches` are what was watched, in order and apart; `position` is where it was last, at `seen_at`. The `length`
    in seconds was stated, or estimated by a position and the percentage `length_by`. `reported` is the highest
    percentage that was only claimed; it counts while no position is known.
    """

    stretches: tuple[Stretch, ...] = ()
    position: float | None = None
    seen_at: datetime | None = None
    length: float | None = None
    length_by: float = 0.0
    reported: float = 0.0

    @property
    def is_measured(self) -> bool:
        """Return whether positions say how much was watched."""
        return self.position is not None

    @property
    def percentage(self) -> float:
        """Return how much was watched, in percent to one place; without positions, what was claimed."""
        if not self.is_measured:
            return round(self.reported, 1)
        if not self.length:
            return 0.0
        seen = sum(max(0.0, min(end, self.length) - begin) for begin, end in self.stretches)
        return round(min(100.0, 100 * seen / self.length), 1)

    def after(self, report: Report, now: datetime) -> Watching:
        """Return what is known after a report that came at `now`."""
        if report.position is None:
            return replace(self, reported=max(self.reported, report.percentage))
        length, length_by = self._length(report, report.position)
        played = self._played(report, report.position, now)
        stretches = self.stretches if played is None else union((*self.stretches, played))
        return Watching(stretches, report.position, now, length, length_by, max(self.reported, report.percentage))

    def _played(self, report: Report, position: float, now: datetime) -> Stretch | None:
        """Return what was played up to a position: since where the report says, or else since the report before."""
        if report.since is not None:
            return (report.since, position) if 0 < position - report.since <= LONGEST_STRETCH else None
        if self.position is None or self.seen_at is None or not timedelta() <= now - self.seen_at <= SAME_SITTING:
            return None
        return (self.position, position) if 0 < position - self.position <= LONGEST_STEP else None

    def _length(self, report: Report, position: float) -> tuple[float | None, float]:
        """Return how long the video is, and by what that is known.

        A percentage is rounded, which matters the less the higher it is; so the highest decides.
        """
        if report.length:
            known = self.length if self.length_by == STATED and self.length else 0.0
            return max(known, report.length), STATED
        if report.percentage > self.length_by and position > 0:
            return max(position, 100 * position / report.percentage), report.percentage
        return (max(self.length, position) if self.length else None), self.length_by


def union(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in order and apart, that cover the same; beyond a number of them without the shortest."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    if len(found) > MOST_STRETCHES:
        found = sorted(sorted(found, key=lambda one: one[0] - one[1])[:MOST_STRETCHES])
    return tuple(found)
