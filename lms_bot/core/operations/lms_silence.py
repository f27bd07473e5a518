"""When a lack of new events is unusual, judged by the working hours of other days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import WORK_BEGINS, WORK_ENDS, is_working_day, working_time

LEARNED_FROM = 14  # days
FEWEST_DAYS = 5  # working days that must have been seen before anything is unusual
SHORTEST = timedelta(hours=2)  # of working hours
EXPECTED = 30  # so many events would have been found in that time


def is_unusual_silence(last: datetime, now: datetime, found: Mapping[date, int], zone: ZoneInfo) -> bool:
    """Return whether it is unusual, at `now`, that nothing was found since `last`.

    `found` holds how many events were found on each day before; from its first day on, a day that is missing had none.
    Silence is never unusual outside of working hours, nor before enough days were seen.
    """
    here = now.astimezone(zone)
    if not is_working_day(here.date()) or not WORK_BEGINS <= here.hour < WORK_ENDS:
        return False
    quiet = working_time(last, now, zone)
    return quiet >= SHORTEST and quiet / timedelta(hours=1) * _usual(found, here.date()) >= EXPECTED


def _usual(found: Mapping[date, int], today: date) -> float:
    """Return how many events an ordinary working hour brings; 0 while too few days were seen."""
    if not found:
        return 0.0
    days = [today - timedelta(days=back) for back in range(1, LEARNED_FROM + 1)]
    counts = [found.get(day, 0) for day in days if day >= min(found) and is_working_day(day)]
    return median(counts) / (WORK_ENDS - WORK_BEGINS) if len(counts) >= FEWEST_DAYS else 0.0
