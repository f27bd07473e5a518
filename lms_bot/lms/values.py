"""Reads values of an LMS leniently: anything may be NULL, misspelt or of the wrong type."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any

_LONGEST = timedelta(days=365)  # what is said to take longer is a mistake
EPOCH_MILLISECONDS = 100_000_000_000  # numbers above this are milliseconds since 1970, below it seconds


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return a time that the LMS gives as aware UTC; naive ones are in `zone`; None for what is no time at all.

    A number is seconds since 1970, or milliseconds; 0 stands for none.
    """
    if value is None or value == 0:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > EPOCH_MILLISECONDS else value
            return datetime.fromtimestamp(seconds, UTC)
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def text(value: Any) -> str | None:
    """Return a text without NUL characters, which PostgreSQL cannot store."""
    if value is None:
        return None
    told = value if type(value) is str else str(value)
    return told.replace("\x00", "") if "\x00" in told else told


def integer(value: Any) -> int | None:
    """Return the value where it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """Return the value where it is a number that can be counted with, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if math.isfinite(value) else None


def duration(seconds: Any) -> str | None:
    """Return a number of seconds as people say it, in minutes; None for what is no such number, or a negative one."""
    value = number(seconds)
    if value is None or not 0 <= value <= _LONGEST.total_seconds():
        return None
    minutes = round(value / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes else f"{round(value)} seconds"


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become None, anything unknown becomes text."""
    kind = type(value)
    if kind is int or value is None:
        return value
    if kind is Decimal:
        is_whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if is_whole else plain(float(value))
    if kind is float:
        return value if math.isfinite(value) else None
    return text(value)


def fingerprint(row: tuple[Any, ...]) -> int:
    """Return a signed 64-bit number that changes when any value of the row does."""
    return int.from_bytes(
        blake2b(repr(tuple(row)).encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True
    )
