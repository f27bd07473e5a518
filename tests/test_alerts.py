"""Alerts about students: told once, in their order, in good time, and never when they are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from lms_bot.pipeline import alerts
from lms_bot.store import tables
from lms_bot.store.alerts import watchlist
from lms_bot.store.notifications import outbox, preferences
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
    name = scenario.name_of(JANE)
    assert text.startswith(
        f"🟡 **Inactive** · {name}\n\n"
        "**Jane Smith** (jane_smith) has finished nothing since <time:2026-03-02T11:00:00Z>.\n"
    )
    assert "📅 Since: <time:2026-03-07T11:00:00Z>" in text
    assert all(f"`{command} {name}" in text for command in ("ack", "snooze", "done", "why"))


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
    scenario.ask(f"ack {scenario.name_of(JANE)}")
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


# A day's number


def crowd_that_fails_twice(scenario: AlertScenario, count: int, at: datetime) -> None:
    """So many students of Mary's who learned this morning, and then fail an exam of their own twice."""
    for student in range(2001, 2001 + count):
        scenario.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, 'crowd_{student}', {scenario.true})"
        )
        scenario.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        scenario.ends("pass", NOW - HOUR, student=student, exam=502)
        for minutes in (20, 10):
            scenario.ends("fail", at - timedelta(minutes=minutes), student=student, exam=student)
    scenario.poll(NOW)


@BOTH
@pytest.mark.parametrize("failure", ["500_before", "refuse", "unauthorized"])
def test_a14_an_alert_is_told_when_zulip_has_it_and_not_before(place: Place, failure: str) -> None:
    with AlertScenario.at(place, LMS_ALERTS_PER_DAY="1") as scenario:
        begin(scenario)
        for minutes in (1, 2):
            scenario.ends("fail", NOW + timedelta(minutes=minutes))
        place.zulip.fail(failure, when=lambda call: "💡" in call["content"])
        scenario.poll(NOW + HOUR)
        assert scenario.told() == []
        [alert] = scenario.opened("failed_twice")
        assert (alert.told_at, alert.remind_at) == (None, None)
        assert "**Not told yet:**" in scenario.ask(f"why {alert.name}")
        if failure == "refuse":  # for good: an admin sends it again
            with scenario.watch.store.writing() as transaction:
                outbox.requeue_parked(transaction, None, scenario.now)
        for _ in range(3):
            scenario.watch.now += timedelta(minutes=2)
            scenario.deliverer.deliver_turn(5.0)
        assert len(scenario.told()) == 1
        [alert] = scenario.opened("failed_twice")
        assert NOW + HOUR < alert.told_at <= scenario.now
        assert alert.remind_at is not None
        assert "**Told:**" in scenario.ask(f"why {alert.name}")


def test_a14_an_alert_that_zulip_has_without_saying_so_is_told_and_counted_once(place: Place) -> None:
    with AlertScenario.at(place, LMS_ALERTS_PER_DAY="1") as scenario:
        begin(scenario)
        for minutes in (1, 2):
            for student in (JANE, RAVI):
                scenario.ends("fail", NOW + timedelta(minutes=minutes), student=student)
        place.zulip.fail("500_after", when=lambda call: "💡" in call["content"])
        scenario.poll(NOW + HOUR)
        scenario.live(NOW + 8 * HOUR, HOUR)
        assert len(scenario.told()) == 1
        assert [alert.told_at is not None for alert in scenario.opened("failed_twice")].count(True) == 1


def test_a12_what_a_day_has_no_room_for_waits_for_the_morning(scenario: AlertScenario) -> None:
    crowd_that_fails_twice(scenario, 12, NOW + 3 * HOUR)
    scenario.live(NOW + 3 * HOUR, HOUR)
    assert len(scenario.told()) == 5
    assert "day's number of alerts" in scenario.ask("pending")
    scenario.live(NOW + 19.9 * HOUR, HOUR / 2)  # Tuesday, shortly before 8:00
    assert len(scenario.told()) == 5
    scenario.live(NOW + 20 * HOUR, HOUR / 2)
    assert len(scenario.told()) == 10
    scenario.live(NOW + 2 * DAY, HOUR)
    assert len(scenario.told()) == 12


def test_a12_what_a_day_has_no_room_for_waits_for_the_digest_of_who_wants_alerts_there(
    scenario: AlertScenario,
) -> None:
    crowd_that_fails_twice(scenario, 6, NOW + 3 * HOUR)
    scenario.ask("notify alert digest")
    scenario.ask("digest 17")
    scenario.live(NOW + 5 * HOUR, HOUR)
    assert len(scenario.told()) == 5
    scenario.live(NOW + 28 * HOUR, HOUR)
    assert len(scenario.told()) == 5
    scenario.live(NOW + 29 * HOUR, HOUR)
    assert len(scenario.told()) == 6


