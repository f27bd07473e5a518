"""Days and streaks follow the events of the store, page by page, and are what counting anew gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lms_bot.core.streaks import Day, Kind
from lms_bot.store import tables
from lms_bot.store.session import Store
from lms_bot.store.streaks import days, streaks
from lms_bot.store.streaks.days import COUNTED
from tests.databases import lms_in_file, store_in_file
from tests.lms_rows import (
    CONTENT_ATTEMPTS,
    DAY,
    JANE,
    MINUTE,
    NOW,
    QUIZ_CONTENT,
    RAVI,
    SOFIA,
    LmsRows,
    Watch,
    classic_lms,
)

TODAY = NOW.date()
LEARNING, PRESENCE = (JANE, Kind.LEARNING), (JANE, Kind.PRESENCE)
BERLIN = "Europe/Berlin"
UTC = ZoneInfo("UTC")


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS without attempts and a store that has seen it."""
    watch = Watch(lms_url, store_beside)
    watch.poll()
    yield watch
    watch.close()


def kept(
    store: Store, zone: ZoneInfo = UTC
) -> tuple[dict[int, list[Day]], dict[tuple[int, str], list[tuple[date, date]]]]:
    """The days and the streaks of everybody, as the store has them."""
    with store.reading() as transaction:
        ids = set(transaction.scalars(sa.select(tables.student_days.c.student_id)))
        ids |= set(transaction.scalars(sa.select(tables.streaks.c.student_id)))
        found = days.between(transaction, ids, date(1990, 1, 1), date(2100, 1, 1), zone)
        runs = streaks.of_students(transaction, ids)
    return dict(found), {whose: [(one.first, one.last) for one in of_one] for whose, of_one in runs.items()}


def counted_anew(store: Store, zone: ZoneInfo) -> object:
    with store.writing() as transaction:
        days.recount(transaction, zone, NOW)
    return kept(store, zone)


def jane(watch: Watch) -> list[Day]:
    return kept(watch.store, watch.settings.timezone)[0].get(JANE, [])


def passes(watch: Watch, attempt_id: int, when: datetime, student: int = JANE) -> None:
    """A student passes the quiz at this moment."""
    watch.rows.insert_attempt(
        attempt_id,
        user_id=student,
        date=when - timedelta(minutes=30),
        last_answer_updated_time=when,
        state="completed",
        result="pass",
    )


# What counts


