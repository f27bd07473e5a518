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
from tests.alert_school import DAY, HOUR, Ward
from tests.bot_process import BOTH, Place
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OBRIEN, RAVI

MONDAY = NOW  # 2 March 2026, noon


@pytest.fixture
def ward(place: Place) -> Iterator[Ward]:
    with Ward.at(place) as ward:
        yield ward


def begin(ward: Ward) -> None:
    """Jane and Ravi have learned this morning; the rules are looked at from now on."""
    for student in (JANE, RAVI):
        ward.ends("pass", NOW - HOUR, student=student, percent=80)
    ward.poll(NOW)


# Told


@BOTH
def test_who_stops_learning_is_told_of_after_five_days_once(ward: Ward) -> None:
    begin(ward)
    ward.ends("pass", NOW + 3 * DAY, student=RAVI)
    ward.live(NOW + 4.9 * DAY)
    assert ward.told() == []
    ward.live(NOW + 7 * DAY)
    [text] = ward.told()
    assert text.startswith(
        "🟡 **Inactive** · A1\n\n**jane_smith** has finished nothing since <time:2026-03-02T11:00:00Z>.\n"
    )
    assert "📅 Since: <time:2026-03-07T11:00:00Z>" in text
    assert all(f"`{command} A1" in text for command in ("ack", "snooze", "done", "why"))


def test_it_grows_more_serious_and_each_step_is_told(ward: Ward) -> None:
    ward.ends("fail", NOW - HOUR, percent=20)
    ward.poll(NOW)
    ward.live(NOW + 12 * DAY)
    inactive = [text.partition(" ")[0] for text in ward.told() if "**Inactive**" in text and "Nobody" not in text]
    assert inactive == ["🟡", "🟠", "🔴"]
    assert [alert.outcome for alert in ward.alerts("inactive", student_id=JANE)] == ["grew", "grew", None]


def test_each_alert_is_a_message_of_its_own_to_the_student_s_mentors(ward: Ward) -> None:
    for student in (JANE, RAVI, GULNORA, OBRIEN):
        ward.ends("pass", NOW - HOUR, student=student)
    ward.poll(NOW)
    ward.live(NOW + 6 * DAY)
    mary, omar = ward.told(), ward.told(ward.place.people.omar)
    assert sorted(text.split("**")[3] for text in mary) == ["gulnora", "jane_smith", "ravi_patel"]
    assert sorted(text.split("**")[3] for text in omar) == ["gulnora", "obrien"]
    assert ward.told(ward.place.people.lucy) == []


def test_the_same_exam_failed_twice_is_told_with_the_next_poll(ward: Ward) -> None:
    begin(ward)
    ward.ends("fail", NOW + HOUR, percent=40)
    ward.poll(NOW + 2 * HOUR)
    assert ward.told() == []
    ward.ends("fail", NOW + 3 * HOUR, percent=35)
    ward.poll(NOW + 3.1 * HOUR)
    [text] = ward.told()
    assert "has failed **Python Basics Quiz** 2 times without a pass (40%, 35%)" in text


def test_an_alert_is_an_event_like_others(ward: Ward) -> None:
    begin(ward)
    ward.live(NOW + 6 * DAY)
    event = ward.watch.event(ward.opened("inactive")[0].alert_id, "student_alerts")
    assert (event.event_type, event.student_id, event.mentor_id) == ("student_alert", JANE, MARY)
    assert "student_alert" not in ward.ask("feed")
    assert "Inactive" not in ward.ask("history jane_smith")


# Not told


def test_what_is_true_when_the_rules_are_first_looked_at_stands_in_open_and_is_not_sent(ward: Ward) -> None:
    ward.ends("pass", NOW - 6 * DAY)
    ward.poll(NOW)
    ward.live(NOW + 2 * DAY)
    assert [(alert.rule, alert.untold) for alert in ward.opened()] == [("inactive", "baseline")]
    assert ward.told() == []
    ward.live(NOW + 6 * DAY)
    assert [text[0] for text in ward.told()] == ["🔴"]


def test_a_drop_is_told_after_an_hour_unless_it_is_over_by_then(ward: Ward) -> None:
    for number in range(4):
        ward.ends("pass", NOW - (10 - number) * DAY, exam=502, percent=90)
    begin(ward)
    wrong = ward.ends("pass", NOW + HOUR, exam=507, percent=50)
    ward.poll(NOW + 1.1 * HOUR)
    ward.poll(NOW + 2 * HOUR)
    assert [alert.rule for alert in ward.opened()] == ["score_drop"]
    assert ward.told() == []
    ward.watch.rows.update_attempt(wrong, percentage=85)
    ward.live(NOW + 4 * HOUR, HOUR / 2)
    assert ward.opened() == []
    assert ward.told() == []
    ward.ends("pass", NOW + 5 * HOUR, exam=507, percent=40)
    ward.live(NOW + 7 * HOUR, HOUR / 2)
    [text] = ward.told()
    assert "has 40% in" in text


