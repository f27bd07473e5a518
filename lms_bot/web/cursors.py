"""Where a page ended, as callers hand it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lms_bot.core.reports.attention import Rank
from lms_bot.core.reports.feed import Place

PATTERN = "^[0-9a-f]{32}$"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_ID = 2**63 - 1


def written(place: Place) -> str:
    """Return a place as 32 hexadecimal digits."""
    timestamp, event_id = place
    return f"{(timestamp - _EPOCH) // _MICROSECOND:016x}{event_id:016x}"


def read(text: str) -> Place:
    """Return the place that is written so; every 32 hexadecimal digits are a place."""
    microseconds = min(int(text[:16], 16), (_LAST - _EPOCH) // _MICROSECOND)
    return _EPOCH + microseconds * _MICROSECOND, min(int(text[16:], 16), _MOST_ID)


def written_rank(rank: Rank) -> str:
    """Return a rank as 32 hexadecimal digits."""
    return "{:016x}{:016x}".format(*rank)


def read_rank(text: str) -> Rank:
    """Return the rank that is written so; every 32 hexadecimal digits are one."""
    return int(text[:16], 16), int(text[16:], 16)
