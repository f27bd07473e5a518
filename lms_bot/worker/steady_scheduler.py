"""A scheduler whose jobs keep their pace when somebody sets the clock, or summer time begins or ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import schedule

TOLERANCE = timedelta(seconds=1)  # a clock that is corrected bit by bit moves by less between two looks


class SteadyScheduler(schedule.Scheduler):
    """Plans its jobs anew whenever local time, by which the library counts, has moved against the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen = _local_now(), monotonic()

    def run_pending(self) -> None:
        """Run the jobs whose turn it is, in the order of their turns."""
        self._follow_clock()
        super().run_pending()

    def run_soon(self, job: schedule.Job) -> None:
        """Let a job run in the next turn, whenever it is planned for."""
        job.next_run = _local_now()

    def _follow_clock(self) -> None:
        """Move what is planned by as much as the clock was moved, but no job by more than its period from now on."""
        now, (seen_at, seen_seconds) = _local_now(), self._seen
        moved = now - seen_at - timedelta(seconds=self._monotonic() - seen_seconds)
        if abs(moved) < TOLERANCE:
            return
        self._seen = now, self._monotonic()
        for job in self.jobs:
            planned = job.next_run or now
            # Some may have been planned by the new time already.
            job.next_run = min(planned + moved, now + timedelta(seconds=job.interval))


def _local_now() -> datetime:
    return datetime.now()  # noqa: DTZ005 - as the library counts
