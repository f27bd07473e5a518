"""When a day is over, mentors are told what streaks came to: once, in the digest, and nothing of the past."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.pipeline import surge
from lms_bot.store import state, tables
from lms_bot.store.notifications import preferences
from tests.lms_rows import DAY, GULNORA, JANE, MARY, NOW, OMAR, RAVI, SOFIA, USERNAMES, Watch, metadata

HOUR = timedelta(hours=1)
MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # a turn of the day can be made
MILESTONE, BROKEN = EventType.STREAK_MILESTONE, EventType.STREAK_BROKEN


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS without attempts and a store that has seen it, the day before."""
    watch = Watch(lms_url, store_beside)
    watch.now = NOW - DAY
    watch.poll()
    yield watch
    watch.close()


_ids = itertools.count(1)


def passes(watch: Watch, when: datetime, student: int = JANE) -> None:
    """A student passes the quiz at this moment."""
    watch.rows.insert_attempt(
        next(_ids),
        user_id=student,
        username=USERNAMES.get(student),
        date=when - timedelta(minutes=30),
        last_answer_updated_time=when,
        state="completed",
        result="pass",
    )


def lives(watch: Watch, days: int, *active: int, student: int = JANE) -> None:
    """Days go by from NOW on, with a poll at noon and one in the night; on the `active` ones, from 1 on, they pass."""
    for number in range(1, days + 1):
        noon = NOW + DAY * (number - 1)
        if number in active:
            passes(watch, noon, student)
        watch.poll(noon + timedelta(minutes=1))
        watch.poll(noon + 13.5 * HOUR)


def told(watch: Watch, *kinds: EventType) -> list[tuple[str, int, int]]:
    """Kind, student and days of each event that the clock caused."""
    return [
        (event.event_type, event.student_id, metadata(event)["days"])
        for event in watch.events()
        if event.event_type in (kinds or (MILESTONE, BROKEN))
    ]


def owed(watch: Watch) -> list[tuple[str, int]]:
    return [(row[2], row[3]) for row in watch.owed() if row[0] == "streak_marks"]


def due(watch: Watch) -> list[datetime | None]:
    log, event = tables.logs.c, tables.events.c
    query = sa.select(log.due_at).join(tables.events, event.event_id == log.event_id)
    with watch.store.reading() as transaction:
        return list(transaction.scalars(query.where(event.source_table == "streak_marks").order_by(log.log_id)))


def test_seven_days_are_told_the_morning_after_and_once(watch: Watch) -> None:
    lives(watch, 6, *range(1, 8))
    assert told(watch) == []
    passes(watch, NOW + 6 * DAY)
    watch.poll(NOW + 6 * DAY + HOUR)
    assert told(watch) == []
    watch.poll(NOW + 6 * DAY + 13.5 * HOUR)
    watch.polls(3)
    assert told(watch) == [(MILESTONE, JANE, 7)]
    assert owed(watch) == [(MILESTONE, MARY)]


def test_a_milestone_says_when_and_waits_for_the_digest(watch: Watch) -> None:
    lives(watch, 7, *range(1, 8))
    (event,) = [event for event in watch.events() if event.event_type == MILESTONE]
    assert event.timestamp == datetime(2026, 3, 9, tzinfo=UTC)
    assert metadata(event) == {"days": 7, "first_day": "2026-03-02", "last_day": "2026-03-08"}
    assert event.student_username == "jane_smith"
    assert due(watch) == [datetime(2026, 3, 9, 8, tzinfo=UTC)]


def test_a_mentor_may_want_it_at_once_or_not_at_all(watch: Watch) -> None:
    with watch.store.writing() as transaction:
        preferences.save(transaction, MARY, Preferences({EventClass.STREAK: Timing.NOW}), NOW)
        preferences.save(transaction, OMAR, Preferences({EventClass.STREAK: Timing.OFF}), NOW)
    for day in range(7):
        passes(watch, NOW + DAY * day, GULNORA)  # who has both
        watch.poll(NOW + DAY * day + HOUR)
    watch.poll(NOW + 6 * DAY + 13.5 * HOUR)
    assert owed(watch) == [(MILESTONE, MARY)]
    assert due(watch) == [watch.now]


def test_thirty_and_a_hundred_days_are_milestones(watch: Watch) -> None:
    lives(watch, 101, *range(1, 102))
    assert told(watch) == [(MILESTONE, JANE, days) for days in (7, 30, 100)]


def test_a_streak_ends_by_the_clock_and_not_when_the_student_comes_back(watch: Watch) -> None:
    lives(watch, 8, *range(1, 9))
    watch.poll(NOW + 8 * DAY + HOUR)
    assert told(watch, BROKEN) == []
    watch.poll(NOW + 8 * DAY + 13.5 * HOUR)
    assert told(watch, BROKEN) == [(BROKEN, JANE, 8)]
    (event,) = [event for event in watch.events() if event.event_type == BROKEN]
    assert event.timestamp == datetime(2026, 3, 11, tzinfo=UTC)
    lives(watch, 15, 12, 13)
    assert told(watch, BROKEN) == [(BROKEN, JANE, 8)]


