"""Local days, midnights and working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
BEGINS, ENDS = 8, 18  # working hours, Monday to Friday, in the time zone of the settings
SATURDAY = 5


@lru_cache(10_000)
def local_day(when: datetime, zone: ZoneInfo) -> date:
    """The day of a moment that is not at the very ends of the calendar, where there is no other time zone."""
    return when.astimezone(zone).date()


def counted_at(when: datetime, found_at: datetime) -> datetime | None:
    """The moment whose day an event belongs to: when it was found at the latest; None for a time of no LMS."""
    return min(when, found_at) if when >= EARLIEST else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment that a local day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of this name; None where this machine knows none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def working_time(since: datetime, until: datetime, zone: ZoneInfo) -> timedelta:
    """How much of the time between two moments is in working hours; of the last month only."""
    begin, end = since.astimezone(zone), until.astimezone(zone)
    day = max(begin.date(), end.date() - timedelta(days=31))
    total = timedelta()
    while day <= end.date():
        if is_working_day(day):
            opens, closes = (datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (BEGINS, ENDS))
            total += max(timedelta(), min(closes, end) - max(opens, begin))
        day += timedelta(days=1)
    return total


def after_working_time(since: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """The moment at which so much working time has gone by since another."""
    begin = since.astimezone(zone)
    day, left = begin.date(), length
    while True:
        if is_working_day(day):
            opens, closes = (datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (BEGINS, ENDS))
            first = max(opens, begin)
            if closes - first >= left:
                return (first + left).astimezone(UTC)
            left -= max(timedelta(), closes - first)
        day += timedelta(days=1)


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY
