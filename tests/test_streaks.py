"""Days become streaks by one rule: the first day is 1, the next one more, a missed day ends it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core import calendar, streaks
from lms_bot.core.events import EventType, is_finished
from lms_bot.core.streaks import Day, Kind, Lasting, Mark, Streak

FIRST = date(2026, 3, 2)
BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
DAYS = st.sets(st.integers(0, 40).map(lambda number: FIRST + timedelta(days=number)))


def day(number: int) -> date:
    """The `number`-th day, 1 is the first."""
    return FIRST + timedelta(days=number - 1)


def streak(first: int, last: int, streak_id: int | None = None) -> Streak:
    return Streak(day(first), day(last), streak_id)


@pytest.mark.parametrize(
    ("events", "finished", "in_lms", "mark"),
    [
        (0, 0, False, Mark.NONE),
        (1, 0, False, Mark.PARTIAL),
        (5, 2, False, Mark.PARTIAL),
        (3, 3, False, Mark.COMPLETE),
        (9, 4, True, Mark.COMPLETE),
        (0, 0, True, Mark.PARTIAL),
    ],
)
def test_a_day_is_none_partial_or_complete(events: int, finished: int, in_lms: bool, mark: Mark) -> None:
    assert Day(FIRST, events, finished, in_lms).mark(3) is mark


def test_learning_takes_something_finished_and_presence_anything() -> None:
    browsed, begun, done = Day(FIRST, 0, 0, True), Day(FIRST, 1, 0), Day(FIRST, 1, 1)
    assert [one.belongs_to(Kind.LEARNING) for one in (browsed, begun, done)] == [False, False, True]
    assert [one.belongs_to(Kind.PRESENCE) for one in (browsed, begun, done)] == [True, True, True]


@pytest.mark.parametrize("kind", EventType)
def test_ends_count_as_finished_and_their_mirrors_do_not(kind: EventType) -> None:
    ends = {"exam_completed", "exam_passed", "exam_failed", "content_completed", "content_watched"}
    assert is_finished(kind, None) == (kind in ends)
    assert not is_finished(kind, 12)


def test_the_first_day_is_one_and_the_next_one_more() -> None:
    assert [one.days for one in streaks.streaks_of([day(1)])] == [1]
    assert [one.days for one in streaks.streaks_of([day(2), day(1), day(4)])] == [2, 1]


def test_a_streak_goes_on_until_a_whole_day_was_missed() -> None:
    known = [streak(1, 3)]
    assert [streaks.lasting(known, day(today)) for today in (3, 4, 5)] == [
        Lasting(3, 3),
        Lasting(3, 3),
        Lasting(0, 3),
    ]
    assert streaks.lasting([], day(1)) == Lasting(0, 0)


def test_the_longest_is_kept() -> None:
    assert streaks.lasting([streak(1, 9), streak(11, 12)], day(12)) == Lasting(2, 9)


def test_a_day_found_late_joins_streaks_and_the_later_one_stays_itself() -> None:
    assert streaks.changed([streak(1, 2, 7), streak(4, 5, 8)], [day(3)], []) == [streak(1, 5, 8)]
    assert streaks.changed([streak(2, 3, 7)], [day(1)], []) == [streak(1, 3, 7)]
    assert streaks.changed([streak(2, 3, 7)], [day(4)], []) == [streak(2, 4, 7)]


def test_a_day_that_was_none_parts_a_streak() -> None:
    assert streaks.changed([streak(1, 5, 7)], [], [day(3)]) == [streak(1, 2), streak(4, 5, 7)]
    assert streaks.changed([streak(1, 1, 7)], [], [day(1)]) == []


@given(DAYS, DAYS, DAYS)
def test_changing_gives_what_counting_anew_gives(before: set[date], appeared: set[date], gone: set[date]) -> None:
    known = [one._replace(streak_id=number) for number, one in enumerate(streaks.streaks_of(before))]
    after = streaks.changed(known, appeared, gone)
    assert [one[:2] for one in after] == [one[:2] for one in streaks.streaks_of((before | appeared) - gone)]
    ids = [one.streak_id for one in after if one.streak_id is not None]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {one.streak_id for one in known}


@given(DAYS, st.integers(0, 45).map(lambda number: FIRST + timedelta(days=number)))
def test_the_current_streak_is_what_a_child_would_count(days: set[date], today: date) -> None:
    last = today if today in days else today - timedelta(days=1)
    count = 0
    while last - timedelta(days=count) in days:
        count += 1
    known = streaks.streaks_of(one for one in days if one <= today)
    assert streaks.lasting(known, today).current == count


@pytest.mark.parametrize(
    ("moment", "zone", "local"),
    [
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), BERLIN, date(2026, 3, 28)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), BERLIN, date(2026, 3, 29)),  # a day of 23 hours begins
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), BERLIN, date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), BERLIN, date(2026, 3, 30)),
        (datetime(2026, 4, 4, 12, 59, tzinfo=UTC), LORD_HOWE, date(2026, 4, 4)),
        (datetime(2026, 4, 5, 13, 30, tzinfo=UTC), LORD_HOWE, date(2026, 4, 6)),
    ],
)
def test_days_are_cut_at_local_midnight_through_changes_of_the_clock(
    moment: datetime, zone: ZoneInfo, local: date
) -> None:
    assert calendar.local_day(moment, zone) == local
    assert calendar.start_of_day(local, zone) <= moment < calendar.start_of_day(local + timedelta(days=1), zone)


def test_the_last_days_have_empty_ones_where_nothing_is_known() -> None:
    known = [Day(day(1), 1, 1), Day(day(3), 2, 0)]
    assert streaks.last_days(known, day(4), 3) == [Day(day(2), 0, 0), Day(day(3), 2, 0), Day(day(4), 0, 0)]