def test_a_start_is_activity_and_an_end_is_something_finished(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()
    assert jane(watch) == [Day(TODAY, 1, 0)]
    watch.rows.update_attempt(1, state="completed", result="pass", last_answer_updated_time=NOW)
    watch.poll()
    assert jane(watch) == [Day(TODAY, 2, 1)]
    assert kept(watch.store)[1] == {PRESENCE: [(TODAY, TODAY)], LEARNING: [(TODAY, TODAY)]}


def test_a_regraded_attempt_counts_once(watch: Watch) -> None:
    passes(watch, 1, NOW)
    watch.poll()
    watch.rows.update_attempt(1, result="fail")
    watch.polls(3)
    assert watch.current(1) == ["exam_failed"]
    assert jane(watch) == [Day(TODAY, 2, 1)]


def test_content_that_mirrors_an_attempt_counts_once(watch: Watch) -> None:
    passes(watch, 1, NOW)
    watch.rows.insert_content_attempt(
        5,
        content_type="exam",
        chapter_content_id=QUIZ_CONTENT,
        assessment_id=1,
        state="completed",
        completed_on=NOW,
    )
    watch.poll()
    assert [day.finished for day in jane(watch)] == [1]


def test_a_started_attempt_that_vanishes_was_activity(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()
    watch.rows.delete("attempts", 1)
    watch.poll()
    assert jane(watch) == [Day(TODAY, 1, 0)]


def test_an_end_that_is_taken_back_is_finished_no_more(watch: Watch) -> None:
    watch.rows.insert_content_attempt(5, state="completed", completed_on=NOW)
    watch.poll()
    watch.rows.update_content_attempt(5, state="started", completed_on=None)
    watch.polls(3)
    assert watch.current(5, CONTENT_ATTEMPTS) == ["content_started"]
    assert [day.finished for day in jane(watch)] == [0]
    assert LEARNING not in kept(watch.store)[1]


def test_an_attempt_that_turns_out_to_be_somebody_elses_counts_for_them(watch: Watch) -> None:
    passes(watch, 1, NOW)
    watch.poll()
    watch.rows.update_attempt(1, user_id=RAVI, username="ravi_patel")
    watch.polls(3)
    assert kept(watch.store)[0] == {RAVI: [Day(TODAY, 1, 1)]}
    assert set(kept(watch.store)[1]) == {(RAVI, Kind.LEARNING), (RAVI, Kind.PRESENCE)}


def test_a_time_to_come_counts_on_the_day_it_was_found(watch: Watch) -> None:
    passes(watch, 1, NOW + 400 * DAY)
    watch.poll()
    assert [day.day for day in jane(watch)] == [TODAY]


# Streaks in the store


def test_days_in_a_row_are_one_streak_and_a_late_day_joins_two(watch: Watch) -> None:
    passes(watch, 1, NOW - 4 * DAY)
    passes(watch, 2, NOW - 3 * DAY)
    passes(watch, 3, NOW - DAY)
    watch.poll()
    apart = kept(watch.store)[1][LEARNING]
    passes(watch, 4, NOW - 2 * DAY)
    watch.poll()
    assert apart == [(TODAY - 4 * DAY, TODAY - 3 * DAY), (TODAY - DAY, TODAY - DAY)]
    assert kept(watch.store)[1][LEARNING] == [(TODAY - 4 * DAY, TODAY - DAY)]


def test_what_was_there_before_the_first_poll_is_counted(lms_url: str, store_beside: str) -> None:
    watch = Watch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    watch.rows.insert_finished(1, 250, at=NOW - DAY)
    passes(watch, 900, NOW)
    watch.poll()
    assert [(day.day, day.finished) for day in jane(watch)] == [(TODAY - DAY, 250), (TODAY, 1)]
    assert kept(watch.store)[1][LEARNING] == [(TODAY - DAY, TODAY)]
    watch.close()


def test_a_store_whose_days_were_never_counted_is_counted_by_the_next_poll(watch: Watch) -> None:
    passes(watch, 1, NOW)
    watch.poll()
    expected = kept(watch.store)
    with watch.store.writing() as transaction:
        for table in (tables.student_days, tables.streaks):
            transaction.execute(sa.delete(table))
        transaction.execute(sa.delete(tables.facts).where(tables.facts.c.name == COUNTED))
    assert kept(watch.store) == ({}, {})
    watch.poll()
    assert kept(watch.store) == expected


def test_another_time_zone_in_the_settings_cuts_the_days_anew(watch: Watch) -> None:
    late = NOW.replace(hour=23, minute=30) - DAY
    passes(watch, 1, late)
    watch.poll()
    assert [day.day for day in jane(watch)] == [late.date()]
    watch.restart(LMS_TIMEZONE=BERLIN)
    watch.poll()
    assert [day.day for day in jane(watch)] == [late.date() + DAY]


def test_a_students_days_are_cut_by_the_time_zone_of_their_zulip_account(watch: Watch) -> None:
    late = NOW.replace(hour=23, minute=30) - DAY
    passes(watch, 1, late)
    watch.poll()
    with watch.store.writing() as transaction:
        transaction.execute(
            sa.insert(tables.zulip_users).values(
                user_id=77,
                full_name="Jane",
                email="jane@example.org",
                is_active=True,
                is_bot=False,
                is_guest=False,
                timezone=BERLIN,
            )
        )
        transaction.execute(sa.update(tables.students).values(zulip_user_id=77).where(_is_jane()))
        from lms_bot.pipeline.streaks import recount_moved_zones

        recount_moved_zones(transaction, watch.settings.timezone, NOW)
    assert [day.day for day in jane(watch)] == [late.date() + DAY]
    passes(watch, 2, late)
    watch.poll()
    assert [(day.day, day.finished) for day in jane(watch)] == [(late.date() + DAY, 2)]


def _is_jane() -> sa.ColumnElement[bool]:
    return tables.students.c.student_id == JANE


# What the LMS says of presence


def seen_by_lms(watch: Watch, *rows: tuple[str, str]) -> None:
    for student, day in rows:
        watch.rows.run(f"INSERT INTO student_activity_dates (student_id, activity_date) VALUES ('{student}', '{day}')")


def test_days_that_the_lms_saw_a_student_are_presence_and_no_learning(watch: Watch) -> None:
    before, yesterday = TODAY - 2 * DAY, TODAY - DAY
    seen_by_lms(watch, (str(JANE), before.isoformat()), (str(JANE), yesterday.isoformat()), ("nobody", "2026-02-28"))
    passes(watch, 1, NOW)
    watch.poll(NOW + 6 * MINUTE)
    assert jane(watch) == [Day(before, 0, 0, True), Day(yesterday, 0, 0, True), Day(TODAY, 1, 1)]
    assert kept(watch.store)[1] == {PRESENCE: [(before, TODAY)], LEARNING: [(TODAY, TODAY)]}
    seen_by_lms(watch, (str(JANE), TODAY.isoformat()))
    watch.poll(NOW + 12 * MINUTE)
    assert jane(watch)[-1] == Day(TODAY, 1, 1, True)
    assert kept(watch.store) == counted_anew(watch.store, UTC)


def test_when_a_student_was_last_active_is_presence(watch: Watch) -> None:
    watch.rows.run(f"UPDATE students SET last_active_date = '2026-03-02T10:00:00+00:00' WHERE id = {RAVI}")
    watch.poll(NOW + 6 * MINUTE)
    assert kept(watch.store)[0] == {RAVI: [Day(TODAY, 0, 0, True)]}


def test_days_to_come_and_days_of_no_calendar_are_left_out(watch: Watch) -> None:
    watch.rows.run(f"UPDATE students SET last_active_date = '0001-01-01T00:00:00+00:00' WHERE id = {RAVI}")
    seen_by_lms(watch, (str(JANE), "2036-03-02"), (str(SOFIA), "1970-01-01"))
    watch.poll(NOW + 6 * MINUTE)
    assert kept(watch.store) == ({}, {})


def test_an_lms_that_says_nothing_of_presence_is_polled_as_ever(watch: Watch) -> None:
    watch.rows.run("DROP TABLE student_activity_dates")
    watch.rows.run("ALTER TABLE students DROP COLUMN last_active_date")
    passes(watch, 1, NOW)
    watch.poll(NOW + 6 * MINUTE)
    assert jane(watch) == [Day(TODAY, 1, 1)]


def test_a_login_that_may_not_read_presence_polls_as_ever(postgresql: str, tmp_path: Path) -> None:
    from tests.school import fill_lms

    fill_lms(postgresql)
    rows = LmsRows(postgresql)
    rows.run("CREATE ROLE narrow LOGIN")
    try:
        rows.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow")
        rows.run("REVOKE ALL ON student_activity_dates, students FROM narrow")
        rows.run(
            "GRANT SELECT (id, username, email, first_name, last_name, display_name, is_active) ON students TO narrow"
        )
        narrow = rows.engine.url.set(username="narrow").render_as_string(hide_password=False)
        lms = classic_lms(narrow)
        assert lms.read_presence(0).days == lms.read_presence(0).moments == ()
        lms.close()
    finally:
        rows.run("DROP OWNED BY narrow")
        rows.run("DROP ROLE narrow")


def test_a6_a_start_that_is_given_to_another_student_is_no_day_of_the_former(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=RAVI, date=NOW)
    watch.poll()
    watch.rows.update_attempt(1, user_id=JANE)
    watch.polls(2)
    assert kept(watch.store) == ({JANE: [Day(TODAY, 1, 0)]}, {PRESENCE: [(TODAY, TODAY)]})


# However it came about, it is what counting anew gives

MOMENTS = st.integers(-120, 30).map(lambda hours: NOW + timedelta(hours=hours))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "pass", "fail", "delete", "watch", "unwatch", "hand over", "poll"]),
        st.integers(1, 4),
        MOMENTS,
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "Australia/Lord_Howe"])
@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(steps=STEPS)
def test_any_history_gives_what_counting_anew_gives(
    zone: str, steps: list[tuple[str, int, datetime]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("model")
    watch = Watch(lms_in_file(folder / "lms.db"), store_in_file(folder / "store.db"), LMS_TIMEZONE=zone)
    watch.poll()
    there: set[int] = set()
    for action, number, when in steps:
        _do(watch, there, action, number, when)
    watch.polls(3)
    incremental = kept(watch.store, ZoneInfo(zone))
    assert incremental == counted_anew(watch.store, ZoneInfo(zone))
    assert incremental[1] == _islands(incremental[0])
    watch.close()


def _do(watch: Watch, there: set[int], action: str, number: int, when: datetime) -> None:
    if action == "poll":
        watch.poll()
        return
    if number not in there:
        watch.rows.insert_attempt(number, date=when)
        watch.rows.insert_content_attempt(number, created=when)
        there.add(number)
    match action:
        case "pass" | "fail":
            watch.rows.update_attempt(number, state="completed", result=action, last_answer_updated_time=when)
        case "start":
            watch.rows.update_attempt(number, state="started", result=None, last_answer_updated_time=None)
        case "watch":
            watch.rows.update_content_attempt(number, state="watched", completed_on=when)
        case "unwatch":
            watch.rows.update_content_attempt(number, state="started", completed_on=None)
        case "hand over":
            watch.rows.update_attempt(number, user_id=RAVI)
        case "delete":
            watch.rows.delete("attempts", number)
            watch.rows.delete("content_attempts", number)
            there.discard(number)


def _islands(found: dict[int, list[Day]]) -> dict[tuple[int, str], list[tuple[date, date]]]:
    """The streaks of days, counted a second way."""
    result: dict[tuple[int, str], list[tuple[date, date]]] = {}
    for student_id, of_student in found.items():
        for kind in Kind:
            numbers = sorted(one.day.toordinal() for one in of_student if one.belongs_to(kind))
            firsts = [n for n in numbers if n - 1 not in numbers]
            lasts = [n for n in numbers if n + 1 not in numbers]
            if numbers:
                spans = zip(map(date.fromordinal, firsts), map(date.fromordinal, lasts), strict=True)
                result[student_id, kind] = list(spans)
    return result
