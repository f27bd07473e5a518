"""Whether no new events for so long is unusual, by what is found in working hours on other days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import BEGINS, ENDS, is_working_day, working_time

LEARNED_FROM = 14  # days
FEWEST_DAYS = 5  # working days that must have been seen before anything is unusual
SHORTEST = timedelta(hours=2)  # of working hours
EXPECTED = 30  # so many events would have been found in that time


def is_unusual(last: datetime, now: datetime, found: Mapping[date, int], zone: ZoneInfo) -> bool:
    """Whether it is unusual, at `now`, that nothing was found since `last`.

    `found` is how many events were found on each of the days before; a day that is not in it had none, from the first
    one on. It is never unusual outside of working hours, nor before enough days were seen.
    """
    here = now.astimezone(zone)
    if not is_working_day(here.date()) or not BEGINS <= here.hour < ENDS:
        return False
    quiet = working_time(last, now, zone)
    return quiet >= SHORTEST and quiet / timedelta(hours=1) * _usual(found, here.date()) >= EXPECTED


def _usual(found: Mapping[date, int], today: date) -> float:
    """How many events are found in a working hour of an ordinary day; 0 while too few days were seen."""
    if not found:
        return 0.0
    days = [today - timedelta(days=back) for back in range(1, LEARNED_FROM + 1)]
    counts = [found.get(day, 0) for day in days if day >= min(found) and is_working_day(day)]
    return median(counts) / (ENDS - BEGINS) if len(counts) >= FEWEST_DAYS else 0.0
