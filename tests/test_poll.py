"""A poll turns what a row of the LMS says into one event per state, and owes it to the right mentors."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.errors import LmsBotError, StoreUnavailable
from lms_bot.store.events import cursors
from lms_bot.store.notifications import pending
from lms_bot.store.reports import feed
from lms_bot.store.session import Store, Transaction
from tests.lms_rows import (
    CONTENT_ATTEMPTS,
    DAY,
    ENTRANCE_TEST,
    GULNORA,
    JANE,
    MARY,
    MINUTE,
    NOW,
    OBRIEN,
    OMAR,
    QUIZ,
    QUIZ_CONTENT,
    RAVI,
    SOFIA,
    TEST,
    VIDEO,
    LmsRows,
    PollingWatch,
    Watch,
    metadata,
)

EXAM_KEYS = {
    "score",
    "percentage",
    "result",
    "time_taken",
    "correct_answers",
    "incorrect_answers",
    "unanswered",
    "percentile",
    "speed",
    "course_title",
    "attempt_number",
}
CONTENT_KEYS = {
    "content_type",
    "state",
    "course_title",
    "chapter_name",
    "correct_answers",
    "incorrect_answers",
    "completed_on",
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS without attempts and a store that has seen it, so that all that comes now is news."""
    watch = PollingWatch(lms_url, store_beside)
    watch.poll()
    yield watch
    watch.close()


@pytest.fixture
def unread(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """The same before the first poll, in pages of a hundred rows."""
    watch = PollingWatch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    yield watch
    watch.close()


@pytest.fixture
def crossed(lms_url: str, store_url: str) -> Iterator[Watch]:
    """Every kind of LMS with every kind of store, in pages of a hundred rows."""
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS="100")
    yield watch
    watch.close()