def test_what_is_over_before_it_is_sent_is_never_told(ward: Ward) -> None:
    begin(ward)
    ward.ask("quiet 20:00-8:00")
    ward.watch.poll(NOW + 5 * DAY + 9 * HOUR)  # at night
    ward.poll()
    assert [alert.rule for alert in ward.opened()] == ["inactive", "inactive"]
    ward.ends("pass", NOW + 5 * DAY + 10 * HOUR)
    ward.live(NOW + 6 * DAY, 2 * HOUR)
    [text] = ward.told()
    assert "ravi_patel" in text
    assert [alert.outcome for alert in ward.alerts("inactive", student_id=JANE)] == ["over"]


def test_a_more_serious_alert_covers_a_lesser_one_until_it_is_gone(ward: Ward) -> None:
    ward.opens(NOW - HOUR)
    begin(ward)
    ward.live(NOW + 7 * DAY)
    lesser = {alert.rule: alert.untold for alert in ward.opened() if alert.student_id == JANE}
    assert lesser == {"inactive": None, "stuck": None}
    ward.watch.rows.run(f"DELETE FROM content_attempts WHERE user_id = {JANE}")


def test_of_two_alerts_at_once_the_lesser_one_waits(ward: Ward) -> None:
    begin(ward)
    ward.ask("rule stuck 5d")
    ward.opens(NOW - HOUR + timedelta(minutes=1))
    ward.poll(NOW + HOUR)
    ward.happen(NOW + 5 * DAY + 2 * HOUR)
    ward.watch.poll(NOW + 5 * DAY + 2 * HOUR)
    ward.poll()
    assert {alert.rule: alert.untold for alert in ward.opened() if alert.student_id == JANE} == {
        "inactive": None,
        "stuck": "covered",
    }
    assert [text.split("**")[1] for text in ward.told() if "jane" in text] == ["Inactive"]
    ward.ends("pass", ward.now)
    ward.poll()
    ward.poll()
    assert [text.split("**")[1] for text in ward.told() if "jane" in text] == ["Inactive", "Stuck"]


def test_many_failures_of_one_exam_are_one_message(ward: Ward) -> None:
    crowd = range(2001, 2009)
    for student in crowd:
        ward.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, 'crowd_{student}', {ward.true})"
        )
        ward.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
    ward.poll(NOW)
    ward.watch.now = NOW + 2 * HOUR
    for student in crowd:
        for minutes in (10, 20):
            result = "fail" if student < 2007 else "pass"
            ward.ends(result, NOW + HOUR + timedelta(minutes=minutes), student=student)
    ward.live(NOW + 3 * HOUR, HOUR / 2)
    ward.live(NOW + 5 * HOUR, HOUR / 2)
    [text] = ward.told()
    assert "6 of 8 of your students failed **Python Basics Quiz** within a day" in text
    assert {alert.untold for alert in ward.opened("failed_twice")} == {"covered"}
    event = ward.watch.event(ward.opened("many_fail")[0].alert_id, "student_alerts")
    assert (event.student_id, event.mentor_id) == (None, MARY)


def test_five_a_day_the_most_serious_first_and_the_rest_on_the_days_after(ward: Ward) -> None:
    crowd = range(2001, 2013)
    for student in crowd:
        ward.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, 'crowd_{student}', {ward.true})"
        )
        ward.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        ward.ends("pass", NOW - HOUR, student=student)
    ward.poll(NOW)
    ward.live(NOW + 5 * DAY)
    assert len(ward.told()) == 5
    assert "day's number of alerts" in ward.ask("pending")
    ward.ends("fail", ward.now, student=JANE)
    ward.ends("fail", ward.now + HOUR, student=JANE)
    ward.poll(ward.now + 2 * HOUR)
    assert len(ward.told()) == 5
    ward.live(NOW + 6 * DAY)
    assert len(ward.told()) == 10
    assert "**Failed Twice**" in ward.told()[5]
    ward.live(NOW + 7 * DAY)
    assert len(ward.told()) == 13


def test_no_more_than_the_settings_allow(place: Place) -> None:
    with Ward.at(place, LMS_ALERTS_PER_DAY="0") as ward:
        begin(ward)
        ward.live(NOW + 8 * DAY)
        assert {alert.untold for alert in ward.opened("inactive")} == {"turned off"}
        assert ward.told() == []
        assert "Nothing is waiting" in ward.ask("pending")


# Closed


