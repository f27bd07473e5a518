"""Local days and working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # of what was there at the baseline and says no time
WORK_BEGINS, WORK_ENDS = 8, 18  # working hours, Monday to Friday, in the time zone of the settings
SATURDAY = 5


@lru_cache(10_000)
def local_day(when: datetime, zone: ZoneInfo) -> date:
    """Return the local day of a moment. Raises OverflowError at the very ends of the calendar."""
    return when.astimezone(zone).date()


def counted_at(when: datetime, found_at: datetime) -> datetime | None:
    """Return the moment whose day an event counts for, at the latest when it was found; None before 1990."""
    return min(when, found_at) if when >= EARLIEST else None


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a local day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone of this name; None where this machine knows none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def working_time(since: datetime, until: datetime, zone: ZoneInfo) -> timedelta:
    """Return how much of the time between two moments is in working hours; it looks back 31 days at most."""
    begin, end = since.astimezone(zone), until.astimezone(zone)
    day = max(begin.date(), end.date() - timedelta(days=31))
    total = timedelta()
    while day <= end.date():
        if is_working_day(day):
            opens, closes = (
                datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (WORK_BEGINS, WORK_ENDS)
            )
            total += max(timedelta(), min(closes, end) - max(opens, begin))
        day += timedelta(days=1)
    return total


def after_working_time(since: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which `length` of working time has passed since another."""
    begin = since.astimezone(zone)
    day, left = begin.date(), length
    while True:
        if is_working_day(day):
            opens, closes = (
                datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (WORK_BEGINS, WORK_ENDS)
            )
            first = max(opens, begin)
            if closes - first >= left:
                return (first + left).astimezone(UTC)
            left -= max(timedelta(), closes - first)
        day += timedelta(days=1)


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY


def _working_hours(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens, closes = (datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (WORK_BEGINS, WORK_ENDS))
    return opens, closes
