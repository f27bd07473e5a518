"""Who is told and who may ask follows the people of the LMS, and nothing owed is lost while they are away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.people import Census
from lms_bot.handlers import dispatch
from lms_bot.pipeline import replies
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.people import people, readings
from tests.alert_scenario import HOUR, AlertScenario
from tests.bot_process import Place
from tests.delivery_scenario import notifications
from tests.lms_rows import CROWD, DAY, JANE, MARY, MINUTE, NOW, OMAR, RAVI, SOFIA, Watch
from tests.questions import incoming

FAILED = {"state": "completed", "result": "fail", "score": 20, "percentage": 20}


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS without attempts and a store that has seen it, so that all that comes now is news."""
    watch = Watch(lms_url, store_beside)
    watch.poll()
    yield watch
    watch.close()


@pytest.fixture
def scenario(place_with_store: Place) -> Iterator[AlertScenario]:
    with AlertScenario.at(place_with_store) as scenario:
        scenario.poll(NOW)
        yield scenario


def link(watch: Watch, student_id: int, *mentor_ids: int) -> None:
    """From now on these are the student's mentors in the LMS."""
    watch.rows.run(f'DELETE FROM "_MentorToStudent" WHERE "B" = {student_id}')
    for place, mentor_id in enumerate(mentor_ids):
        row_id = 10 * student_id + place
        watch.rows.run(f'INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES ({row_id}, {mentor_id}, {student_id})')


