"""Reads times of the day and days of the week as people type them."""

from __future__ import annotations

import re
from typing import NamedTuple

from lms_bot.errors import UserError
from lms_bot.render import quote
from lms_bot.render.preferences import DAYS, MINUTES

MOST_HOURS = 7
DAY = 24 * MINUTES
_TIME = r"(?P<hour{0}>\d{{1,2}})(?:[:.h](?P<minute{0}>\d{{2}}))?\s*(?:h|o'?clock)?\s*(?P<half{0}>am|pm|a\.m\.|p\.m\.)?"
_ONE = re.compile(_TIME.format(""))
_SPAN = re.compile(
    rf"(?<![\w:.]){_TIME.format(1)}\s*(?:[-\u2010-\u2015\u2212]|to|till|until)\s*{_TIME.format(2)}(?![\w:])"
)
_DAY_SPAN = re.compile(r"\b([a-z]{3,})\s*(?:[-\u2010-\u2015\u2212]|to|till|until)\s*([a-z]{3,})\b")
_FILLERS = {"from", "between", "and", "on", "at", "every", "the"}
_GROUPS = {"weekend": "sat sun", "weekends": "sat sun", "weekdays": "mon tue wed thu fri"}


class Hours(NamedTuple):
    """From when until when each day, in minutes since it began."""

    begin: int
    end: int


def hours(text: str) -> tuple[int, ...]:
    """Return full hours of the day. Raises UserError, which says what is wrong."""
    found = set()
    rest = text
    for match in _ONE.finditer(text):
        minute = _minute(match, "")
        if minute % MINUTES:
            raise UserError(
                f"“{quote(match[0].strip(), 40)}” is no full hour: a digest comes at full hours, as `8, 17`."
            )
        found.add(minute // MINUTES % 24)
        rest = rest.replace(match[0], " ", 1)
    unknown = [word for word in re.split(r"[\s,;]+", rest) if word and word not in _FILLERS]
    if unknown or not found:
        shown = quote(unknown[0] if unknown else text, 40)
        raise UserError(
            f"“{shown}” is no hour: write full hours, like `digest 8` or `digest 8am, 5pm`, or `digest off`."
        )
    if len(found) > MOST_HOURS:
        raise UserError(f"These are {len(found)} hours; `digest` takes at most {MOST_HOURS}, as `digest 8, 17`.")
    return tuple(sorted(found))


def quiet(text: str) -> tuple[Hours | None, frozenset[int]]:
    """Return the hours and the days that a text names as quiet. Raises UserError, which says why it cannot be."""
    spans = list(_SPAN.finditer(text))
    days = _days(_SPAN.sub(" ", text))
    if not spans and not days:
        raise UserError("Write hours as `quiet 22:00-7:00`, days as `quiet sat sun`, or `quiet off`.")
    if len(spans) > 1:
        raise UserError("Write one span of hours, as `quiet 22:00-7:00`; it is the same every day.")
    if len(days) == len(DAYS):
        raise UserError("That is every day: `pause 7d` is for that, and ends by itself.")
    return (_span(spans[0]) if spans else None), days


def _span(match: re.Match[str]) -> Hours:
    begin, end = _minute(match, "1"), _minute(match, "2")
    if (begin % DAY, end) == (0, DAY):
        raise UserError("That is the whole of every day: `pause 7d` is for that, and ends by itself.")
    begin, end = begin % DAY, end % DAY
    if begin == end:
        raise UserError(
            f"“{quote(match[0], 40)}” ends when it begins, which is no time at all. Write two different times, as "
            "`quiet 22:00-7:00`, or days, as `quiet sun`; `pause 1d` is for a whole day from now."
        )
    return Hours(begin, end)


def _minute(match: re.Match[str], which: str) -> int:
    """Return the minute of the day; 24:00 is its end. Raises UserError."""
    hour, minute = int(match[f"hour{which}"]), int(match[f"minute{which}"] or 0)
    half = (match[f"half{which}"] or "").replace(".", "")
    is_right = 1 <= hour <= 12 if half else hour <= 23 or (hour, minute) == (24, 0)
    if not is_right or minute >= MINUTES:
        shown = quote(match[0].strip(), 40)
        raise UserError(f"“{shown}” is no time of the day: write `22:00-7:00` or `10pm-7am`, from 0:00 to 24:00.")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour * MINUTES + minute


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for match in _DAY_SPAN.finditer(text):
        first, last = _day(match[1]), _day(match[2])
        found |= {day % len(DAYS) for day in range(first, last + (len(DAYS) if last < first else 0) + 1)}
    words = [one for word in re.split(r"[\s,;]+", _DAY_SPAN.sub(" ", text)) for one in _GROUPS.get(word, word).split()]
    return frozenset(found | {_day(word) for word in words if word not in _FILLERS})


def _day(word: str) -> int:
    if word[:3] in DAYS and word.isalpha():
        return DAYS.index(word[:3])
    raise UserError(
        f"“{quote(word, 40)}” is neither a day nor hours: write days as {', '.join(f'`{day}`' for day in DAYS)}, and "
        "hours as `22:00-7:00`."
    )
