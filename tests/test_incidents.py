"""The admins hear of what is wrong, once when it begins and once when it is over, and of nothing while all is well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lms_bot.pipeline import incident_notifications, incidents
from lms_bot.pipeline.incidents import ENOUGH, FOUND, LITTLE
from lms_bot.store import state
from lms_bot.store.operations import heartbeat
from lms_bot.store.operations.incidents import ongoing
from tests.admin_desk import Desk
from tests.bot_process import JANE, BotProcess, Place, in_store, wait_for


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(place_with_store: Place) -> Iterator[Desk]:
    with Desk.at(place_with_store) as desk:
        assert said(desk) == []
        yield desk


def said(desk: Desk) -> list[str]:
    """What is said in the topic of alerts, once the worker has looked and told."""
    desk.run_clock_jobs("incidents")
    desk.run(desk.worker.send_incidents)
    return desk.said(incident_notifications.TOPIC)


def poll(desk: Desk) -> None:
    """A poll, however many have failed before."""
    desk.worker._lms_pause_until = datetime.min.replace(tzinfo=UTC)
    desk.worker._guarded("poll", desk.worker.poll)


def test_nothing_is_said_while_all_is_well(desk: Desk) -> None:
    for number in range(3):
        desk.place.lms.pass_exam(1000 + number, JANE)
        desk.work()
        assert said(desk) == []
    assert "Alert" not in desk.ask("status")


def test_an_lms_that_fails_three_polls_in_a_row_is_said(desk: Desk) -> None:
    desk.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
    poll(desk)
    poll(desk)
    assert said(desk) == []
    poll(desk)
    poll(desk)
    (text,) = said(desk)
    assert text.startswith("🔴 The LMS cannot be read: ")
    assert "**Alert** since <time:" in desk.ask("status")
    desk.restart()
    desk.place.lms.run("ALTER TABLE elsewhere RENAME TO attempts")
    poll(desk)
    assert said(desk)[1:] == ["🟢 The LMS can be read again."]
    assert len(said(desk)) == 2


def test_two_failed_polls_are_nothing(desk: Desk) -> None:
    for _ in range(2):
        desk.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
        poll(desk)
        poll(desk)
        desk.place.lms.run("ALTER TABLE elsewhere RENAME TO attempts")
        poll(desk)
    assert said(desk) == []


def test_an_unusual_silence_is_said_and_its_end(desk: Desk) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
    days = {(noon - timedelta(days=back)).date().isoformat(): 1000 for back in range(1, 15)}
    with desk.parts.store.writing() as transaction:
        state.note(transaction, FOUND, {"last": (noon - timedelta(hours=3)).isoformat(), "days": days}, noon)
    for minute in range(3):
        incidents.note_poll(desk.parts.store, 0, desk.settings, noon + timedelta(minutes=minute))
    (text,) = said(desk)
    assert "nothing new since <time:2026-11-18T09:00:00Z>" in text
    incidents.note_poll(desk.parts.store, 0, desk.settings, noon + timedelta(hours=12))
    assert len(said(desk)) == 1
    incidents.note_poll(desk.parts.store, 5, desk.settings, noon + timedelta(hours=13))
    assert said(desk)[1:] == ["🟢 There are new events in the LMS again."]


def test_what_is_found_is_counted_by_day_for_two_weeks(desk: Desk) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    for day in range(30):
        for _ in range(2):
            incidents.note_poll(desk.parts.store, 5, desk.settings, noon + timedelta(days=day))
    with desk.parts.store.reading() as transaction:
        days = state.value(transaction, FOUND)["days"]
    assert set(days.values()) == {10}
    assert len(days) == 15


def test_delivery_that_fails_is_said_unless_it_is_paused(desk: Desk) -> None:
    desk.place.lms.pass_exam(1000, JANE)
    poll(desk)
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    in_store(
        desk.place.store_url,
        "UPDATE lms_event_logs SET due_at = :at, attempts = 3, error_message = 'Zulip refused'",
        at=long_ago.replace(tzinfo=None).isoformat(" ") if "sqlite" in desk.place.store_url else long_ago,
    )
    desk.ask("pause delivery")
    assert said(desk) == []
    desk.ask("resume delivery")
    (text,) = said(desk)
    assert text == "🔴 Delivery fails: 1 notification could not be told for 15 minutes. `pending` says why."
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 1
    assert said(desk)[1:] == ["🟢 Delivery works again."]


def test_new_mentors_without_an_account_are_said_once(desk: Desk) -> None:
    desk.place.lms.run("UPDATE mentors SET email = 'gone@example.org' WHERE email LIKE 'mary%'")
    desk.parts.poller.refresh_people(datetime.now(UTC), at_once=True)
    (text,) = said(desk)
    assert re.fullmatch(r"👤 1 mentor with students cannot be written to: #\d+\. `unmapped` says why\.", text)
    desk.restart()
    assert len(said(desk)) == 1
    desk.place.lms.run("UPDATE mentors SET email = 'mary@example.org' WHERE email = 'gone@example.org'")
    desk.parts.poller.refresh_people(datetime.now(UTC), at_once=True)
    assert said(desk)[1:] == ["🟢 Every mentor with students can be written to again."]


def test_a_disk_that_fills_up_is_said(desk: Desk) -> None:
    for free in (LITTLE, LITTLE - 1, LITTLE - 2, LITTLE + 1, ENOUGH, LITTLE - 1):
        with desk.parts.store.writing() as transaction:
            incidents.judge_disk(transaction, free, datetime.now(UTC))
    with desk.parts.store.reading() as transaction:
        ((_, text),) = ongoing(transaction)
    assert text == "💾 The disk of the event store is nearly full: 1,023 MiB are free."
    with desk.parts.store.writing() as transaction:
        incidents.judge_disk(transaction, ENOUGH + 1, datetime.now(UTC))
    with desk.parts.store.reading() as transaction:
        assert ongoing(transaction) == []


def test_a_restart_is_no_takeover(desk: Desk) -> None:
    for _ in range(2):
        desk.restart()
        desk.work()
        assert said(desk) == []


def test_a_process_that_stood_by_says_that_it_took_over(place: Place) -> None:
    with (
        BotProcess(place.zulip, place.folder, place.lms_url, place.store_url, name="first") as first,
        Desk.at(place) as desk,
    ):
        wait_for(lambda: worker_pid(desk) == first.process.pid)
        desk.work()
        assert desk.said(incident_notifications.TOPIC) == []
        answer = desk.ask("poll")
        assert f"(process {first.process.pid}) works. It polls" in answer
        wait_for(lambda: desk.said(), story=lambda: first.output)
        assert desk.said() == ["✅ The poll found 0 new events."]
        first.kill()
        wait_for(lambda: after_work(desk))
        (text,) = said(desk)
        assert re.fullmatch(
            rf"🔁 \S+ \(process \d+\) works now, in the place of \S+ \(process {first.process.pid}\)\.", text
        )


def after_work(desk: Desk) -> list[str]:
    desk.work()
    return said(desk)


def worker_pid(desk: Desk) -> int:
    with desk.parts.store.reading() as transaction:
        found = heartbeat.last(transaction)
    return found.process.pid if found else 0