def test_a12_a_quiet_day_ends_in_the_morning_and_not_at_midnight(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ask("quiet mon")
    for minutes in (1, 2):
        scenario.ends("fail", NOW + timedelta(minutes=minutes))
    scenario.live(NOW + 19.5 * HOUR, HOUR / 2)
    assert scenario.place.zulip.direct_to(scenario.place.people.mary)[1:] == []
    scenario.live(NOW + 20 * HOUR, HOUR / 2)
    assert len(scenario.told()) == 1


# Quiet minutes


def minutes_of(scenario: AlertScenario) -> list[int]:
    """When Mary was sent messages of notifications, in minutes since NOW."""
    c = tables.messages.c
    query = sa.select(c.tried_at).where(c.mentor_id == MARY, c.state == outbox.SENT).order_by(c.message_id)
    with scenario.watch.store.reading() as transaction:
        return [round((at - NOW) / timedelta(minutes=1)) for at in transaction.scalars(query)]


@BOTH
def test_a18_messages_to_one_mentor_keep_their_distance_however_often_is_polled(place: Place) -> None:
    with AlertScenario.at(place, LMS_QUIET_MINUTES="5", LMS_ACTIVITY_POLL_INTERVAL="1") as scenario:
        begin(scenario)
        for seconds in range(0, 361, 15):
            result = "fail" if seconds == 120 else "pass"
            scenario.ends(result, NOW + timedelta(seconds=seconds), percent=80)
        scenario.poll(NOW)
        scenario.poll(NOW + timedelta(seconds=15))
        assert "soon after another message" in scenario.ask("pending")
        scenario.live(NOW + timedelta(minutes=14), timedelta(seconds=15))
        assert minutes_of(scenario) == [0, 5, 10]
        texts = [one.content for one in scenario.place.zulip.direct_to(scenario.place.people.mary)]
        summary, rest = (text for text in texts if text.startswith("📬"))
        assert summary.startswith("📬 **20 events of 1 student**")
        assert "4 events" in rest
        scenario.ends("pass", NOW + timedelta(minutes=16), percent=80)
        scenario.poll(NOW + timedelta(minutes=16))
        assert minutes_of(scenario)[-1] == 16, "the first after a pause does not wait"


@pytest.mark.parametrize("minutes", [0, 1, 30])
def test_a18_the_distance_is_what_the_settings_say(place: Place, minutes: int) -> None:
    with AlertScenario.at(place, LMS_QUIET_MINUTES=str(minutes)) as scenario:
        for minute in range(-1, 40):
            scenario.ends("pass", NOW + timedelta(minutes=minute), percent=80)
        scenario.poll(NOW - timedelta(minutes=1))  # with history
        scenario.live(NOW + timedelta(minutes=39), timedelta(minutes=1))
        assert minutes_of(scenario) == list(range(0, 40, minutes or 1))


@pytest.mark.parametrize("minutes", [0, 5])
def test_a18_a_clock_that_is_moved_back_keeps_nobody_waiting(place: Place, minutes: int) -> None:
    with AlertScenario.at(place, LMS_QUIET_MINUTES=str(minutes)) as scenario:
        begin(scenario)
        for hours in (2, 1):
            scenario.ends("pass", NOW + hours * HOUR, percent=80)
            scenario.poll(NOW + hours * HOUR)
        assert minutes_of(scenario) == [120, 60]


def test_a18_alerts_take_turns_with_all_else_and_the_most_serious_do_not_wait(place: Place) -> None:
    with AlertScenario.at(place, LMS_QUIET_MINUTES="5") as scenario:
        begin(scenario)
        scenario.watch.rows.run(f"UPDATE students SET is_active = {scenario.false} WHERE id = {RAVI}")
        start = NOW + 11 * DAY - HOUR - timedelta(minutes=3)  # three minutes before Jane was away for 11 days
        scenario.live(start)
        scenario.watch.rows.run(f"UPDATE students SET is_active = {scenario.true} WHERE id = {RAVI}")
        scenario.watch.poller.refresh_people(start, at_once=True)
        before = len(minutes_of(scenario))
        for minute in range(1, 25):
            scenario.ends("fail", start + timedelta(minutes=minute), student=RAVI, percent=20)
        scenario.live(start + timedelta(minutes=24), timedelta(minutes=1))
        shift = round((start - NOW) / timedelta(minutes=1))
        texts = [one.content for one in scenario.place.zulip.direct_to(scenario.place.people.mary)][before:]
        told = [minute - shift for minute in minutes_of(scenario)[before:]]
        kinds = [text.partition("**")[2].partition("**")[0] for text in texts]
        assert list(zip(told, kinds, strict=True)) == [
            (1, "Exam Failed"),
            (3, "Inactive"),
            (8, "7 events of 1 student"),
            (13, "Failed Twice"),
            (18, "10 events of 1 student"),
            (23, "5 events of 1 student"),
        ]


# What is gone from the LMS


def lives_until_the_alert(scenario: AlertScenario, rule: str) -> None:
    """Jane does what a rule speaks of, and Mary is told of it."""
    begin(scenario)
    if rule == "abandoned":
        scenario.begins(NOW + HOUR, exam=502)
    elif rule == "stuck":
        scenario.ask("rule inactive off")
        scenario.opens(NOW + HOUR)
    else:
        for minutes in (1, 2):
            scenario.ends("fail", NOW + timedelta(minutes=minutes), exam=502)
    until, every = (5 * DAY, 6 * HOUR) if rule == "stuck" else (5 * HOUR, HOUR)
    scenario.live(NOW + until, every)
    assert [alert.rule for alert in scenario.opened()] == [rule]
    assert len(scenario.told()) == 1


@BOTH
@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        ("abandoned", "DELETE FROM attempts WHERE exam_id = 502"),
        ("abandoned", f"UPDATE attempts SET user_id = {RAVI}, username = 'ravi_patel' WHERE exam_id = 502"),
        ("stuck", "DELETE FROM content_attempts"),
        ("failed_twice", "DELETE FROM attempts WHERE exam_id = 502"),
        ("failed_twice", "UPDATE attempts SET result = 'pass' WHERE exam_id = 502"),
    ],
)
def test_a16_an_alert_whose_cause_is_gone_is_closed_by_the_next_poll(
    scenario: AlertScenario, rule: str, gone: str
) -> None:
    lives_until_the_alert(scenario, rule)
    scenario.watch.rows.run(gone)
    scenario.poll()
    assert [(one.rule, one.outcome, one.remind_at) for one in scenario.alerts(rule, student_id=JANE)] == [
        (rule, "over", None)
    ]
    scenario.live(scenario.now + 3 * DAY, 3 * HOUR)
    assert [text for text in scenario.told() if "Nobody has taken this" in text and "jane" in text] == []


