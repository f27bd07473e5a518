"""Alerts about students: told once, in their order, in good time, and never when they are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.pipeline import alerts
from lms_bot.store import tables
from lms_bot.store.alerts import watchlist
from lms_bot.store.notifications import preferences
from lms_bot.store.operations import incidents
from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import BOTH, Place
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OBRIEN, RAVI

MONDAY = NOW  # 2 March 2026, noon


@pytest.fixture
def scenario(place: Place) -> Iterator[AlertScenario]:
    with AlertScenario.at(place) as scenario:
        yield scenario


def begin(scenario: AlertScenario) -> None:
    """Jane and Ravi have learned this morning; the rules are looked at from now on."""
    for student in (JANE, RAVI):
        scenario.ends("pass", NOW - HOUR, student=student, percent=80)
    scenario.poll(NOW)


# Told


@BOTH
def test_who_stops_learning_is_told_of_after_five_days_once(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("pass", NOW + 3 * DAY, student=RAVI)
    scenario.live(NOW + 4.9 * DAY)
    assert scenario.told() == []
    scenario.live(NOW + 7 * DAY)
    [text] = scenario.told()
    assert text.startswith(
        "🟡 **Inactive** · A1\n\n**Jane Smith** (jane_smith) has finished nothing since <time:2026-03-02T11:00:00Z>.\n"
    )
    assert "📅 Since: <time:2026-03-07T11:00:00Z>" in text
    assert all(f"`{command} A1" in text for command in ("ack", "snooze", "done", "why"))


def test_it_grows_more_serious_and_each_step_is_told(scenario: AlertScenario) -> None:
    scenario.ends("fail", NOW - HOUR, percent=20)
    scenario.poll(NOW)
    scenario.live(NOW + 12 * DAY)
    inactive = [text.partition(" ")[0] for text in scenario.told() if "**Inactive**" in text and "Nobody" not in text]
    assert inactive == ["🟡", "🟠", "🔴"]
    assert [alert.outcome for alert in scenario.alerts("inactive", student_id=JANE)] == ["grew", "grew", None]


def test_each_alert_is_a_message_of_its_own_to_the_student_s_mentors(scenario: AlertScenario) -> None:
    for student in (JANE, RAVI, GULNORA, OBRIEN):
        scenario.ends("pass", NOW - HOUR, student=student)
    scenario.poll(NOW)
    scenario.live(NOW + 6 * DAY)
    mary, omar = scenario.told(), scenario.told(scenario.place.people.omar)
    assert sorted(text.split("**")[3] for text in mary) == ["Jane Smith", "Ravi Patel", "Гульнора Каримова"]
    assert sorted(text.split("**")[3] for text in omar) == ["Sean O'Brien", "Гульнора Каримова"]
    assert scenario.told(scenario.place.people.lucy) == []


def test_the_same_exam_failed_twice_is_told_with_the_next_poll(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("fail", NOW + HOUR, percent=40)
    scenario.poll(NOW + 2 * HOUR)
    assert scenario.told() == []
    scenario.ends("fail", NOW + 3 * HOUR, percent=35)
    scenario.poll(NOW + 3.1 * HOUR)
    [text] = scenario.told()
    assert "has failed **Python Basics Quiz** 2 times without a pass (40%, 35%)" in text


def test_an_alert_is_an_event_like_others(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.live(NOW + 6 * DAY)
    event = scenario.watch.event(scenario.opened("inactive")[0].alert_id, "student_alerts")
    assert (event.event_type, event.student_id, event.mentor_id) == ("student_alert", JANE, MARY)
    assert "student_alert" not in scenario.ask("feed")
    assert "Inactive" not in scenario.ask("history jane_smith")


# Not told


def test_what_is_true_when_the_rules_are_first_looked_at_stands_in_open_and_is_not_sent(
    scenario: AlertScenario,
) -> None:
    scenario.ends("pass", NOW - 6 * DAY)
    scenario.poll(NOW)
    scenario.live(NOW + 2 * DAY)
    assert [(alert.rule, alert.untold) for alert in scenario.opened()] == [("inactive", "baseline")]
    assert scenario.told() == []
    scenario.live(NOW + 6 * DAY)
    assert [text[0] for text in scenario.told()] == ["🔴"]


def test_a_drop_is_told_after_an_hour_unless_it_is_over_by_then(scenario: AlertScenario) -> None:
    for number in range(4):
        scenario.ends("pass", NOW - (10 - number) * DAY, exam=502, percent=90)
    begin(scenario)
    wrong = scenario.ends("pass", NOW + HOUR, exam=507, percent=50)
    scenario.poll(NOW + 1.1 * HOUR)
    scenario.poll(NOW + 2 * HOUR)
    assert [alert.rule for alert in scenario.opened()] == ["score_drop"]
    assert scenario.told() == []
    scenario.watch.rows.update_attempt(wrong, percentage=85)
    scenario.live(NOW + 4 * HOUR, HOUR / 2)
    assert scenario.opened() == []
    assert scenario.told() == []
    scenario.ends("pass", NOW + 5 * HOUR, exam=507, percent=40)
    scenario.live(NOW + 7 * HOUR, HOUR / 2)
    [text] = scenario.told()
    assert "has 40% in" in text


def test_what_is_over_before_it_is_sent_is_never_told(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ask("quiet 20:00-8:00")
    scenario.watch.poll(NOW + 5 * DAY + 9 * HOUR)  # at night
    scenario.poll()
    assert [alert.rule for alert in scenario.opened()] == ["inactive", "inactive"]
    scenario.ends("pass", NOW + 5 * DAY + 10 * HOUR)
    scenario.live(NOW + 6 * DAY, 2 * HOUR)
    [text] = scenario.told()
    assert "ravi_patel" in text
    assert [alert.outcome for alert in scenario.alerts("inactive", student_id=JANE)] == ["over"]


def test_a_more_serious_alert_covers_a_lesser_one_until_it_is_gone(scenario: AlertScenario) -> None:
    scenario.opens(NOW - HOUR)
    begin(scenario)
    scenario.live(NOW + 7 * DAY)
    lesser = {alert.rule: alert.untold for alert in scenario.opened() if alert.student_id == JANE}
    assert lesser == {"inactive": None, "stuck": None}
    scenario.watch.rows.run(f"DELETE FROM content_attempts WHERE user_id = {JANE}")


def test_of_two_alerts_at_once_the_lesser_one_waits(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ask("rule stuck 5d")
    scenario.opens(NOW - HOUR + timedelta(minutes=1))
    scenario.poll(NOW + HOUR)
    scenario.happen(NOW + 5 * DAY + 2 * HOUR)
    scenario.watch.poll(NOW + 5 * DAY + 2 * HOUR)
    scenario.poll()
    assert {alert.rule: alert.untold for alert in scenario.opened() if alert.student_id == JANE} == {
        "inactive": None,
        "stuck": "covered",
    }
    assert [text.split("**")[1] for text in scenario.told() if "jane" in text] == ["Inactive"]
    scenario.ends("pass", scenario.now)
    scenario.poll()
    scenario.poll()
    assert [text.split("**")[1] for text in scenario.told() if "jane" in text] == ["Inactive", "Stuck"]


def test_many_failures_of_one_exam_are_one_message(scenario: AlertScenario) -> None:
    crowd = range(2001, 2009)
    for student in crowd:
        scenario.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, 'crowd_{student}', {scenario.true})"
        )
        scenario.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
    scenario.poll(NOW)
    scenario.watch.now = NOW + 2 * HOUR
    for student in crowd:
        for minutes in (10, 20):
            result = "fail" if student < 2007 else "pass"
            scenario.ends(result, NOW + HOUR + timedelta(minutes=minutes), student=student)
    scenario.live(NOW + 3 * HOUR, HOUR / 2)
    scenario.live(NOW + 5 * HOUR, HOUR / 2)
    [text] = scenario.told()
    assert "6 of 8 of your students failed **Python Basics Quiz** within a day" in text
    assert {alert.untold for alert in scenario.opened("failed_twice")} == {"covered"}
    event = scenario.watch.event(scenario.opened("many_fail")[0].alert_id, "student_alerts")
    assert (event.student_id, event.mentor_id) == (None, MARY)


def test_five_a_day_the_most_serious_first_and_the_rest_on_the_days_after(scenario: AlertScenario) -> None:
    crowd = range(2001, 2013)
    for student in crowd:
        scenario.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, 'crowd_{student}', {scenario.true})"
        )
        scenario.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        scenario.ends("pass", NOW - HOUR, student=student)
    scenario.poll(NOW)
    scenario.live(NOW + 5 * DAY)
    assert len(scenario.told()) == 5
    assert "day's number of alerts" in scenario.ask("pending")
    scenario.ends("fail", scenario.now, student=JANE)
    scenario.ends("fail", scenario.now + HOUR, student=JANE)
    scenario.poll(scenario.now + 2 * HOUR)
    assert len(scenario.told()) == 5
    scenario.live(NOW + 6 * DAY)
    assert len(scenario.told()) == 10
    assert "**Failed Twice**" in scenario.told()[5]
    scenario.live(NOW + 7 * DAY)
    assert len(scenario.told()) == 13


def test_no_more_than_the_settings_allow(place: Place) -> None:
    with AlertScenario.at(place, LMS_ALERTS_PER_DAY="0") as scenario:
        begin(scenario)
        scenario.live(NOW + 8 * DAY)
        assert {alert.untold for alert in scenario.opened("inactive")} == {"turned off"}
        assert scenario.told() == []
        assert "Nothing is waiting" in scenario.ask("pending")


# Closed


def test_an_alert_closes_by_itself_and_may_come_back_when_it_has_cooled_down(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("fail", NOW + HOUR)
    scenario.ends("fail", NOW + 2 * HOUR)
    scenario.poll(NOW + 3 * HOUR)
    scenario.ends("pass", NOW + 4 * HOUR)
    scenario.poll(NOW + 5 * HOUR)
    assert [alert.outcome for alert in scenario.alerts("failed_twice")] == ["over"]
    scenario.ends("fail", NOW + 6 * HOUR)
    scenario.ends("fail", NOW + 7 * HOUR)
    scenario.poll(NOW + 8 * HOUR)
    assert len(scenario.told()) == 1
    scenario.ends("pass", NOW + 4 * DAY, exam=502)
    scenario.live(NOW + 7.5 * DAY)
    assert [text.split("**")[1] for text in scenario.told() if "jane" in text] == ["Failed Twice", "Failed Twice"]


def test_a_student_of_another_mentor_is_no_longer_said_anything_of(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.live(NOW + 5.2 * DAY)
    told = len(scenario.told())
    scenario.watch.rows.run(f'UPDATE "_MentorToStudent" SET "A" = 2 WHERE "B" = {JANE}')
    scenario.live(NOW + 6 * DAY)
    assert [(alert.mentor_id, alert.student_id) for alert in scenario.opened("inactive")] == [(1, RAVI), (2, JANE)]
    assert len(scenario.told()) == told
    assert len(scenario.told(scenario.place.people.omar)) == 1


def test_who_leaves_needs_nobody(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.live(NOW + 5.2 * DAY)
    scenario.watch.rows.run(f"UPDATE students SET is_active = {scenario.false} WHERE id = {JANE}")
    scenario.live(NOW + 12 * DAY)
    assert {alert.student_id for alert in scenario.opened()} == {RAVI}


# Fresh data


def test_without_fresh_data_nothing_is_said_of_who_is_absent(scenario: AlertScenario) -> None:
    begin(scenario)
    with scenario.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", NOW)
    scenario.live(NOW + 5.1 * DAY)
    scenario.ends("fail", NOW + 5 * DAY, student=RAVI)
    scenario.ends("fail", NOW + 5 * DAY + HOUR, student=RAVI)
    scenario.happen(NOW + 5.3 * DAY)
    scenario.watch.now = NOW + 5.3 * DAY
    scenario.watch.poller.poll(scenario.now)
    with scenario.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", scenario.now)  # which new events have just ended
    scenario.watch.run_clock_jobs()
    scenario.deliverer.deliver_turn(5.0)
    assert [text.split("**")[1] for text in scenario.told()] == ["Failed Twice"]
    assert "no fresh data" in scenario.ask("open")
    assert "no fresh data" in scenario.ask("why-not jane_smith")
    with scenario.watch.store.writing() as transaction:
        incidents.end(transaction, "silence", "over")
    scenario.live(NOW + 5.6 * DAY)
    assert [text.split("**")[1] for text in scenario.told()] == ["Failed Twice", "Inactive"]


def test_an_alert_that_waits_is_not_sent_while_the_lms_is_away(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ask("quiet 8:00-20:00")
    scenario.live(NOW + 5 * DAY)
    assert len(scenario.opened("inactive")) == 2
    scenario.watch.now = NOW + 5 * DAY + 12 * HOUR  # the last poll was 12 hours ago
    scenario.deliverer.deliver_turn(5.0)
    assert scenario.told() == []
    scenario.poll()
    scenario.poll(scenario.now + HOUR)
    assert len(scenario.told()) == 2


def test_admins_can_turn_the_freshness_check_off(scenario: AlertScenario) -> None:
    begin(scenario)
    with scenario.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", NOW)
    assert "is off" in scenario.ask("rule blind off", scenario.place.people.ada, in_stream=True)
    scenario.live(NOW + 6 * DAY)
    assert len(scenario.told()) == 2


# Reminded


def test_what_nobody_takes_is_said_again_once_after_24_working_hours(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("fail", NOW)
    scenario.live(NOW + 2 * HOUR, HOUR)
    scenario.ends("fail", scenario.now)
    scenario.poll(scenario.now)  # Monday, 14:00; working time is 8 to 18 o'clock
    assert len(scenario.told()) == 1
    scenario.live(NOW + 2 * DAY + 5 * HOUR, HOUR)
    assert len(scenario.told()) == 1
    scenario.live(NOW + 2 * DAY + 6 * HOUR, HOUR)
    first, again = scenario.told()
    assert "Nobody has taken this yet" in again
    assert "Nobody" not in first
    scenario.live(NOW + 4 * DAY)
    assert len(scenario.told()) == 2


def test_what_somebody_took_is_not_said_again(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("fail", NOW + HOUR)
    scenario.ends("fail", NOW + 2 * HOUR)
    scenario.poll(NOW + 3 * HOUR)
    scenario.ask("ack A1")
    scenario.live(NOW + 4.8 * DAY)
    assert len(scenario.told()) == 1


# Kept up to date


@BOTH
def test_looking_at_everybody_again_changes_nothing(scenario: AlertScenario) -> None:
    scenario.ends("fail", NOW - 2 * DAY, exam=502, percent=30)
    scenario.begins(NOW - DAY, student=RAVI, exam=502)
    scenario.opens(NOW - DAY, student=GULNORA)
    begin(scenario)
    scenario.ends("fail", NOW + HOUR, exam=502, percent=30)
    scenario.live(NOW + 9 * DAY)
    before = scenario.alerts()
    assert {alert.rule for alert in before} >= {"failed_twice", "inactive", "abandoned", "stuck"}
    with scenario.watch.store.writing() as transaction:
        watchlist.mark_due(transaction, None, scenario.now)
    alerts.judge_due_students(scenario.watch.store, scenario.settings, scenario.now)
    assert scenario.alerts() == before


@BOTH
def test_an_event_found_late_takes_back_what_was_said(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.live(NOW + 6 * DAY)
    scenario.ends("pass", NOW + 3 * DAY)
    scenario.live(NOW + 6.2 * DAY)
    assert [alert.outcome for alert in scenario.alerts("inactive", student_id=JANE)] == ["over"]


def test_a_poll_looks_only_at_those_of_whom_something_is_new(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.poll(NOW + HOUR)
    with scenario.watch.store.reading() as transaction:
        assert watchlist.due(transaction, scenario.now + DAY, 100) == []
    scenario.ends("pass", scenario.now)
    asked: list[str] = []
    sa.event.listen(scenario.watch.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    scenario.happen(scenario.now)
    scenario.watch.poll()
    with_news = len(asked)
    scenario.happen(scenario.now)
    scenario.watch.poll()
    assert len(asked) - with_news < with_news


def test_while_nobody_is_told_anything_alerts_stand_in_open(place: Place) -> None:
    with AlertScenario.at(place, LMS_NOTIFY_MENTORS_ENABLED="false") as scenario:
        begin(scenario)
        scenario.live(NOW + 6 * DAY)
        assert {alert.untold for alert in scenario.opened("inactive")} == {"turned off"}
        assert scenario.watch.events(1, "student_alerts") == []


def test_a_mentor_who_turned_alerts_off_is_told_none(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ask("notify alert off")
    scenario.live(NOW + 6 * DAY)
    assert scenario.told() == []
    assert "inactive" in scenario.ask("open").casefold()


def test_a_student_who_is_forgotten_leaves_no_alert(scenario: AlertScenario) -> None:
    from lms_bot.core.people import Student
    from lms_bot.store.retention import forget_student
    from lms_bot.store.retention.names import Names

    begin(scenario)
    scenario.live(NOW + 6 * DAY)
    jane = Student(JANE, "jane_smith")
    with scenario.watch.store.writing() as transaction:
        forget_student.stop_recording(transaction, jane, scenario.now)
        forget_student.remove(transaction, jane, Names(["jane_smith"]))
        assert preferences.chosen(transaction, MARY).rules == {}
    assert {alert.student_id for alert in scenario.alerts()} == {RAVI}
    with scenario.watch.store.reading() as transaction:
        left = transaction.scalars(sa.select(tables.watched.c.student_id))
        assert JANE not in set(left)


def test_a_poll_judges_nobody_and_so_is_not_late_however_much_it_finds(scenario: AlertScenario) -> None:
    scenario.poll(NOW)
    for minutes in (1, 2):
        scenario.ends("fail", NOW + timedelta(minutes=minutes))
    scenario.watch.now = NOW + HOUR
    scenario.happen(scenario.now)
    assert scenario.watch.poller.poll(scenario.now).new_events == 2
    assert scenario.alerts("failed_twice") == []
    scenario.watch.run_clock_jobs()
    scenario.deliverer.deliver_turn(5.0)
    assert len(scenario.told()) == 1


def test_of_very_many_only_some_are_looked_at_in_one_poll(
    scenario: AlertScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.poll(NOW)
    monkeypatch.setattr(alerts, "TOGETHER", 1)
    for student in (JANE, RAVI):
        for minutes in (1, 2):
            scenario.ends("fail", NOW + timedelta(minutes=minutes), student=student)
    scenario.poll(NOW + HOUR)
    assert len(scenario.alerts("failed_twice")) == 1
    scenario.poll()
    assert len(scenario.alerts("failed_twice")) == 2