def test_an_alert_closes_by_itself_and_may_come_back_when_it_has_cooled_down(ward: Ward) -> None:
    begin(ward)
    ward.ends("fail", NOW + HOUR)
    ward.ends("fail", NOW + 2 * HOUR)
    ward.poll(NOW + 3 * HOUR)
    ward.ends("pass", NOW + 4 * HOUR)
    ward.poll(NOW + 5 * HOUR)
    assert [alert.outcome for alert in ward.alerts("failed_twice")] == ["over"]
    ward.ends("fail", NOW + 6 * HOUR)
    ward.ends("fail", NOW + 7 * HOUR)
    ward.poll(NOW + 8 * HOUR)
    assert len(ward.told()) == 1
    ward.ends("pass", NOW + 4 * DAY, exam=502)
    ward.live(NOW + 7.5 * DAY)
    assert [text.split("**")[1] for text in ward.told() if "jane" in text] == ["Failed Twice", "Failed Twice"]


def test_a_student_of_another_mentor_is_no_longer_said_anything_of(ward: Ward) -> None:
    begin(ward)
    ward.live(NOW + 5.2 * DAY)
    told = len(ward.told())
    ward.watch.rows.run(f'UPDATE "_MentorToStudent" SET "A" = 2 WHERE "B" = {JANE}')
    ward.live(NOW + 6 * DAY)
    assert [(alert.mentor_id, alert.student_id) for alert in ward.opened("inactive")] == [(1, RAVI), (2, JANE)]
    assert len(ward.told()) == told
    assert len(ward.told(ward.place.people.omar)) == 1


def test_who_leaves_needs_nobody(ward: Ward) -> None:
    begin(ward)
    ward.live(NOW + 5.2 * DAY)
    ward.watch.rows.run(f"UPDATE students SET is_active = {ward.false} WHERE id = {JANE}")
    ward.live(NOW + 12 * DAY)
    assert {alert.student_id for alert in ward.opened()} == {RAVI}


# Fresh data


def test_without_fresh_data_nothing_is_said_of_who_is_absent(ward: Ward) -> None:
    begin(ward)
    with ward.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", NOW)
    ward.live(NOW + 5.1 * DAY)
    ward.ends("fail", NOW + 5 * DAY, student=RAVI)
    ward.ends("fail", NOW + 5 * DAY + HOUR, student=RAVI)
    ward.happen(NOW + 5.3 * DAY)
    ward.watch.now = NOW + 5.3 * DAY
    ward.watch.poller.poll(ward.now)
    with ward.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", ward.now)  # which new events have just ended
    ward.watch.run_clock_jobs()
    ward.deliverer.deliver_turn(5.0)
    assert [text.split("**")[1] for text in ward.told()] == ["Failed Twice"]
    assert "no fresh data" in ward.ask("open")
    assert "no fresh data" in ward.ask("why-not jane_smith")
    with ward.watch.store.writing() as transaction:
        incidents.end(transaction, "silence", "over")
    ward.live(NOW + 5.6 * DAY)
    assert [text.split("**")[1] for text in ward.told()] == ["Failed Twice", "Inactive"]


def test_an_alert_that_waits_is_not_sent_while_the_lms_is_away(ward: Ward) -> None:
    begin(ward)
    ward.ask("quiet 8:00-20:00")
    ward.live(NOW + 5 * DAY)
    assert len(ward.opened("inactive")) == 2
    ward.watch.now = NOW + 5 * DAY + 12 * HOUR  # the last poll was 12 hours ago
    ward.deliverer.deliver_turn(5.0)
    assert ward.told() == []
    ward.poll()
    ward.poll(ward.now + HOUR)
    assert len(ward.told()) == 2


def test_admins_can_turn_the_freshness_check_off(ward: Ward) -> None:
    begin(ward)
    with ward.watch.store.writing() as transaction:
        incidents.begin(transaction, "silence", "silent", NOW)
    assert "is off" in ward.ask("rule blind off", ward.place.people.ada, in_stream=True)
    ward.live(NOW + 6 * DAY)
    assert len(ward.told()) == 2


# Reminded


def test_what_nobody_takes_is_said_again_once_after_24_working_hours(ward: Ward) -> None:
    begin(ward)
    ward.ends("fail", NOW)
    ward.live(NOW + 2 * HOUR, HOUR)
    ward.ends("fail", ward.now)
    ward.poll(ward.now)  # Monday, 14:00; working time is 8 to 18 o'clock
    assert len(ward.told()) == 1
    ward.live(NOW + 2 * DAY + 5 * HOUR, HOUR)
    assert len(ward.told()) == 1
    ward.live(NOW + 2 * DAY + 6 * HOUR, HOUR)
    first, again = ward.told()
    assert "Nobody has taken this yet" in again
    assert "Nobody" not in first
    ward.live(NOW + 4 * DAY)
    assert len(ward.told()) == 2