# The same in `students`


def test_b1_who_is_inactive_by_the_rules_is_so_in_every_list(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.opens(NOW + 4 * DAY)  # begun, and nothing finished
    scenario.live(NOW + 5 * DAY)
    assert {alert.student_id for alert in scenario.opened("inactive")} == {JANE, RAVI}
    shown = scenario.ask("students inactive")
    assert ("Jane Smith" in shown, "Ravi Patel" in shown) == (True, True)
    assert "inactive" in scenario.ask("student jane_smith")
    scenario.ask("rule inactive 8d")
    assert scenario.opened("inactive") == [] or "inactive" not in scenario.ask("open").casefold()
    assert "Jane Smith" not in scenario.ask("students inactive")


def test_b2_one_judgement_is_behind_students_and_open(scenario: AlertScenario) -> None:
    for number in range(4):
        scenario.ends("pass", NOW - (10 - number) * HOUR, exam=502, percent=95)
    begin(scenario)
    scenario.ends("pass", NOW + HOUR, exam=507, percent=60)
    scenario.ends("fail", NOW + HOUR, student=RAVI, percent=20)
    scenario.live(NOW + 3 * HOUR, HOUR)
    assert "Score Drop" in scenario.ask("open")
    assert "score drop" in scenario.ask("students")
    assert "score drop" in scenario.ask("student jane_smith")
    assert "last exam failed" in scenario.ask("student ravi_patel")
    scenario.watch.rows.run(f"UPDATE students SET is_active = {scenario.false}")
    scenario.live(NOW + 9 * DAY)
    assert scenario.opened() == []
    for name in ("jane_smith", "ravi_patel"):
        assert "Needs attention" not in scenario.ask(f"student {name}")
    assert "0 failing · 0 inactive" in scenario.ask("students")


# Another limit, and back


@BOTH
@pytest.mark.parametrize("between", ["rule score_drop 60", "rule score_drop off"])
@pytest.mark.parametrize("is_taken", [True, False])
def test_b8_an_alert_stays_itself_when_a_limit_is_changed_and_changed_back(
    scenario: AlertScenario, between: str, is_taken: bool
) -> None:
    for number in range(4):
        scenario.ends("pass", NOW - (10 - number) * HOUR, exam=502, percent=95)
    begin(scenario)
    scenario.ends("pass", NOW + HOUR, exam=507, percent=60)
    scenario.live(NOW + 3 * HOUR, HOUR)
    [before] = scenario.opened()
    if is_taken:
        scenario.ask(f"ack {before.name}")
        [before] = scenario.opened()
    scenario.ask(between)
    assert scenario.opened() == []
    scenario.ask("rule score_drop default")
    [after] = scenario.alerts("score_drop")
    assert after.closed_at is None
    assert (after.name, after.taken_by, after.told_at) == (before.name, before.taken_by, before.told_at)
    assert ("taken by you" in scenario.ask("open")) == is_taken
    scenario.live(NOW + 8 * HOUR, HOUR)
    assert len(scenario.told()) == 1


def test_b8_who_is_absent_is_one_alert_whatever_the_limit_is(scenario: AlertScenario) -> None:
    begin(scenario)
    scenario.ends("pass", NOW + 4 * DAY, student=RAVI)
    scenario.live(NOW + 5.2 * DAY)
    [before] = scenario.opened("inactive")
    scenario.ask(f"ack {before.name}")
    scenario.ask("rule inactive 6d")
    assert scenario.opened("inactive") == []
    scenario.live(NOW + 6.5 * DAY)
    [after] = scenario.alerts("inactive")
    assert (after.name, after.taken_by, after.closed_at) == (before.name, MARY, None)
    assert len(scenario.told()) == 1
