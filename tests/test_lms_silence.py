"""When it is unusual that the LMS has nothing new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lms_bot.core.calendar import working_time
from lms_bot.core.operations.lms_silence import is_unusual_silence

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
FRIDAY = MONDAY - timedelta(days=3)
BUSY, QUIET = 1000, 10  # events a day: 100 an hour, 1 an hour


def days(count: int, back: int = 14, before: date = MONDAY) -> dict[date, int]:
    return {before - timedelta(days=day): count for day in range(1, back + 1)}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("last", "now", "found", "unusual"),
    [
        pytest.param(at(MONDAY, 10), at(MONDAY, 11, 59), days(BUSY), False, id="less than two hours"),
        pytest.param(at(MONDAY, 10), at(MONDAY, 12), days(BUSY), True, id="two hours where 200 events are usual"),
        pytest.param(at(MONDAY, 8), at(MONDAY, 17), days(QUIET), False, id="nine hours where 9 events are usual"),
        pytest.param(at(FRIDAY, 18), at(MONDAY, 9), days(BUSY), False, id="a weekend and an hour"),
        pytest.param(at(FRIDAY, 18), at(MONDAY, 10), days(BUSY), True, id="a weekend and two hours"),
        pytest.param(at(FRIDAY, 17), at(MONDAY, 9), days(BUSY), True, id="an hour on Friday and one on Monday"),
        pytest.param(at(MONDAY, 10), at(MONDAY, 18), days(BUSY), False, id="the day is over"),
        pytest.param(at(MONDAY, 3), at(MONDAY, 7, 59), days(BUSY), False, id="before the day begins"),
        pytest.param(at(FRIDAY, 8), at(FRIDAY + timedelta(days=1), 12), days(BUSY), False, id="on a Saturday"),
        pytest.param(at(MONDAY, 10), at(MONDAY, 17), {}, False, id="nothing is known"),
        pytest.param(at(MONDAY, 10), at(MONDAY, 17), days(BUSY, 5), False, id="three working days are too few"),
        pytest.param(at(MONDAY, 10), at(MONDAY, 17), days(BUSY, 7), True, id="five working days are enough"),
        pytest.param(
            at(MONDAY, 10), at(MONDAY, 17), days(0) | {FRIDAY: 50_000}, False, id="one flood makes no busy school"
        ),
        pytest.param(
            at(FRIDAY - timedelta(days=28), 10), at(MONDAY, 10), days(0) | {MONDAY: 1}, False, id="holidays go on"
        ),
        pytest.param(at(MONDAY, 12), at(MONDAY, 10), days(BUSY), False, id="the clock went back"),
    ],
)
def test_silence_is_unusual(last: datetime, now: datetime, found: Mapping[date, int], unusual: bool) -> None:
    assert is_unusual_silence(last.astimezone(UTC), now.astimezone(UTC), found, BERLIN) is unusual


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (at(MONDAY, 9), at(MONDAY, 11, 30), 2.5),
        (at(MONDAY, 0), at(MONDAY, 23), 10),
        (at(FRIDAY, 17), at(MONDAY, 9), 2),
        (at(MONDAY, 20), at(MONDAY, 23), 0),
        (at(MONDAY - timedelta(days=7), 8), at(MONDAY, 8), 50),
        (at(MONDAY - timedelta(days=4000), 8), at(MONDAY, 8), 210),
        (at(MONDAY, 9), at(MONDAY, 8), 0),
    ],
)
def test_working_time_is_counted(since: datetime, until: datetime, hours: float) -> None:
    assert working_time(since, until, BERLIN) == timedelta(hours=hours)
