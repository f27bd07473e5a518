"""Reads values of an LMS leniently: anything may be NULL, misspelt or of the wrong type."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Any

EPOCH_MILLISECONDS = 100_000_000_000  # numbers above this are milliseconds since 1970, below it seconds


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return a time that the LMS gives as aware UTC; naive ones are in `zone`; None for what is no time at all."""
    if value is None:
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


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become None, anything unknown becomes text."""
    kind = type(value)
    if kind is int or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    return text(value)


def fingerprint(row: tuple[Any, ...]) -> int:
    """Return a signed 64-bit number that changes when any value of the row does."""
    return int.from_bytes(
        blake2b(repr(tuple(row)).encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True
    )