def test_what_somebody_took_is_not_said_again(ward: Ward) -> None:
    begin(ward)
    ward.ends("fail", NOW + HOUR)
    ward.ends("fail", NOW + 2 * HOUR)
    ward.poll(NOW + 3 * HOUR)
    ward.ask("ack A1")
    ward.live(NOW + 4.8 * DAY)
    assert len(ward.told()) == 1


# Kept up to date


@BOTH
def test_looking_at_everybody_again_changes_nothing(ward: Ward) -> None:
    ward.ends("fail", NOW - 2 * DAY, exam=502, percent=30)
    ward.begins(NOW - DAY, student=RAVI, exam=502)
    ward.opens(NOW - DAY, student=GULNORA)
    begin(ward)
    ward.ends("fail", NOW + HOUR, exam=502, percent=30)
    ward.live(NOW + 9 * DAY)
    before = ward.alerts()
    assert {alert.rule for alert in before} >= {"failed_twice", "inactive", "abandoned", "stuck"}
    with ward.watch.store.writing() as transaction:
        watchlist.touch(transaction, None, ward.now)
    alerts.judge_due_students(ward.watch.store, ward.settings, ward.now)
    assert ward.alerts() == before


@BOTH
def test_an_event_found_late_takes_back_what_was_said(ward: Ward) -> None:
    begin(ward)
    ward.live(NOW + 6 * DAY)
    ward.ends("pass", NOW + 3 * DAY)
    ward.live(NOW + 6.2 * DAY)
    assert [alert.outcome for alert in ward.alerts("inactive", student_id=JANE)] == ["over"]


def test_a_poll_looks_only_at_those_of_whom_something_is_new(ward: Ward) -> None:
    begin(ward)
    ward.poll(NOW + HOUR)
    with ward.watch.store.reading() as transaction:
        assert watchlist.due(transaction, ward.now + DAY, 100) == []
    ward.ends("pass", ward.now)
    asked: list[str] = []
    sa.event.listen(ward.watch.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    ward.happen(ward.now)
    ward.watch.poll()
    with_news = len(asked)
    ward.happen(ward.now)
    ward.watch.poll()
    assert len(asked) - with_news < with_news


def test_while_nobody_is_told_anything_alerts_stand_in_open(place: Place) -> None:
    with Ward.at(place, LMS_NOTIFY_MENTORS_ENABLED="false") as ward:
        begin(ward)
        ward.live(NOW + 6 * DAY)
        assert {alert.untold for alert in ward.opened("inactive")} == {"turned off"}
        assert ward.watch.events(1, "student_alerts") == []


def test_a_mentor_who_turned_alerts_off_is_told_none(ward: Ward) -> None:
    begin(ward)
    ward.ask("notify alert off")
    ward.live(NOW + 6 * DAY)
    assert ward.told() == []
    assert "inactive" in ward.ask("open").casefold()


def test_a_student_who_is_forgotten_leaves_no_alert(ward: Ward) -> None:
    from lms_bot.core.people import Student
    from lms_bot.store.retention import traces

    begin(ward)
    ward.live(NOW + 6 * DAY)
    jane = Student(JANE, "jane_smith")
    with ward.watch.store.writing() as transaction:
        traces.stop(transaction, jane, ward.now)
        traces.remove(transaction, jane, ["jane_smith"])
        assert preferences.asked(transaction, MARY).rules == {}
    assert {alert.student_id for alert in ward.alerts()} == {RAVI}
    with ward.watch.store.reading() as transaction:
        left = transaction.scalars(sa.select(tables.watched.c.student_id))
        assert JANE not in set(left)


def test_a_poll_judges_nobody_and_so_is_not_late_however_much_it_finds(ward: Ward) -> None:
    ward.poll(NOW)
    for minutes in (1, 2):
        ward.ends("fail", NOW + timedelta(minutes=minutes))
    ward.watch.now = NOW + HOUR
    ward.happen(ward.now)
    assert ward.watch.poller.poll(ward.now).new_events == 2
    assert ward.alerts("failed_twice") == []
    ward.watch.run_clock_jobs()
    ward.deliverer.deliver_turn(5.0)
    assert len(ward.told()) == 1


def test_of_very_many_only_some_are_looked_at_in_one_poll(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.poll(NOW)
    monkeypatch.setattr(alerts, "TOGETHER", 1)
    for student in (JANE, RAVI):
        for minutes in (1, 2):
            ward.ends("fail", NOW + timedelta(minutes=minutes), student=student)
    ward.poll(NOW + HOUR)
    assert len(ward.alerts("failed_twice")) == 1
    ward.poll()
    assert len(ward.alerts("failed_twice")) == 2