@contextmanager
def statements_about_links(watch: Watch) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*given: object) -> None:
        asked.extend([str(given[2])] if "_MentorToStudent" in str(given[2]) else [])

    sa.event.listen(watch.lms.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(watch.lms.engine, "before_cursor_execute", note)


def stored_links(watch: Watch) -> int:
    with watch.store.reading() as transaction:
        return people.census(transaction).links


@contextmanager
def emptied(watch: Watch, table: str) -> Iterator[None]:
    """Within the block the table has no rows, as while a job fills it again."""
    if watch.rows.engine.dialect.name == "postgresql":
        watch.rows.run(f'ALTER TABLE "{table}" RENAME TO kept')
        watch.rows.run(f'CREATE TABLE "{table}" (LIKE kept)')
        yield
        watch.rows.run(f'DROP TABLE "{table}"')
        watch.rows.run(f'ALTER TABLE kept RENAME TO "{table}"')
    else:
        watch.rows.run(f'CREATE TABLE kept AS SELECT * FROM "{table}"')
        watch.rows.run(f'DELETE FROM "{table}"')
        yield
        watch.rows.run(f'INSERT INTO "{table}" SELECT * FROM kept')
        watch.rows.run("DROP TABLE kept")


# A link that moves


@pytest.mark.parametrize("minutes", [1, 4])
def test_a3_who_is_told_is_the_mentor_of_when_it_is_found(watch: Watch, minutes: int) -> None:
    link(watch, JANE, OMAR)
    watch.polls(minutes - 1)
    watch.rows.insert_attempt(1, **FAILED)
    watch.poll()
    assert watch.owed_for(1) == [("exam_failed", OMAR)]


def test_a3_a_link_to_a_mentor_who_is_new_too_is_followed(watch: Watch) -> None:
    watch.rows.run(
        "INSERT INTO mentors (id, username, created, students_count) VALUES (77, 'new_mentor', '2026-01-01', 1)"
    )
    link(watch, JANE, 77)
    watch.rows.insert_attempt(1, **FAILED)
    watch.poll()
    assert watch.owed_for(1) == [("exam_failed", 77)]


def test_a3_links_are_read_in_one_statement_and_only_when_they_are_in_question(watch: Watch) -> None:
    with statements_about_links(watch) as asked:
        watch.polls(3)
        assert asked == []
        for row_id in (1, 2):
            watch.rows.insert_attempt(row_id, user_id=(JANE, RAVI)[row_id - 1])
            watch.rows.insert_content_attempt(row_id)
        watch.poll()
        assert len(asked) == 1


def test_a3_a_mentor_who_asks_loses_a_student_with_the_next_poll(scenario: AlertScenario) -> None:
    scenario.ends("fail", NOW)
    scenario.poll()
    link(scenario.watch, JANE, OMAR)
    scenario.ask("history jane_smith")
    scenario.poll()
    assert "You have no student" in scenario.ask("history jane_smith")
    omar = scenario.place.people.omar
    assert "Python Basics Quiz" in scenario.ask("history jane_smith", omar)
    scenario.poll()
    with statements_about_links(scenario.watch) as asked:
        scenario.poll()
    assert asked == []


# A link that comes late


def test_a2_a_failure_whose_link_comes_a_minute_later_is_told(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=SOFIA, **FAILED)
    watch.poll()
    assert watch.owed_for(1) == []
    link(watch, SOFIA, OMAR, MARY)
    watch.poll()
    assert watch.owed_for(1) == [("exam_failed", MARY), ("exam_failed", OMAR)]
    assert (watch.event(1).mentor_id, watch.event(1).mentor_username) == (MARY, "mary")
    watch.polls(2)
    assert len(watch.owed_for(1)) == 2


def test_a2_a_second_mentor_is_not_told_what_the_first_was(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=SOFIA, **FAILED)
    watch.poll()
    link(watch, SOFIA, OMAR)
    watch.poll()
    link(watch, SOFIA, OMAR, MARY)
    watch.polls(6)
    assert watch.owed_for(1) == [("exam_failed", OMAR)]


def test_a2_what_is_a_week_old_when_the_link_comes_is_history(watch: Watch) -> None:
    watch.rows.insert_attempt(1, user_id=SOFIA, **FAILED)
    watch.poll()
    link(watch, SOFIA, OMAR)
    watch.poll(NOW + 8 * DAY)
    assert watch.owed_for(1) == []


# A table that is filled again


def test_a1_a_reading_that_loses_many_or_all_is_unusual() -> None:
    before = Census(100, 20, 150)
    usual = [before, Census(90, 20, 150), Census(100, 11, 150), Census(100, 20, 136), Census(300, 30, 300)]
    assert not any(before.loses_too_many(after) for after in usual)
    odd = [Census(89, 20, 150), Census(100, 9, 150), Census(100, 20, 134), Census(100, 20, 0), Census(0, 0, 0)]
    assert all(before.loses_too_many(after) for after in odd)
    assert Census(3, 1, 3).loses_too_many(Census(3, 0, 3))
    assert not Census(3, 2, 3).loses_too_many(Census(2, 1, 1))
    assert not Census(0, 0, 0).loses_too_many(Census(0, 0, 0))


@pytest.mark.parametrize("table", ["_MentorToStudent", "mentors", "students"])
@pytest.mark.parametrize("minutes", [1, 8])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a1_a_digest_survives_a_table_that_is_filled_again(scenario: AlertScenario, table: str, minutes: int) -> None:
    scenario.ask("notify failed digest")
    scenario.ask("digest 13")
    for student in (JANE, RAVI):
        scenario.ends("fail", NOW + 2 * MINUTE, student=student)
        scenario.ends("fail", NOW + 3 * MINUTE, student=student)
    scenario.live(NOW + 58 * MINUTE, every=2 * MINUTE)
    open_before = [(one.name, one.mentor_id, one.student_id) for one in scenario.opened()]
    assert len(open_before) == 2
    assert failures_told(scenario) == []
    with emptied(scenario.watch, table):
        for minute in range(minutes):
            scenario.poll(NOW + (59 + minute) * MINUTE)
        assert table == "students" or failures_told(scenario) == []
    scenario.ends("fail", scenario.now, student=RAVI, exam=507)
    for _ in range(6):
        scenario.poll()
    scenario.live(NOW + DAY + 2 * HOUR, every=HOUR)
    rows = [row for row in notifications(scenario.watch.store) if row.title in ("Python Basics Quiz", "Entrance Test")]
    assert [(row.mentor_id, row.is_sent) for row in rows] == 7 * [(MARY, True)]  # five failures, two alerts
    assert "Entrance Test" in "".join(failures_told(scenario))
    assert [(one.name, one.mentor_id, one.student_id) for one in scenario.opened()][:2] == open_before


def failures_told(scenario: AlertScenario) -> list[str]:
    """The messages of failures that Mary was sent."""
    texts = [one.content for one in scenario.place.zulip.direct_to(scenario.place.people.mary)]
    return [text for text in texts if "❌" in text and "💡" not in text]


def test_a1_links_that_stay_away_are_believed_after_five_minutes(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()
    links = stored_links(watch)
    with emptied(watch, "_MentorToStudent"):
        watch.rows.insert_attempt(2)
        watch.polls(5)
        assert stored_links(watch) == links
        watch.polls(2)
        assert stored_links(watch) == 0
        watch.rows.insert_attempt(3, **FAILED)
        watch.poll()
        assert watch.owed_for(3) == []
    watch.poll()
    assert stored_links(watch) == links
    assert watch.owed_for(3) == [("exam_failed", MARY)]


def test_a1_a_table_that_is_being_filled_is_not_believed_because_it_takes_long(watch: Watch) -> None:
    watch.rows.insert_crowd(100)
    for student_id in range(CROWD, CROWD + 100):
        link(watch, student_id, OMAR)
    watch.poll(NOW + 10 * MINUTE)
    links = stored_links(watch)
    kept = watch.rows.value('SELECT max(id) FROM "_MentorToStudent"')
    watch.rows.run('CREATE TABLE kept AS SELECT * FROM "_MentorToStudent"')
    watch.rows.run('DELETE FROM "_MentorToStudent"')
    watch.now += 5 * MINUTE
    for step in range(1, 8):
        watch.poll()
        watch.rows.run(
            f'INSERT INTO "_MentorToStudent" SELECT * FROM kept WHERE id > {kept - step * 120}'
            f" AND id <= {kept - (step - 1) * 120}"
        )
        assert stored_links(watch) == links
    watch.rows.run('DELETE FROM "_MentorToStudent"')
    watch.rows.run('INSERT INTO "_MentorToStudent" SELECT * FROM kept')
    watch.poll()
    assert stored_links(watch) == links


def test_a1_a_doubt_does_not_outlast_the_lms(watch: Watch) -> None:
    with watch.store.writing() as transaction:
        assert not readings.note_reading(transaction, Census(0, 0, 0), NOW)
        assert readings.are_in_doubt(transaction, NOW + timedelta(minutes=14))
        assert not readings.are_in_doubt(transaction, NOW + timedelta(minutes=15))


# One person who is two mentors


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a10_one_person_who_is_two_mentors_gets_one_alert(scenario: AlertScenario) -> None:
    rows = scenario.watch.rows
    rows.run(
        "INSERT INTO mentors (id, username, email, created, students_count)"
        f" SELECT 77, 'mary_again', upper(email), created, 1 FROM mentors WHERE id = {MARY}"
    )
    link(scenario.watch, JANE, 77, MARY)
    link(scenario.watch, RAVI, 77)
    for student in (JANE, RAVI):
        scenario.ends("fail", NOW + MINUTE, student=student)
        scenario.ends("fail", NOW + 2 * MINUTE, student=student)
    scenario.live(NOW + 10 * MINUTE, every=MINUTE)
    assert sorted((one.mentor_id, one.student_id) for one in scenario.opened()) == [(MARY, JANE), (77, RAVI)]
    assert len(scenario.told()) == 2
    failed = [row for row in notifications(scenario.watch.store) if row.title == "Python Basics Quiz"]
    assert len({row.event_id for row in failed}) == len(failed) == 6
    assert all(row.is_sent for row in failed)
    assert "2 open alerts" in scenario.ask("open")
    assert scenario.ask("why-not jane_smith").count("🔎") == 1


# What a former mentor is shown


@pytest.fixture
def after_move(scenario: AlertScenario) -> AlertScenario:
    """Jane failed twice, which Mary was told; Jane is Omar's now."""
    for minute in (1, 2):
        scenario.ends("fail", NOW + minute * MINUTE)
    scenario.live(NOW + 4 * MINUTE, every=MINUTE)
    assert scenario.name_of(JANE) in scenario.told()[0]
    scenario.ask("open")
    link(scenario.watch, JANE, OMAR)
    scenario.poll()
    return scenario


def test_b4_a_former_mentor_gets_the_reply_for_what_is_unknown(after_move: AlertScenario) -> None:
    name = after_move.name_of(JANE)
    assert after_move.ask(f"why {name}") == after_move.ask("why ZZ9999").replace("ZZ9999", name)
    assert after_move.ask(f"ack {name}") == after_move.ask("ack ZZ9999").replace("ZZ9999", name)
    known = {row.event_id for row in notifications(after_move.watch.store)}
    for number in known:
        assert after_move.ask(f"why {number}") == after_move.ask("why 99999")
    assert "jane" not in after_move.ask("open").lower()


def test_b4_what_waits_about_a_student_is_not_shown_to_a_former_mentor(scenario: AlertScenario) -> None:
    scenario.ask("quiet 0:00-23:59")
    for minute in (1, 2):
        scenario.ends("fail", NOW + minute * MINUTE)
    scenario.live(NOW + 4 * MINUTE, every=MINUTE)
    assert "Jane Smith" in scenario.ask("pending")
    link(scenario.watch, JANE)
    scenario.poll()
    assert "Jane Smith" not in scenario.ask("pending")
    assert "Jane Smith" not in scenario.ask("open")
    name = scenario.name_of(JANE)
    assert scenario.ask(f"why {name}") == scenario.ask("why ZZ9999").replace("ZZ9999", name)


def test_b4_a_choice_and_more_end_with_the_link(scenario: AlertScenario) -> None:
    for number in range(45):
        scenario.ends("pass", NOW + MINUTE, exam=501 + number % 2)
    scenario.poll(NOW + 2 * MINUTE)
    assert "more" in scenario.ask("history jane_smith")
    link(scenario.watch, JANE, OMAR)
    scenario.poll()
    assert "jane_smith" not in scenario.ask("more").replace("“jane_smith”", "")
    assert "You have no student" in scenario.ask("history jane_smith")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_b5_an_answer_that_comes_late_is_withheld_from_who_lost_the_right(scenario: AlertScenario) -> None:
    scenario.ends("fail", NOW)
    scenario.poll()
    mary, omar = scenario.place.people.mary, scenario.place.people.omar
    answer, other = scenario.ask("history jane_smith"), scenario.ask("history obrien", omar)
    scenario.watch.rows.run(f'DELETE FROM "_MentorToStudent" WHERE "B" = {JANE}')
    scenario.live(NOW + 6 * MINUTE, every=MINUTE)
    told = [one.content for one in scenario.place.zulip.direct_to(mary)]
    assert answer not in told
    assert told.count(replies.WITHHELD) == 1
    assert other in [one.content for one in scenario.place.zulip.direct_to(omar)]


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("is_private", [True, False])
def test_b5_a_late_answer_to_an_admin_waits_for_no_stream_that_is_open(
    scenario: AlertScenario, is_private: bool
) -> None:
    zulip, ada = scenario.place.zulip, scenario.place.people.ada
    stream = zulip.find_stream("lms-admin")
    assert stream is not None
    stream_id = stream.stream_id
    with scenario.watch.store.writing() as transaction:
        admin_channel.keep(transaction, AdminChannel(stream_id, stream.name, stream.name, ada), scenario.now)
    asked = incoming("user jane_smith", ada, 4_000_000, scenario.now, stream_id=stream_id)
    (message,) = dispatch.answer(scenario.watch.store, asked, scenario.settings, scenario.now, stream_id)[:1]
    if not is_private:
        zulip.make_public("lms-admin")
    scenario.live(NOW + 3 * MINUTE, every=MINUTE)
    told = [one.content for one in zulip.messages]
    assert (message.content in told, replies.WITHHELD in told) == (is_private, not is_private)


# What is the former mentor's own


def test_a17_the_mute_of_a_former_mentor_is_not_the_new_ones(scenario: AlertScenario) -> None:
    scenario.ask("mute jane_smith 30d")
    scenario.ends("fail", NOW)
    scenario.poll()
    mary, omar = scenario.place.people.mary, scenario.place.people.omar
    assert failures_told(scenario) == []
    link(scenario.watch, JANE, OMAR)
    scenario.ask("students")
    scenario.poll()
    texts = [one.content for one in scenario.place.zulip.direct_to(omar)]
    assert any("Exam Failed" in text and "Python Basics Quiz" in text for text in texts)
    scenario.live(NOW + 31 * DAY, every=DAY)
    assert not any("Exam Failed" in one.content for one in scenario.place.zulip.direct_to(mary))


def test_a17_what_waits_for_a_new_mentor_waits_as_long_as_they_want(scenario: AlertScenario) -> None:
    omar = scenario.place.people.omar
    scenario.ask("mute jane_smith 30d")
    scenario.ask("notify failed digest", omar)
    scenario.ask("digest 14", omar)
    scenario.ends("fail", NOW)
    scenario.poll()
    link(scenario.watch, JANE, OMAR)
    scenario.ask("students")
    scenario.poll()
    told = [row.due_at for row in notifications(scenario.watch.store) if row.mentor_id == OMAR]
    assert told == [NOW + 2 * HOUR]