def test_the_end_of_a_short_streak_is_no_news(watch: Watch) -> None:
    lives(watch, 9, *range(1, 7))
    assert told(watch) == []


def test_days_of_activity_alone_are_not_told(watch: Watch) -> None:
    for day in range(9):
        watch.rows.insert_attempt(next(_ids), date=NOW + DAY * day)
        watch.poll(NOW + DAY * day + HOUR)
        watch.poll(NOW + DAY * day + 13.5 * HOUR)
    assert told(watch) == []


def test_what_happened_before_the_bot_came_is_not_told(lms_url: str, store_beside: str) -> None:
    watch = Watch(lms_url, store_beside)
    for day in range(-9, -1):
        passes(watch, NOW + DAY * day)  # broken today
        passes(watch, NOW + DAY * (day + 1), RAVI)  # eight days until yesterday
    watch.poll(NOW)
    watch.poll(NOW + HOUR)
    assert told(watch) == []
    watch.poll(NOW + 13.5 * HOUR)
    assert told(watch) == [(BROKEN, RAVI, 8)]
    watch.close()


def test_days_without_a_poll_are_caught_up_with_what_they_brought(watch: Watch) -> None:
    lives(watch, 6, *range(1, 7))
    for day in (6, 7, 8):
        passes(watch, NOW + DAY * day)
    watch.poll(NOW + 8 * DAY + 13.5 * HOUR)
    assert told(watch) == [(MILESTONE, JANE, 7)]


def test_an_end_that_late_events_undo_is_not_said_any_more(watch: Watch) -> None:
    lives(watch, 10, *range(1, 9))
    assert told(watch, BROKEN) == [(BROKEN, JANE, 8)]
    passes(watch, NOW + 8 * DAY)
    passes(watch, NOW + 9 * DAY)
    watch.poll(NOW + 10 * DAY)
    assert [event.is_current for event in watch.events() if event.event_type == BROKEN] == [False]
    assert due(watch)[-1] is None
    lives(watch, 14)
    assert told(watch, BROKEN) == [(BROKEN, JANE, 8), (BROKEN, JANE, 10)]


def test_a_late_day_that_joins_streaks_tells_no_milestone_twice(watch: Watch) -> None:
    lives(watch, 9, *range(2, 10))
    assert told(watch) == [(MILESTONE, JANE, 7)]
    passes(watch, NOW)
    watch.poll(NOW + 9 * DAY)
    lives(watch, 10, *range(10, 11))
    assert told(watch, MILESTONE) == [(MILESTONE, JANE, 7)]


def test_who_has_no_mentor_is_recorded_and_owed_to_nobody(watch: Watch) -> None:
    lives(watch, 7, *range(1, 8), student=SOFIA)
    assert told(watch) == [(MILESTONE, SOFIA, 7)]
    assert owed(watch) == []


def test_each_time_zone_has_its_own_midnight(watch: Watch) -> None:
    watch.poll(NOW)
    with watch.store.writing() as transaction:
        transaction.execute(sa.insert(tables.student_zones).values(student_id=JANE, zone="Asia/Tashkent"))
    for day in range(7):
        passes(watch, NOW + DAY * day)
        watch.poll(NOW + DAY * day + HOUR)
    watch.poll(datetime(2026, 3, 8, 19, 30, tzinfo=UTC))  # half an hour into the day there
    assert told(watch) == []
    watch.poll(datetime(2026, 3, 8, 20, 30, tzinfo=UTC))
    assert told(watch) == [(MILESTONE, JANE, 7)]
    (event,) = [event for event in watch.events() if event.event_type == MILESTONE]
    assert event.timestamp == datetime(2026, 3, 9, tzinfo=ZoneInfo("Asia/Tashkent"))


def test_the_settings_of_event_types_do_not_turn_streaks_off(lms_url: str, store_beside: str) -> None:
    watch = Watch(lms_url, store_beside, LMS_EVENT_TYPES_TO_MONITOR="exam_failed")
    watch.poll(NOW)
    lives(watch, 7, *range(1, 8))
    assert owed(watch) == [(MILESTONE, MARY)]
    watch.close()


def test_a_night_in_which_many_streaks_end_is_no_flood(watch: Watch) -> None:
    watch.rows.insert_crowd(400)
    watch.poll(NOW)
    for day in range(7):
        watch.rows.insert_finished(10_000 + 400 * day, 10_399 + 400 * day, at=NOW + DAY * day, crowd=400)
        watch.poll(NOW + DAY * day + HOUR)
    with watch.store.writing() as transaction:
        state.forget(transaction, surge.SURGE)
    polled = watch.poll(NOW + 6 * DAY + 13.5 * HOUR)
    assert len(told(watch)) == 400
    assert polled.new_events == 0
    with watch.store.reading() as transaction:
        assert surge.surge_ends_at(transaction, watch.now) is None
