"""Work that time causes is done on time, whether or not the LMS can be read, and never on old knowledge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import Lms
from lms_bot.pipeline.freshness import LMS
from lms_bot.store import tables
from lms_bot.store.operations.incidents import going_on
from lms_bot.worker.clock import ClockJobs
from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import Place
from tests.lms_rows import JANE, MINUTE, NOW, QUIZ, RAVI, Watch
from tests.shell import FAILED, Shell, shell

__all__ = ["shell"]

MILESTONE = EventType.STREAK_MILESTONE


@pytest.fixture
def scenario(place_with_store: Place) -> Iterator[AlertScenario]:
    with AlertScenario.at(place_with_store) as scenario:
        yield scenario


def poll_in_vain(scenario: AlertScenario, now: datetime) -> None:
    """A poll while the LMS is away, and whatever is due all the same."""
    scenario.watch.rows.run("ALTER TABLE attempts RENAME TO elsewhere")
    with pytest.raises(LmsUnavailable):
        scenario.watch.poll(now)
    scenario.watch.rows.run("ALTER TABLE elsewhere RENAME TO attempts")
    scenario.deliverer.deliver_turn(5.0)


def recorded(watch: Watch, kind: EventType) -> int:
    c = tables.events.c
    query = sa.select(sa.func.count()).select_from(tables.events).where(c.event_type == kind.value)
    with watch.store.reading() as transaction:
        return transaction.scalar(query) or 0


def test_an_alert_that_settles_while_the_lms_is_away_is_told(scenario: AlertScenario) -> None:
    for hours in range(4):
        scenario.ends("pass", NOW - DAY + hours * HOUR, percent=95)
    scenario.poll(NOW)
    scenario.ends("pass", NOW + HOUR, percent=55)
    scenario.poll(NOW + HOUR)
    assert [alert.tell_at for alert in scenario.opened("score_drop")] == [NOW + 2 * HOUR]
    assert scenario.told() == []
    poll_in_vain(scenario, NOW + 2 * HOUR)
    assert len(scenario.told()) == 1


def test_nobody_is_called_absent_for_a_moment_after_the_last_poll(scenario: AlertScenario) -> None:
    scenario.ends("pass", NOW - MINUTE)
    scenario.poll(NOW)
    scenario.live(NOW + 5 * DAY - 2 * MINUTE)
    assert scenario.alerts("inactive") == []
    scenario.ends("pass", NOW + 5 * DAY - 1.5 * MINUTE)
    scenario.happen(NOW + 5 * DAY)  # and no poll has found it
    poll_in_vain(scenario, NOW + 5 * DAY)
    assert scenario.alerts("inactive") == []
    scenario.poll(NOW + 5 * DAY + MINUTE)
    scenario.live(NOW + 5.1 * DAY)
    assert scenario.alerts("inactive", student_id=JANE) == []


def test_who_is_absent_is_told_as_soon_as_a_poll_has_confirmed_it(scenario: AlertScenario) -> None:
    scenario.ends("pass", NOW - MINUTE)
    scenario.poll(NOW)
    scenario.live(NOW + 5 * DAY - 2 * MINUTE)
    poll_in_vain(scenario, NOW + 5 * DAY)
    assert scenario.alerts("inactive") == []
    scenario.poll(NOW + 5 * DAY + MINUTE)
    assert [text.split("**")[1] for text in scenario.told()] == ["Inactive"]


def test_before_the_first_poll_nothing_is_done(lms_url: str, store_beside: str) -> None:
    watch = Watch(lms_url, store_beside)
    watch.rows.insert_attempt(1, state="completed", result="fail", last_answer_updated_time=NOW)
    watch.rows.insert_attempt(2, state="completed", result="fail", last_answer_updated_time=NOW)
    assert watch.run_clock_jobs().recorded_events == 0
    watch.poll(NOW + HOUR)
    with watch.store.reading() as transaction:
        untold = set(transaction.scalars(sa.select(tables.student_alerts.c.untold)))
    assert untold == {"baseline"}, "what was so already at the first poll is no news"
    watch.close()


def test_a_day_does_not_end_before_a_poll_has_found_what_happened_in_it(lms_url: str, store_beside: str) -> None:
    watch = Watch(lms_url, store_beside)
    watch.poll(NOW)
    for day in range(1, 8):
        at = NOW + day * DAY
        watch.rows.insert_attempt(day, state="completed", result="pass", date=at, last_answer_updated_time=at)
        if day < 7:  # the last day's exam is found only on the next day
            watch.poll(at + HOUR)
    next_morning = NOW + 7 * DAY + 13.5 * HOUR
    watch.now = next_morning
    watch.run_clock_jobs()
    assert recorded(watch, MILESTONE) == 0
    watch.poll(next_morning + MINUTE)
    assert recorded(watch, MILESTONE) == 1
    watch.close()


def test_one_job_that_fails_does_not_keep_the_others_from_working(scenario: AlertScenario) -> None:
    scenario.poll(NOW)
    for minutes in (1, 2):
        scenario.ends("fail", NOW + timedelta(minutes=minutes), student=RAVI, exam=QUIZ)
    scenario.happen(NOW + HOUR)
    scenario.watch.now = NOW + HOUR
    scenario.watch.poller.poll(scenario.now)
    away = Lms.of(replace(scenario.settings, lms_database_url="sqlite:////nowhere/lms.db"))
    ran = ClockJobs(scenario.watch.store, away, scenario.settings).run(scenario.now)
    away.close()
    assert isinstance(ran.error, LmsUnavailable)
    assert ran.recorded_events == 1


def test_c10_polls_by_hand_begin_and_end_the_incident_of_an_lms_that_cannot_be_read(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
    watch = Watch(shell.lms_url, shell.store_url)

    def is_incident() -> bool:
        with watch.store.reading() as transaction:
            return LMS in going_on(transaction, [LMS])

    for failures in (1, 2, 3):
        assert is_incident() is False, failures
        shell.counts("--once", code=FAILED)
    assert is_incident()
    shell.lms.run("ALTER TABLE elsewhere RENAME TO attempts")
    shell.counts("--once")
    assert not is_incident()
    watch.close()


# While the LMS is away for a day


def away_for(scenario: AlertScenario, length: timedelta, every: timedelta = HOUR) -> None:
    """No poll succeeds for a while; the clock and the delivery go on."""
    until = scenario.now + length
    scenario.watch.rows.run("ALTER TABLE attempts RENAME TO elsewhere")
    while scenario.now < until:
        with pytest.raises(LmsUnavailable):
            scenario.watch.poll(scenario.now + every)
        scenario.deliverer.deliver_turn(5.0)
    scenario.watch.rows.run("ALTER TABLE elsewhere RENAME TO attempts")


def test_a15_what_a_mentor_put_off_comes_back_while_the_lms_is_away(scenario: AlertScenario) -> None:
    scenario.ends("pass", NOW - MINUTE, student=RAVI)
    scenario.ends("pass", NOW - MINUTE)
    scenario.poll(NOW)
    for day in (1, 2, 3, 4):
        scenario.ends("pass", NOW + day * DAY)
    for minutes in (2, 1):
        scenario.ends("fail", NOW + 5 * DAY - minutes * MINUTE, exam=QUIZ)
    scenario.live(NOW + 5 * DAY, HOUR)
    for alert in scenario.opened():
        scenario.ask(f"snooze {alert.name} 2h")
    assert sorted(alert.rule for alert in scenario.opened()) == ["failed_twice", "inactive"]
    away_for(scenario, DAY)
    again = {text.split("**")[1]: text for text in scenario.told() if "You wanted to hear of this again" in text}
    assert again.keys() == {"Failed Twice", "Inactive"}
    assert "The LMS was last read" in again["Inactive"]
    assert "last read" not in again["Failed Twice"]


def test_a15_a_reminder_and_a_digest_come_while_the_lms_is_away(scenario: AlertScenario) -> None:
    scenario.ends("pass", NOW - MINUTE)
    scenario.poll(NOW)
    scenario.ask("notify passed digest")
    scenario.ends("pass", NOW + MINUTE, exam=QUIZ)
    for minutes in (2, 3):
        scenario.ends("fail", NOW + minutes * MINUTE)
    scenario.live(NOW + HOUR, HOUR)
    assert len(scenario.told()) == 1
    away_for(scenario, 3 * DAY)
    assert len([text for text in scenario.told() if "Nobody has taken this yet" in text]) == 1
    texts = [one.content for one in scenario.place.zulip.direct_to(scenario.place.people.mary)]
    assert len([text for text in texts if "has passed:" in text]) == 1