def kill_in_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the process die just before the `number`-th transaction of the store commits."""
    writing, numbers = Store.writing, itertools.count(1)

    @contextmanager
    def dying(store: Store) -> Iterator[Transaction]:
        dies = next(numbers) == number
        with writing(store) as transaction:
            yield transaction
            if dies:
                raise Killed

    monkeypatch.setattr(Store, "writing", dying)


# --- History ---------------------------------------------------------------------------------------------------------


def test_the_first_poll_records_what_is_there_and_tells_nobody(crossed: Watch) -> None:
    crossed.rows.insert_finished(1, 250)
    crossed.rows.insert_attempt(300, user_id=GULNORA)
    crossed.rows.insert_content_attempt(7)

    polled = crossed.poll()

    assert (polled.new_events, polled.history_events) == (0, 252)
    assert crossed.facts() == [
        *(("attempts", source_id, "exam_passed") for source_id in range(1, 251)),
        ("attempts", 300, "exam_started"),
        ("content_attempts", 7, "content_started"),
    ]
    assert crossed.owed() == []


def test_the_first_row_of_an_lms_that_was_empty_is_told(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_attempt(1)
    crossed.rows.insert_content_attempt(1)

    assert crossed.poll().new_events == 2
    assert crossed.owed() == [
        ("attempts", 1, "exam_started", MARY),
        ("content_attempts", 1, "content_started", MARY),
    ]


def test_a_row_of_history_that_finishes_later_is_told(unread: Watch) -> None:
    unread.rows.insert_attempt(5, state="started", date=NOW - 30 * DAY)
    unread.poll()
    unread.rows.update_attempt(5, state="completed", result="pass", last_answer_updated_time=NOW)

    unread.poll()

    assert unread.kinds(5) == ["exam_started", "exam_passed"]
    assert unread.owed_for(5) == [("exam_passed", MARY)]


def test_history_shows_its_progress(unread: Watch) -> None:
    unread.rows.insert_finished(1, 250)
    shown: list[tuple[str, float, int]] = []

    unread.poller.poll(NOW, lambda table, done, rows: shown.append((table, done, rows)))

    of_attempts = [(done, rows) for table, done, rows in shown if table == "attempts"]
    assert [rows for _, rows in of_attempts] == [100, 200, 250]
    assert of_attempts == sorted(of_attempts)
    assert of_attempts[-1][0] == 1.0
    assert all(0.0 <= done <= 1.0 for _, done, _ in shown)


def test_history_goes_on_wherever_it_was_killed(unread: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    unread.rows.insert_finished(1, 950)
    for killed_at in (1, 2, 2, 1, 3, 2, 4):
        with monkeypatch.context() as patch:
            kill_in_write(patch, killed_at)
            with pytest.raises(Killed):
                unread.poll()
        unread.restart(LMS_SWEEP_ROWS="100")
    unread.rows.insert_attempt(1000, user_id=OBRIEN)

    unread.poll()

    assert unread.facts() == [
        *(("attempts", source_id, "exam_passed") for source_id in range(1, 951)),
        ("attempts", 1000, "exam_started"),
    ]
    assert unread.owed() == [("attempts", 1000, "exam_started", OMAR)]


def test_a_row_that_comes_while_history_is_read_is_told(unread: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    unread.rows.insert_finished(1, 350)
    unread.poller.refresh_people(NOW)
    with monkeypatch.context() as patch:
        kill_in_write(patch, 3)
        with pytest.raises(Killed):
            unread.poll()
    unread.rows.insert_attempt(400)
    unread.rows.update_attempt(50, result="fail", last_answer_updated_time=NOW)

    unread.polls(12)

    assert unread.owed_for(400) == [("exam_started", MARY)]
    assert unread.kinds(50) == ["exam_passed", "exam_failed"]
    assert unread.owed_for(50) == [("exam_failed", MARY)]


def test_a_row_whose_own_time_is_over_a_week_old_is_history_when_it_is_found(watch: Watch) -> None:
    week = timedelta(days=7)
    watch.rows.insert_attempt(1, date=NOW - week)
    watch.rows.insert_attempt(2, date=NOW - week + timedelta(hours=1))
    watch.rows.insert_attempt(
        3, state="completed", result="pass", date=NOW - 60 * DAY, last_answer_updated_time=NOW - 30 * DAY
    )
    watch.rows.insert_attempt(4, state="completed", result="pass", date=NOW - 60 * DAY, last_answer_updated_time=NOW)
    watch.rows.insert_content_attempt(5, created=NOW - 60 * DAY)

    polled = watch.poll()

    assert (polled.new_events, polled.history_events) == (2, 3)
    assert watch.owed() == [("attempts", 2, "exam_started", MARY), ("attempts", 4, "exam_passed", MARY)]


# --- States ----------------------------------------------------------------------------------------------------------

EXAM_SPELLINGS = {
    ("started", None): "exam_started",
    ("Started", "pass"): "exam_started",
    ("STARTED", ""): "exam_started",
    ("in_progress", None): "exam_started",
    ("In_Progress", "whatever"): "exam_started",
    ("completed", "pass"): "exam_passed",
    ("COMPLETED", "PASS"): "exam_passed",
    ("Completed", "Passed"): "exam_passed",
    ("finished", "passed"): "exam_passed",
    ("Finished", "pASs"): "exam_passed",
    ("finished", "fail"): "exam_failed",
    ("FINISHED", "FAILED"): "exam_failed",
    ("completed", "Failed"): "exam_failed",
    ("completed", "Fail"): "exam_failed",
    ("completed", None): "exam_completed",
    ("finished", ""): "exam_completed",
    ("completed", "withheld"): "exam_completed",
    ("Finished", "N/A"): "exam_completed",
    ("expired", "pass"): None,
    ("", None): None,
    (None, "pass"): None,
    (None, None): None,
    ("watched", None): None,
}
CONTENT_SPELLINGS = {
    "started": "content_started",
    "STARTED": "content_started",
    "in_progress": "content_started",
    "In_Progress": "content_started",
    "completed": "content_completed",
    "Completed": "content_completed",
    "finished": "content_completed",
    "FINISHED": "content_completed",
    "watched": "content_watched",
    "Watched": "content_watched",
    "viewed": "content_watched",
    "VIEWED": "content_watched",
    "expired": None,
    "": None,
}


def test_every_spelling_of_a_state_gives_its_event(watch: Watch) -> None:
    for number, (state, result) in enumerate(EXAM_SPELLINGS, 1):
        watch.rows.insert_attempt(number, state=state, result=result)
    for number, content_state in enumerate(CONTENT_SPELLINGS, 1):
        watch.rows.insert_content_attempt(number, state=content_state)

    watch.poll()

    exams = {fact[1]: fact[2] for fact in watch.facts() if fact[0] == "attempts"}
    contents = {fact[1]: fact[2] for fact in watch.facts() if fact[0] == "content_attempts"}
    assert {pair: exams.get(n) for n, pair in enumerate(EXAM_SPELLINGS, 1)} == EXAM_SPELLINGS
    assert {state: contents.get(n) for n, state in enumerate(CONTENT_SPELLINGS, 1)} == CONTENT_SPELLINGS
    assert len(watch.owed()) == len(watch.facts()), "each of them to Mary"


def test_unknown_states_are_counted_and_give_no_event(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="Expired")
    watch.rows.insert_attempt(2, state="Expired", result="pass")
    watch.rows.insert_attempt(3, state=None)
    watch.rows.insert_content_attempt(4, state="paused")

    watch.polls(2)

    assert watch.events() == []
    with watch.store.reading() as transaction:
        counted = {(table, state): count for table, state, count in cursors.unknown_states(transaction)}
    assert counted[("attempts", "Expired")] == 2
    assert counted[("content_attempts", "paused")] == 1
    assert sum(counted.values()) == 4, "a missing state is counted too"


def test_an_unknown_state_that_becomes_known_gives_its_event(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="queued")
    watch.rows.insert_attempt(2, state=None)
    watch.poll()
    watch.rows.update_attempt(1, state="started")
    watch.rows.update_attempt(2, state="finished", result="fail")

    watch.poll()

    assert (watch.kinds(1), watch.kinds(2)) == (["exam_started"], ["exam_failed"])
    with watch.store.reading() as transaction:
        assert cursors.unknown_states(transaction) == []


def test_a_known_state_that_becomes_unknown_is_no_longer_current(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="pass")
    watch.poll()
    watch.rows.update_attempt(1, state="archived")
    watch.poll()
    assert (watch.kinds(1), watch.current(1)) == (["exam_passed"], [])

    watch.rows.update_attempt(1, state="completed")
    watch.poll()

    assert (watch.kinds(1), watch.current(1)) == (["exam_passed"], ["exam_passed"])


def test_a_row_that_finishes_between_two_polls_is_told_twice_once_for_each_state(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_attempt(1)
    crossed.poll()
    crossed.rows.update_attempt(1, state="completed", result="pass", last_answer_updated_time=NOW)
    crossed.polls(3)

    assert crossed.kinds(1) == ["exam_started", "exam_passed"]
    assert crossed.current(1) == ["exam_passed"]
    assert crossed.owed_for(1) == [("exam_passed", MARY), ("exam_started", MARY)]


def test_a_row_that_starts_and_finishes_between_two_polls_gives_only_what_was_seen(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.update_attempt(1, state="completed", result="fail")

    watch.poll()

    assert watch.kinds(1) == ["exam_failed"]


def test_a_row_that_finishes_days_later_is_told_once(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.insert_content_attempt(2)
    watch.poll()
    for day in range(1, 10):
        watch.poll(NOW + day * DAY)
    end = NOW + 9.5 * DAY
    watch.rows.update_attempt(1, state="finished", result="passed", last_answer_updated_time=end)
    watch.rows.update_content_attempt(2, state="watched", completed_on=end)

    for day in range(10, 13):
        watch.poll(NOW + day * DAY)

    assert watch.owed_for(1) == [("exam_passed", MARY), ("exam_started", MARY)]
    assert watch.owed_for(2, CONTENT_ATTEMPTS) == [("content_started", MARY), ("content_watched", MARY)]


def test_an_attempt_that_is_graded_later_is_told_as_completed_and_then_with_its_result(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result=None)
    watch.poll()
    watch.rows.update_attempt(1, result="pass", score=70)

    watch.poll()

    assert watch.kinds(1) == ["exam_completed", "exam_passed"]
    assert watch.current(1) == ["exam_passed"]
    assert len(watch.owed_for(1)) == 2


def test_a4_a_regrade_there_and_back_is_told_each_time(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="fail", score=30)
    watch.poll()
    watch.rows.update_attempt(1, result="pass", score=60)
    watch.poll()
    assert watch.current(1) == ["exam_passed"]

    watch.rows.update_attempt(1, result="fail", score=31)
    watch.polls(2)

    assert watch.kinds(1) == ["exam_failed", "exam_passed", "exam_failed"]
    assert watch.current(1) == ["exam_failed"]
    assert watch.owed_for(1) == [("exam_failed", MARY), ("exam_failed", MARY), ("exam_passed", MARY)]
    assert [(event.episode, event.is_current) for event in watch.events(1)] == [(0, False), (0, False), (1, True)]
    assert metadata(watch.events(1)[2])["score"] == 31


def test_a5_a_grade_that_comes_after_weeks_is_news(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result=None, last_answer_updated_time=NOW)
    watch.poll()
    watch.now += 20 * DAY
    watch.rows.update_attempt(1, result="fail")
    watch.polls(2)
    assert watch.owed_for(1) == [("exam_completed", MARY), ("exam_failed", MARY)]


def test_a6_an_attempt_that_is_given_to_another_student_is_theirs_and_nobody_elses(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="fail")
    watch.poll()
    watch.rows.update_attempt(1, user_id=RAVI, username="ravi_patel")
    watch.polls(2)
    before, after = watch.events(1)
    assert (before.is_current, before.is_withdrawn, before.student_id) == (False, True, JANE)
    assert (after.is_current, after.student_id, after.student_username) == (True, RAVI, "ravi_patel")
    assert (after.episode, after.event_type) == (1, "exam_failed")
    assert len(watch.owed_for(1)) == 2
    with watch.store.reading() as transaction:
        assert feed.feed(transaction, [JANE], 9) == []
        assert [event.episode for event in feed.feed(transaction, [RAVI], 9)] == [1]


def test_a7_an_id_that_is_given_again_is_another_fact(watch: Watch) -> None:
    watch.rows.insert_attempt(5)
    watch.poll()
    watch.rows.delete("attempts", 5)
    watch.poll()
    watch.rows.insert_attempt(5, user_id=RAVI, username="ravi_patel", state="completed", result="fail")
    watch.polls(2)
    assert [(e.student_id, e.event_type, e.episode, e.is_withdrawn) for e in watch.events(5)] == [
        (JANE, "exam_started", 0, False),
        (RAVI, "exam_failed", 1, False),
    ]
    assert watch.current(5) == ["exam_failed"]


def test_a6_what_was_true_of_the_one_before_the_former_stays_theirs(watch: Watch) -> None:
    watch.rows.insert_attempt(5)
    watch.poll()
    watch.rows.delete("attempts", 5)
    watch.poll()
    watch.rows.insert_attempt(5, user_id=RAVI, state="completed", result="fail")
    watch.polls(2)
    watch.rows.update_attempt(5, user_id=SOFIA)
    watch.polls(2)
    assert [(e.student_id, e.is_withdrawn) for e in watch.events(5)] == [(JANE, False), (RAVI, True), (SOFIA, False)]


def test_a_table_that_is_emptied_and_filled_again_tells_nothing_twice(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2, state="completed", result="pass")
    watch.poll()
    watch.rows.delete("attempts", 1)
    watch.rows.delete("attempts", 2)
    watch.poll()
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2, state="completed", result="pass")
    watch.polls(3)
    assert (watch.kinds(1), watch.kinds(2)) == (["exam_started"], ["exam_passed"])
    assert (watch.current(1), watch.current(2)) == (["exam_started"], ["exam_passed"])


def test_b10_a_time_that_is_corrected_is_followed(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="pass", last_answer_updated_time=NOW)
    watch.poll()
    watch.rows.update_attempt(1, last_answer_updated_time=NOW - 2 * DAY)
    watch.polls(2)
    assert [event.timestamp for event in watch.events(1)] == [NOW - 2 * DAY]


def test_d5_history_without_a_time_is_of_no_day(unread: Watch) -> None:
    watch = unread
    watch.rows.insert_attempt(
        1, state="completed", result="pass", date=None, last_started_time=None, last_answer_updated_time=None
    )
    watch.rows.insert_content_attempt(1, state="completed", created=NOW - DAY, completed_on=None)
    watch.poll()
    assert [event.timestamp for event in watch.events(1)] == [UNKNOWN_TIME]
    assert [event.timestamp for event in watch.events(1, CONTENT_ATTEMPTS)] == [NOW - DAY]


def test_metadata_that_changes_later_updates_the_event_silently(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="pass", score=70, percentile=None)
    watch.poll()
    watch.rows.update_attempt(1, score=72, percentile=88.25)

    polled = watch.poll()

    assert polled.new_events == 0
    told = metadata(watch.event(1))
    assert (told["score"], told["percentile"], told["attempt_number"]) == (72, 88.25, 1)
    assert watch.owed_for(1) == [("exam_passed", MARY)]


def test_polling_again_records_nothing_again(crossed: Watch) -> None:
    crossed.rows.insert_finished(1, 150)
    crossed.poll()
    crossed.rows.insert_attempt(200)
    crossed.rows.insert_attempt(201, state="completed", result="fail")
    crossed.rows.insert_content_attempt(3, state="viewed")
    crossed.poll()
    before = crossed.events(), crossed.owed()

    for _ in range(5):
        assert crossed.poll().new_events == 0

    assert (crossed.events(), crossed.owed()) == before


def test_a_poll_that_finds_nothing_writes_no_cursor_but_every_five_minutes(watch: Watch) -> None:
    watch.rows.insert_finished(1, 10)
    for _ in range(3):
        watch.poll()
    before = saved_cursors(watch)

    for _ in range(2):
        watch.poll(watch.now + timedelta(seconds=30))
    assert saved_cursors(watch) == before

    watch.poll(watch.now + 5 * MINUTE)
    assert all(version == before[name] + 1 for name, version in saved_cursors(watch).items())

    watch.rows.update_attempt(3, result="fail")
    watch.poll(watch.now + timedelta(seconds=30))
    assert ("attempts", 3, "exam_failed") in watch.facts()


def saved_cursors(watch: Watch) -> dict[str, int]:
    """How often each cursor was saved."""
    with watch.store.reading() as transaction:
        return {name: cursor.version for name, cursor in cursors.load_all(transaction).items()}


def test_a_restart_goes_on_where_the_last_process_stopped(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_attempt(1)
    crossed.poll()
    crossed.rows.update_attempt(1, state="completed", result="pass")
    crossed.rows.insert_attempt(2, user_id=RAVI)
    crossed.restart(LMS_SWEEP_ROWS="100")

    crossed.poll()

    assert crossed.facts() == [
        ("attempts", 1, "exam_passed"),
        ("attempts", 1, "exam_started"),
        ("attempts", 2, "exam_started"),
    ]
    assert len(crossed.owed()) == 3


# --- Odd values ------------------------------------------------------------------------------------------------------


def test_a_row_with_nulls_everywhere_is_stored(watch: Watch) -> None:
    watch.rows.run("INSERT INTO attempts (id, state) VALUES (1, 'started'), (2, 'completed')")
    watch.rows.run("INSERT INTO attempts (id) VALUES (3)")

    watch.polls(2)

    assert watch.facts() == [("attempts", 1, "exam_started"), ("attempts", 2, "exam_completed")]
    event = watch.event(1)
    assert (event.student_id, event.student_username, event.activity_id, event.activity_title) == (None,) * 4
    assert event.timestamp == watch.now - MINUTE, "when it was found"
    assert watch.owed() == []


def test_naive_times_are_in_the_time_zone_of_the_settings(lms_url: str, store_beside: str) -> None:
    watch = PollingWatch(lms_url, store_beside, LMS_TIMEZONE="Asia/Tashkent")
    watch.poll()
    if lms_url.startswith("postgresql"):
        watch.rows.run("ALTER TABLE attempts ALTER COLUMN date TYPE timestamp USING date AT TIME ZONE 'UTC'")
    watch.rows.insert_attempt(1, date="2026-03-02 16:30:00")

    watch.poll()

    assert watch.event(1).timestamp == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    watch.close()


def test_a_time_is_read_as_it_was_meant(watch: Watch) -> None:
    times = {
        "2026-03-02T12:00:00+00:00": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "2026-03-02 12:00:00.5+00": datetime(2026, 3, 2, 12, 0, 0, 500_000, tzinfo=UTC),
        "2026-03-02 17:30:00.123456+05:30": datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC),
        "2026-03-02T12:00:00Z": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "2031-01-01 00:00:00+00": datetime(2031, 1, 1, tzinfo=UTC),
        "9999-12-31 23:59:59+00": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    }
    for number, written in enumerate(times, 1):
        watch.rows.insert_attempt(number, date=written)
        watch.rows.insert_attempt(100 + number, state="completed", result="pass", last_answer_updated_time=written)

    watch.polls(2)

    assert {written: watch.event(n).timestamp for n, written in enumerate(times, 1)} == times
    assert {written: watch.event(100 + n).timestamp for n, written in enumerate(times, 1)} == times
    assert len(watch.owed()) == 2 * len(times)


@pytest.mark.parametrize("lms_url", ["sqlite"], indirect=True)
def test_the_last_time_there_is_can_be_read_from_a_store_east_of_greenwich(lms_url: str, postgresql: str) -> None:
    store = LmsRows(postgresql)
    store.run(f"ALTER DATABASE {store.engine.url.database} SET timezone = 'Asia/Tokyo'")
    watch = PollingWatch(lms_url, postgresql)
    watch.poll()
    watch.rows.insert_attempt(1, date="9999-12-31 23:59:59+00")

    watch.polls(2)

    assert watch.event(1).timestamp == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    watch.close()


def test_a_time_that_is_none_counts_as_the_moment_the_row_was_found(watch: Watch) -> None:
    on_sqlite = watch.rows.engine.dialect.name == "sqlite"
    odd = ["yesterday", "", "0000-00-00", "2026-02-30", "\x00", "12", "9" * 400, "-4713-01-01"]
    odd = odd if on_sqlite else ["infinity", "-infinity", "4713-01-01 BC", "10000-01-01", "294276-12-31 23:59:59+00"]
    for number, written in enumerate(odd, 1):
        watch.rows.insert_attempt(number, date=written)
        watch.rows.insert_attempt(100 + number, state="finished", last_answer_updated_time=written)
        watch.rows.insert_content_attempt(number, created=written, state="completed", completed_on=written)

    watch.poll()
    found_at = watch.now
    watch.polls(2)

    assert len(watch.events()) == 3 * len(odd)
    assert {event.timestamp for event in watch.events()} == {found_at}
    assert len(watch.owed()) == 3 * len(odd)
    for number in range(1, len(odd) + 1):
        assert metadata(watch.event(number, CONTENT_ATTEMPTS))["completed_on"] is None


def test_the_oldest_times_there_are_give_history(watch: Watch) -> None:
    watch.rows.insert_attempt(1, date="0001-01-01 00:00:00+00")
    watch.rows.insert_attempt(2, date="0001-01-01 00:00:00+05")
    watch.rows.insert_attempt(3, date="1899-12-31 23:59:59+00")

    watch.polls(2)

    assert [watch.kinds(number) for number in (1, 2, 3)] == [["exam_started"]] * 3
    assert watch.owed_for(1) == watch.owed_for(3) == []


def test_many_rows_with_one_time_are_each_recorded_once(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_finished(1, 370, at=NOW)

    crossed.polls(3)

    assert crossed.facts() == [("attempts", source_id, "exam_passed") for source_id in range(1, 371)]
    assert len(crossed.owed()) == 370


def test_numbers_that_are_none_do_not_stop_a_poll(watch: Watch) -> None:
    odd = 9e999 if watch.rows.engine.dialect.name == "sqlite" else "NaN"
    watch.rows.insert_attempt(1, state="completed", result="pass", percentile=odd)
    watch.rows.insert_attempt(2, state="completed", result="pass", percentile="-Infinity")

    watch.polls(2)

    assert watch.kinds(1) == watch.kinds(2) == ["exam_passed"]
    assert metadata(watch.event(1))["percentile"] is None


def test_text_of_any_kind_is_stored(watch: Watch) -> None:
    long = "Ж" * 100_000
    odd = "a@**all**\n```\t'\"%s{}\\u0000 \U0001f3c6 ‮\ufeff"
    watch.rows.run("UPDATE exams SET title = :title WHERE id = 502", {"title": long})
    watch.rows.insert_attempt(1, exam_id=TEST, state="completed", result=long, time_taken=odd)
    watch.rows.insert_attempt(2, state=long)
    watch.rows.insert_attempt(3, username=odd, user_id=None)

    watch.polls(2)

    assert watch.event(1).activity_title == long
    assert metadata(watch.event(1))["time_taken"] == odd
    assert watch.event(3).student_username == odd


@pytest.mark.parametrize("lms_url", ["sqlite"], indirect=True)
def test_sqlite_text_that_no_other_database_would_hold_is_stored(lms_url: str, postgresql: str, tmp_path: Path) -> None:
    for store_url in (postgresql, f"sqlite:///{tmp_path}/other.db"):
        watch = PollingWatch(lms_url, store_url)
        watch.rows.run("DELETE FROM attempts")
        watch.poll()
        with closing(sqlite3.connect(lms_url.removeprefix("sqlite:///"))) as db, db:
            db.execute(
                "INSERT INTO attempts (id, state, username, time_taken, result, user_id, exam_id, score)"
                " VALUES (1, 'completed', CAST(x'6100ff62' AS TEXT), CAST(x'eda080' AS TEXT), char(0, 112), 'nobody',"
                " 1.5, x'00ff')"
            )
            db.execute("INSERT INTO attempts (id, state) VALUES (2, char(113, 0, 114))")
            db.execute("INSERT INTO attempts (id, state) VALUES (3, CAST(x'edb080' AS TEXT))")

        watch.polls(2)

        assert watch.kinds(1) == ["exam_completed"]
        assert "\x00" not in watch.event(1).student_username
        assert (watch.event(1).student_id, watch.event(1).activity_id) == (None, None)
        watch.close()


# --- Ids -------------------------------------------------------------------------------------------------------------


def test_ids_may_come_in_any_order_and_be_negative(watch: Watch) -> None:
    ids = [5000, 17, 2**31 - 1, -4, 0, 16, -(2**31), 2, 4999]
    for source_id in ids:
        watch.rows.insert_attempt(source_id)
        watch.poll()

    assert watch.facts() == [("attempts", source_id, "exam_started") for source_id in sorted(ids)]
    assert len(watch.owed()) == len(ids)


def test_negative_ids_are_history_like_any_other(unread: Watch) -> None:
    unread.rows.insert_finished(-150, 150)

    unread.polls(3)

    assert len(unread.facts()) == 301
    assert unread.owed() == []


def test_a_baseline_of_negative_ids_alone_is_finished(unread: Watch) -> None:
    unread.rows.insert_finished(-250, -1)
    unread.poll()
    assert len(unread.facts()) == 250
    unread.rows.insert_attempt(0)
    unread.rows.insert_attempt(-300)

    unread.polls(10)

    assert unread.owed() == [("attempts", -300, "exam_started", MARY), ("attempts", 0, "exam_started", MARY)]


@pytest.mark.parametrize("lowest", [-99, -49, 1])
def test_the_sweep_passes_over_every_id(unread: Watch, lowest: int) -> None:
    unread.rows.insert_finished(lowest, 400)
    unread.poll()
    unread.rows.update_attempt(lowest, result="fail")
    unread.rows.update_attempt(150, result="fail")
    unread.rows.update_attempt(399, result="fail")

    unread.polls(24)

    assert [unread.current(number) for number in (lowest, 150, 399)] == [["exam_failed"]] * 3


def test_rows_far_below_the_highest_id_are_found(unread: Watch) -> None:
    unread.rows.insert_finished(10_000, 10_500)
    unread.poll()
    unread.rows.insert_attempt(3, user_id=OBRIEN)
    unread.rows.insert_attempt(9_999)

    unread.polls(30)

    assert unread.owed() == [("attempts", 3, "exam_started", OMAR), ("attempts", 9_999, "exam_started", MARY)]


def test_a_burst_of_many_pages_is_recorded_in_one_poll(crossed: Watch) -> None:
    crossed.rows.insert_finished(1, 10)
    crossed.poll()
    crossed.rows.insert_finished(11, 960, at=NOW)

    polled = crossed.poll()

    assert polled.new_events == 950
    assert len(crossed.owed()) == 950


def test_changes_killed_before_any_commit_are_recorded_once_by_the_next_poll(
    unread: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread.rows.insert_finished(1, 10)
    unread.rows.insert_attempt(11)
    unread.poll()
    for killed_at in range(1, 7):
        base = killed_at * 1000
        unread.rows.insert_finished(base + 1, base + 350, at=NOW)
        unread.rows.insert_attempt(base)
        unread.rows.update_attempt(base - 1000 if killed_at > 1 else 11, state="completed", result="fail")
        unread.rows.insert_content_attempt(killed_at)
        with monkeypatch.context() as patch:
            kill_in_write(patch, killed_at)
            with pytest.raises(Killed):
                unread.poll(NOW + MINUTE)
        unread.restart(LMS_SWEEP_ROWS="100")
        unread.poll(NOW + MINUTE)

    unread.polls(3)

    facts, owed = unread.facts(), unread.owed()
    assert len(facts) == 10 + 1 + 6 * 350 + 6 + 6 + 6
    assert len(owed) == len(facts) - 11 == len(set(owed))
    assert unread.kinds(11) == unread.kinds(5000) == ["exam_started", "exam_failed"]


# --- Two at once, and a store that fails -----------------------------------------------------------------------------


@pytest.mark.parametrize("second_polls_before_write", range(1, 4))
def test_two_polls_at_once_record_each_state_once_and_agree_on_what_is_current(
    watch: Watch, lms_url: str, store_beside: str, second_polls_before_write: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()
    watch.rows.insert_attempt(2)
    watch.rows.update_attempt(1, state="completed", result="pass")
    other = PollingWatch(lms_url, store_beside)
    writing, count = Store.writing, 0

    def overtaken(store: Store) -> Any:
        nonlocal count
        if store is watch.store:
            count += 1
            if count == second_polls_before_write:
                watch.rows.update_attempt(2, state="completed", result="fail")
                watch.rows.insert_attempt(3)
                other.poll(watch.now)
        return writing(store)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", overtaken)
        watch.poll()
    watch.rows.update_attempt(3, state="completed", result=None)
    watch.polls(3)
    other.poll(watch.now + MINUTE)

    assert watch.kinds(1) == ["exam_started", "exam_passed"]
    assert set(watch.kinds(2)) <= {"exam_started", "exam_failed"}
    assert "exam_completed" in watch.kinds(3)
    assert [watch.current(number) for number in (1, 2, 3)] == [["exam_passed"], ["exam_failed"], ["exam_completed"]]
    assert len(watch.owed()) == len(watch.facts()) == len(set(watch.facts()))
    other.close()


@pytest.mark.parametrize("first_polls_twice", [False, True])
def test_a_poll_that_was_overtaken_by_a_whole_other_one_leaves_one_current_state(
    watch: Watch, lms_url: str, store_beside: str, first_polls_twice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PollingWatch(lms_url, store_beside)
    writing, overtaken = Store.writing, False
    watch.rows.insert_attempt(1)

    def slow(store: Store) -> Any:
        nonlocal overtaken
        if store is watch.store and not overtaken:
            overtaken = True
            other.poll(watch.now)
            if first_polls_twice:
                watch.rows.insert_attempt(2)
                other.poll(watch.now)
        return writing(store)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", slow)
        watch.poll()
    watch.rows.update_attempt(1, state="completed", result="pass")
    if first_polls_twice:
        watch.rows.update_attempt(2, state="completed", result="fail")
    watch.polls(3)

    assert (watch.kinds(1), watch.current(1)) == (["exam_started", "exam_passed"], ["exam_passed"])
    if first_polls_twice:
        assert (watch.kinds(2), watch.current(2)) == (["exam_started", "exam_failed"], ["exam_failed"])
    other.close()


def test_two_processes_that_begin_at_once_share_one_baseline(
    unread: Watch, lms_url: str, store_beside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread.rows.insert_finished(1, 250)
    other = PollingWatch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    writing, count = Store.writing, 0

    def overtaken(store: Store) -> Any:
        nonlocal count
        if store is unread.store:
            count += 1
            if count == 4:
                other.poll(unread.now)
                other.rows.insert_attempt(300)
                other.poll(unread.now)
        return writing(store)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", overtaken)
        unread.poll()
    unread.polls(4)

    assert unread.facts() == [
        *(("attempts", source_id, "exam_passed") for source_id in range(1, 251)),
        ("attempts", 300, "exam_started"),
    ]
    assert unread.owed() == [("attempts", 300, "exam_started", MARY)]
    other.close()


def test_a_store_that_is_full_moves_nothing_forward(tmp_path: Path, lms_url: str) -> None:
    watch = PollingWatch(lms_url, f"sqlite:///{tmp_path}/small.db")
    watch.poll()
    watch.rows.insert_finished(1, 3000, at=NOW)
    before = watch.events(), watch.owed()
    with watch.store.engine.connect() as connection:  # the only one of its pool
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {(pages or 0) + 5}")
    with pytest.raises(StoreUnavailable, match="full"):
        watch.poll()
    assert (watch.events(), watch.owed()) == before
    watch.restart()

    watch.poll()

    assert len(watch.events()) == len(watch.owed()) == 3000
    watch.close()


def test_a_store_that_is_locked_moves_nothing_forward(
    tmp_path: Path, lms_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms_bot.db.engine.STORE_LOCK_TIMEOUT", 0.1)
    watch = PollingWatch(lms_url, f"sqlite:///{tmp_path}/locked.db")
    watch.poll()
    watch.rows.insert_attempt(1)
    with closing(sqlite3.connect(tmp_path / "locked.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            watch.poll()
        db.execute("ROLLBACK")
    assert watch.events() == []

    watch.poll()

    assert watch.owed() == [("attempts", 1, "exam_started", MARY)]
    watch.close()


# --- People ----------------------------------------------------------------------------------------------------------


def test_an_event_of_a_student_without_mentor_is_stored_and_owed_to_nobody(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=SOFIA)

    watch.poll()

    event = watch.event(1)
    assert (event.student_id, event.student_username) == (SOFIA, "sofia_rossi")
    assert (event.mentor_id, event.mentor_username) == (None, None)
    assert watch.owed() == []


def test_an_event_of_a_student_with_two_mentors_is_owed_to_both(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_attempt(1, user_id=GULNORA)

    crossed.poll()

    assert crossed.owed_for(1) == [("exam_started", MARY), ("exam_started", OMAR)]
    assert (crossed.event(1).mentor_id, crossed.event(1).mentor_username) == (MARY, "mary")


def test_a_new_student_is_known_before_the_people_are_old(watch: Watch) -> None:
    _enrol(watch, 2001, "new_student", OMAR)
    watch.rows.insert_attempt(1, user_id=2001, username="new_student")

    watch.poll()

    assert watch.event(1).student_username == "new_student"
    assert watch.owed_for(1) == [("exam_started", OMAR)]


def test_a_new_student_known_by_username_alone_is_found_too(watch: Watch) -> None:
    _enrol(watch, 2001, "new_student", OMAR)
    watch.rows.insert_attempt(1, user_id=None, username="new_student")

    watch.poll()

    assert watch.event(1).student_id == 2001
    assert watch.owed_for(1) == [("exam_started", OMAR)]


def test_a_change_of_mentors_is_seen_within_five_minutes(watch: Watch) -> None:
    watch.rows.run(f'DELETE FROM "_MentorToStudent" WHERE "B" = {JANE}')
    watch.rows.run(f'INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES (900, {OMAR}, {JANE})')
    watch.poll(NOW + 7 * MINUTE)
    watch.rows.insert_attempt(1)

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", OMAR)]


def test_a_student_is_found_by_username_where_the_id_is_missing(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=None, username="gulnora")
    watch.rows.insert_attempt(2, user_id=None, username="nobody_of_this_school")

    watch.poll()

    assert (watch.event(1).student_id, watch.event(1).student_username) == (GULNORA, "gulnora")
    assert watch.owed_for(1) == [("exam_started", MARY), ("exam_started", OMAR)]
    assert (watch.event(2).student_id, watch.event(2).student_username) == (None, "nobody_of_this_school")
    assert watch.owed_for(2) == []


def test_a_username_is_filled_in_where_the_row_has_only_an_id(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=OBRIEN, username=None)
    watch.rows.insert_content_attempt(2, user_id=RAVI)

    watch.poll()

    assert watch.event(1).student_username == "obrien"
    assert watch.event(2, CONTENT_ATTEMPTS).student_username == "ravi_patel"


# --- What is told ----------------------------------------------------------------------------------------------------


def test_the_content_row_of_an_attempt_is_stored_and_not_told_again(crossed: Watch) -> None:
    crossed.poll()
    exam = {"chapter_content_id": QUIZ_CONTENT, "content_type": "Exam", "assessment_id": 1}
    crossed.rows.insert_attempt(1)
    crossed.rows.insert_content_attempt(10, **exam)
    crossed.poll()
    crossed.rows.update_attempt(1, state="completed", result="pass")
    crossed.rows.update_content_attempt(10, state="completed", completed_on=NOW)

    crossed.poll()

    assert crossed.kinds(10, CONTENT_ATTEMPTS) == ["content_started", "content_completed"]
    assert crossed.owed() == [("attempts", 1, "exam_passed", MARY), ("attempts", 1, "exam_started", MARY)]


def test_content_of_type_exam_without_an_attempt_and_other_content_with_one_are_told(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=SOFIA)
    watch.rows.insert_content_attempt(10, chapter_content_id=QUIZ_CONTENT, content_type="exam", assessment_id=None)
    watch.rows.insert_content_attempt(11, content_type="video", assessment_id=1)

    watch.poll()

    assert [row[1] for row in watch.owed()] == [10, 11]


EXAM_CONTENT = {"chapter_content_id": QUIZ_CONTENT, "content_type": "exam", "assessment_id": None}


def test_a11_content_that_is_an_exam_and_does_not_say_so_is_the_attempt_of_that_time(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_attempt(1)
    crossed.rows.insert_content_attempt(10, **EXAM_CONTENT)
    crossed.poll()
    at = NOW + 40 * MINUTE
    ended = {"state": "completed", "result": "fail", "last_answer_updated_time": at}
    crossed.rows.update_attempt(1, **ended)
    crossed.rows.update_content_attempt(10, state="completed", completed_on=at + MINUTE)
    crossed.poll(at + 2 * MINUTE)
    assert crossed.kinds(10, CONTENT_ATTEMPTS) == ["content_started", "content_completed"]
    assert [row[:3] for row in crossed.owed()] == [("attempts", 1, "exam_failed"), ("attempts", 1, "exam_started")]
    with crossed.store.reading() as transaction:
        assert len(feed.feed(transaction, [JANE], 9)) == 2


@pytest.mark.parametrize(
    "other",
    [{"user_id": RAVI}, {"exam_id": TEST}, {"last_answer_updated_time": NOW - 30 * MINUTE}],
    ids=["of another student", "at another exam", "at another time"],
)
def test_a11_content_beside_an_attempt_that_differs_is_told(watch: Watch, other: dict[str, Any]) -> None:
    ended = {"state": "completed", "result": "pass", "last_answer_updated_time": NOW, "date": NOW - 30 * MINUTE}
    watch.rows.insert_attempt(1, **ended | other)
    watch.rows.insert_content_attempt(10, **EXAM_CONTENT, completed_on=NOW)
    watch.rows.update_content_attempt(10, state="completed")
    watch.poll()
    assert [row[1:3] for row in watch.owed() if row[0] == CONTENT_ATTEMPTS] == [(10, "content_completed")]


def test_a11_content_whose_attempt_is_found_later_is_told_no_more_if_it_waits(watch: Watch) -> None:
    watch.rows.insert_content_attempt(10, **EXAM_CONTENT, completed_on=NOW)
    watch.rows.update_content_attempt(10, state="completed")
    watch.poll()
    watch.rows.insert_attempt(1, state="completed", result="fail", last_answer_updated_time=NOW)
    watch.poll()
    with watch.store.reading() as transaction:
        assert pending.count_pending(transaction) == 1
        (told,) = feed.feed(transaction, [JANE], 9)
    assert told.event_type == "exam_failed"


def test_kinds_that_are_not_told_are_stored_all_the_same(lms_url: str, store_beside: str) -> None:
    watch = PollingWatch(lms_url, store_beside, LMS_EVENT_TYPES_TO_MONITOR="exam_passed, content_watched")
    watch.poll()
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2, state="completed", result="pass")
    watch.rows.insert_content_attempt(3, state="completed")
    watch.rows.insert_content_attempt(4, state="viewed")

    watch.poll()

    assert len(watch.facts()) == 4
    assert watch.owed() == [("attempts", 2, "exam_passed", MARY), ("content_attempts", 4, "content_watched", MARY)]
    watch.close()


def test_telling_that_is_turned_on_later_starts_from_then(lms_url: str, store_beside: str) -> None:
    watch = PollingWatch(lms_url, store_beside, LMS_NOTIFY_MENTORS_ENABLED="false")
    watch.poll()
    watch.rows.insert_attempt(1)
    watch.poll()
    assert (watch.kinds(1), watch.owed()) == (["exam_started"], [])
    watch.restart(LMS_NOTIFY_MENTORS_ENABLED="true")
    watch.poll()
    assert watch.owed() == []
    watch.rows.insert_attempt(2)
    watch.rows.update_attempt(1, state="completed", result="pass")

    watch.poll()

    assert watch.owed() == [("attempts", 1, "exam_passed", MARY), ("attempts", 2, "exam_started", MARY)]
    watch.close()


# --- The event -------------------------------------------------------------------------------------------------------


def test_an_exam_event_has_the_columns_and_metadata_of_the_contract(crossed: Watch) -> None:
    crossed.poll()
    start, end = NOW - 2 * DAY, NOW - timedelta(hours=1)
    crossed.rows.insert_attempt(
        1,
        user_id=RAVI,
        exam_id=TEST,
        state="Finished",
        result="Pass",
        date=start,
        last_started_time=start,
        last_answer_updated_time=end,
        correct_answers_count=20,
        incorrect_answers_count=4,
        unanswered_count=1,
        score=85,
        percentage=85,
        percentile=91.5,
        speed=33,
        time_taken="0:45:00",
    )
    crossed.poll()

    event = crossed.event(1)
    assert (event.event_type, event.student_id, event.student_username) == ("exam_passed", RAVI, "ravi_patel")
    assert (event.mentor_id, event.mentor_username) == (MARY, "mary")
    assert (event.activity_id, event.activity_title) == (TEST, "Functions and Modules Test")
    assert (event.timestamp, event.created_at, event.is_current) == (end, crossed.now, True)
    assert metadata(event) == {
        "score": 85,
        "percentage": 85,
        "result": "Pass",
        "time_taken": "0:45:00",
        "correct_answers": 20,
        "incorrect_answers": 4,
        "unanswered": 1,
        "percentile": 91.5,
        "speed": 33,
        "course_title": "Python Foundations",
        "attempt_number": 1,
    }


def test_a_content_event_has_the_columns_and_metadata_of_the_contract(crossed: Watch) -> None:
    crossed.poll()
    crossed.rows.insert_content_attempt(
        4,
        user_id=OBRIEN,
        course_id=2,
        chapter_id=22,
        chapter_content_id=2201,
        state="Completed",
        created=NOW - DAY,
        completed_on=NOW,
        correct_answers_count=3,
        incorrect_answers_count=0,
    )
    crossed.poll()

    event = crossed.event(4, CONTENT_ATTEMPTS)
    assert (event.event_type, event.student_id, event.student_username) == ("content_completed", OBRIEN, "obrien")
    assert (event.activity_id, event.activity_title) == (2201, "Inner and Outer Joins")
    assert event.timestamp == NOW
    told = metadata(event)
    assert datetime.fromisoformat(told.pop("completed_on")) == NOW
    assert told == {
        "content_type": "video",
        "state": "Completed",
        "course_title": "Databases with SQL",
        "chapter_name": "Joining Tables",
        "correct_answers": 3,
        "incorrect_answers": 0,
    }


def test_metadata_name_every_key_even_where_nothing_is_known(watch: Watch) -> None:
    watch.rows.run("INSERT INTO attempts (id, state) VALUES (1, 'completed')")
    watch.rows.insert_attempt(2, exam_id=ENTRANCE_TEST)
    watch.rows.insert_content_attempt(3)

    watch.poll()

    assert set(metadata(watch.event(1))) >= EXAM_KEYS - {"attempt_number"}
    assert set(metadata(watch.event(2))) == EXAM_KEYS
    assert metadata(watch.event(2))["course_title"] is None
    assert set(metadata(watch.event(3, CONTENT_ATTEMPTS))) == CONTENT_KEYS


def test_an_event_is_timed_by_its_end_or_its_start_or_when_it_was_found(watch: Watch) -> None:
    start, again, end = NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - MINUTE
    watch.rows.insert_attempt(1, date=start, last_started_time=again, last_answer_updated_time=end)
    watch.rows.insert_attempt(2, date=start, last_answer_updated_time=end, state="completed", result="pass")
    watch.rows.insert_attempt(3, date=start, last_answer_updated_time=None, state="completed", result="pass")
    watch.rows.insert_attempt(4, date=None)
    watch.rows.insert_content_attempt(5, created=start, completed_on=end)
    watch.rows.insert_content_attempt(6, created=start, completed_on=end, state="watched")
    watch.rows.insert_content_attempt(7, created=start, completed_on=None, state="completed")

    watch.poll()

    exams = [watch.event(number).timestamp for number in (1, 2, 3, 4)]
    contents = [watch.event(number, CONTENT_ATTEMPTS).timestamp for number in (5, 6, 7)]
    assert exams == [start, end, watch.now, watch.now]
    assert contents == [start, end, watch.now]


def test_attempts_at_one_exam_are_numbered_for_each_student(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="fail")
    watch.rows.insert_attempt(2, user_id=RAVI)
    watch.rows.insert_attempt(3, exam_id=TEST)
    watch.rows.insert_attempt(4, state="completed", result="fail")
    watch.poll()
    watch.rows.insert_attempt(5)
    watch.poll()
    watch.rows.update_attempt(5, state="completed", result="pass")
    watch.poll()

    numbers = {number: metadata(watch.events(number)[-1])["attempt_number"] for number in range(1, 6)}
    assert numbers == {1: 1, 2: 1, 3: 1, 4: 2, 5: 3}
    assert [metadata(event)["attempt_number"] for event in watch.events(5)] == [3, 3]


def test_a_title_that_came_later_than_the_last_look_is_read_at_once(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()
    watch.rows.run(
        "INSERT INTO exams (id, slug, title, duration, number_of_questions, created, modified)"
        f" VALUES (600, 'new-exam', 'New Exam', 10, 5, '{NOW.isoformat()}', '{NOW.isoformat()}')"
    )
    watch.rows.insert_attempt(2, exam_id=600)

    watch.poll()

    assert watch.event(2).activity_title == "New Exam"


# --- Deletions and clocks --------------------------------------------------------------------------------------------


def test_an_open_row_that_is_deleted_is_no_longer_current(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2, state="paused")
    watch.poll()
    watch.rows.delete("attempts", 1)
    watch.rows.delete("attempts", 2)

    watch.polls(2)

    assert (watch.kinds(1), watch.current(1)) == (["exam_started"], [])
    with watch.store.reading() as transaction:
        assert cursors.unknown_states(transaction) == []


def test_a_finished_row_that_is_deleted_keeps_its_event(watch: Watch) -> None:
    watch.rows.insert_attempt(1, state="completed", result="pass")
    watch.poll()
    watch.rows.delete("attempts", 1)

    watch.polls(3)

    assert watch.kinds(1) == ["exam_passed"]


def test_a_row_that_is_deleted_and_comes_back_is_not_told_again(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2)
    watch.poll()
    watch.rows.delete("attempts", 1)
    watch.polls(2)
    watch.rows.insert_attempt(1)
    watch.polls(2)
    assert (watch.kinds(1), watch.current(1)) == (["exam_started"], ["exam_started"])
    watch.rows.update_attempt(1, state="completed", result="pass")

    watch.poll()

    assert watch.current(1) == ["exam_passed"]
    assert watch.owed_for(1) == [("exam_passed", MARY), ("exam_started", MARY)]


def test_a_student_an_exam_and_a_mentor_that_are_deleted_do_not_stop_a_poll(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=OBRIEN, exam_id=ENTRANCE_TEST)
    watch.rows.insert_attempt(2, user_id=GULNORA)
    watch.poll()
    watch.rows.update_attempt(1, user_id=None, exam_id=None, username="obrien", state="completed", result="pass")
    watch.rows.run('DELETE FROM "_BatchToStudent" WHERE "B" = 1004')
    watch.rows.run('DELETE FROM "_MentorToStudent" WHERE "B" = 1004 OR "A" = 2')
    watch.rows.delete("students", OBRIEN)
    watch.rows.delete("exams", ENTRANCE_TEST)
    watch.rows.delete("mentors", OMAR)
    watch.rows.update_attempt(2, state="completed", result="pass")

    watch.poll(NOW + 10 * MINUTE)
    watch.polls(2)

    assert watch.kinds(1) == ["exam_started", "exam_passed"]
    assert watch.events(1)[0].activity_title == "Entrance Test"
    assert ("exam_passed", OMAR) not in watch.owed_for(2)
    assert ("exam_passed", MARY) in watch.owed_for(2)


def test_a_content_that_no_title_is_known_for_is_told_without_one(watch: Watch) -> None:
    if watch.rows.engine.dialect.name != "sqlite":
        watch.rows.run("ALTER TABLE content_attempts DROP CONSTRAINT content_attempts_chapter_content_id_fkey")
    watch.rows.insert_content_attempt(1, chapter_content_id=VIDEO + 8000)

    watch.polls(2)

    assert watch.event(1, CONTENT_ATTEMPTS).activity_title is None
    assert watch.owed_for(1, CONTENT_ATTEMPTS) == [("content_started", MARY)]


def test_a_clock_that_jumps_loses_and_doubles_nothing(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll(NOW + MINUTE)
    watch.poll(NOW + 400 * DAY)
    watch.rows.insert_attempt(2)
    watch.poll(NOW + 2 * MINUTE)
    watch.rows.update_attempt(1, state="completed", result="pass", last_answer_updated_time=NOW)
    watch.poll(NOW - 3 * DAY)
    watch.rows.update_attempt(2, state="completed", result="fail", last_answer_updated_time=NOW)
    watch.poll(NOW + 3 * MINUTE)

    assert watch.kinds(1) == ["exam_started", "exam_passed"]
    assert watch.kinds(2) == ["exam_started", "exam_failed"]
    assert len(watch.owed()) == 4


def test_a_missing_table_is_reported_without_a_url_and_the_poll_recovers(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.rows.run("ALTER TABLE attempts RENAME TO attempts_old")

    with pytest.raises(LmsBotError) as raised:
        watch.poll()

    assert "://" not in str(raised.value)
    watch.rows.run("ALTER TABLE attempts_old RENAME TO attempts")
    watch.rows.insert_attempt(1, exam_id=QUIZ)
    watch.poll()
    assert watch.kinds(1) == ["exam_started"]


def _enrol(watch: Watch, student_id: int, username: str, mentor_id: int) -> None:
    watch.rows.run(
        f"INSERT INTO students (id, username, is_active) VALUES ({student_id}, '{username}', :active)", {"active": True}
    )
    watch.rows.run(f'INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES (901, {mentor_id}, {student_id})')
