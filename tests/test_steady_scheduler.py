"""Jobs keep their pace whatever happens to the clock on the wall."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
import schedule

from lms_bot.worker.steady_scheduler import SteadyScheduler

ZONES = pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
PERIOD = 60.0
HOURS = pytest.mark.parametrize("hours", [-24, -1, -0.5, 0.5, 1, 24])


class Clock:
    """A monotonic clock that can be moved, in a process whose local time can be moved too."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.runs = 0

    def __call__(self) -> float:
        return time.monotonic() + self.moved

    def note(self) -> None:
        self.runs += 1


@pytest.fixture
def move_local_time() -> Iterator[Callable[[str, float], None]]:
    """Move this process's local time to that of a zone and by some hours, as the end of summer time does."""

    def move(zone: str, hours: float) -> None:
        offset = time.localtime().tm_gmtoff if hours else 0
        if hours:
            west = -int(offset + hours * 3600)
            sign, rest = ("-" if west < 0 else ""), abs(west)
            os.environ["TZ"] = f"XXX{sign}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        else:
            os.environ["TZ"] = zone
        time.tzset()

    before = os.environ.get("TZ")
    yield move
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


def seconds_until(job: schedule.Job) -> float:
    """How long a job waits by local time, as the library counts."""
    scheduler = schedule.Scheduler()
    scheduler.jobs.append(job)
    return float(scheduler.idle_seconds or 0.0)


@ZONES
@HOURS
def test_a8_a_job_waits_no_longer_and_no_shorter_when_local_time_moves(
    move_local_time: Callable[[str, float], None], zone: str, hours: float
) -> None:
    move_local_time(zone, 0)
    clock = Clock()
    scheduler = SteadyScheduler(clock)
    job = scheduler.every(int(PERIOD)).seconds.do(clock.note)
    move_local_time(zone, hours if abs(hours) < 24 else hours / 2)
    scheduler.run_pending()
    assert clock.runs == 0
    assert PERIOD - 5 < seconds_until(job) <= PERIOD


@ZONES
def test_a8_what_local_time_says_is_due_is_due_after_the_clock_was_moved_on(
    move_local_time: Callable[[str, float], None], zone: str
) -> None:
    move_local_time(zone, 0)
    clock = Clock()
    scheduler = SteadyScheduler(clock)
    job = scheduler.every(int(PERIOD)).seconds.do(clock.note)
    scheduler.run_soon(job)
    move_local_time(zone, -1)
    scheduler.run_pending()
    assert clock.runs == 1
    assert PERIOD - 5 < seconds_until(job) <= PERIOD


@ZONES
@pytest.mark.parametrize("asleep", [3600.0, 7 * 86400.0])
def test_a8_a_machine_that_slept_waits_no_longer_than_a_period(
    move_local_time: Callable[[str, float], None], zone: str, asleep: float
) -> None:
    move_local_time(zone, 0)
    clock = Clock()
    scheduler = SteadyScheduler(clock)
    job = scheduler.every(int(PERIOD)).seconds.do(clock.note)
    for moved in (-asleep, asleep):  # the monotonic clock stands still meanwhile, or went on alone
        clock.moved += moved
        scheduler.run_pending()
        assert seconds_until(job) <= PERIOD


def test_a8_a_job_planned_by_the_new_time_is_not_moved_away(move_local_time: Callable[[str, float], None]) -> None:
    move_local_time("UTC", 0)
    scheduler = SteadyScheduler(Clock())

    def work_while_the_clock_moves() -> None:
        move_local_time("UTC", 1)

    job = scheduler.every(int(PERIOD)).seconds.do(work_while_the_clock_moves)
    scheduler.run_soon(job)
    scheduler.run_pending()
    scheduler.run_pending()
    assert seconds_until(job) <= PERIOD
