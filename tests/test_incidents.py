"""The admins hear of what is wrong, once when it begins and once when it is over, and of nothing while all is well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lms_bot.pipeline import incident_notifications, incidents
from lms_bot.pipeline.incidents import ENOUGH, FOUND, LITTLE
from lms_bot.store import state
from lms_bot.store.operations import heartbeat
from lms_bot.store.operations.incidents import ongoing
from tests.admin_session import AdminSession
from tests.bot_process import JANE, BotProcess, Place, in_store, wait_for


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(place_with_store: Place) -> Iterator[AdminSession]:
    with AdminSession.at(place_with_store) as session:
        assert said(session) == []
        yield session


def said(session: AdminSession) -> list[str]:
    """What is said in the topic of alerts, once the worker has looked and told."""
    session.run_clock_jobs("incidents")
    session.run(session.worker.send_incidents)
    return session.said(incident_notifications.TOPIC)


def poll(session: AdminSession) -> None:
    """A poll, however many have failed before."""
    session.worker._circuit_breaker = replace(session.worker._circuit_breaker, open_until=0.0)
    session.worker._guarded("poll", session.worker.poll)


def test_nothing_is_said_while_all_is_well(session: AdminSession) -> None:
    for number in range(3):
        session.place.lms.pass_exam(1000 + number, JANE)
        session.work()
        assert said(session) == []
    assert "Alert" not in session.ask("status")


def test_an_lms_that_fails_three_polls_in_a_row_is_said(session: AdminSession) -> None:
    session.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
    poll(session)
    poll(session)
    assert said(session) == []
    poll(session)
    poll(session)
    (text,) = said(session)
    assert text.startswith("🔴 The LMS cannot be read: ")
    assert "**Alert** since <time:" in session.ask("status")
    session.restart()
    session.place.lms.run("ALTER TABLE elsewhere RENAME TO attempts")
    poll(session)
    assert said(session)[1:] == ["🟢 The LMS can be read again."]
    assert len(said(session)) == 2


def test_two_failed_polls_are_nothing(session: AdminSession) -> None:
    for _ in range(2):
        session.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
        poll(session)
        poll(session)
        session.place.lms.run("ALTER TABLE elsewhere RENAME TO attempts")
        poll(session)
    assert said(session) == []


def note_poll(session: AdminSession, new_events: int, now: datetime) -> None:
    with session.parts.store.writing() as transaction:
        incidents.note_poll(transaction, new_events, session.settings, now)


def test_an_unusual_silence_is_said_and_its_end(session: AdminSession) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
    days = {(noon - timedelta(days=back)).date().isoformat(): 1000 for back in range(1, 15)}
    with session.parts.store.writing() as transaction:
        state.note(transaction, FOUND, {"last": (noon - timedelta(hours=3)).isoformat(), "days": days}, noon)
    for minute in range(3):
        note_poll(session, 0, noon + timedelta(minutes=minute))
    (text,) = said(session)
    assert "nothing new since <time:2026-11-18T09:00:00Z>" in text
    note_poll(session, 0, noon + timedelta(hours=12))
    assert len(said(session)) == 1
    note_poll(session, 5, noon + timedelta(hours=13))
    assert said(session)[1:] == ["🟢 There are new events in the LMS again."]


def test_what_is_found_is_counted_by_day_for_two_weeks(session: AdminSession) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    for day in range(30):
        for _ in range(2):
            note_poll(session, 5, noon + timedelta(days=day))
    with session.parts.store.reading() as transaction:
        days = state.value(transaction, FOUND)["days"]
    assert set(days.values()) == {10}
    assert len(days) == 15


def test_delivery_that_fails_is_said_unless_it_is_paused(session: AdminSession) -> None:
    session.place.lms.pass_exam(1000, JANE)
    poll(session)
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    in_store(
        session.place.store_url,
        "UPDATE lms_event_logs SET due_at = :at, attempts = 3, error_message = 'Zulip refused'",
        at=long_ago.replace(tzinfo=None).isoformat(" ") if "sqlite" in session.place.store_url else long_ago,
    )
    session.ask("pause delivery")
    assert said(session) == []
    session.ask("resume delivery")
    (text,) = said(session)
    assert text == "🔴 Delivery fails: 1 notification could not be told for 15 minutes. `pending` says why."
    session.work()
    assert len(session.told(session.place.people.mary)) == 1
    assert said(session)[1:] == ["🟢 Delivery works again."]


def test_new_mentors_without_an_account_are_said_once(session: AdminSession) -> None:
    session.place.lms.run("UPDATE mentors SET email = 'gone@example.org' WHERE email LIKE 'mary%'")
    session.parts.poller.refresh_people(datetime.now(UTC), at_once=True)
    (text,) = said(session)
    assert re.fullmatch(r"👤 1 mentor with students cannot be written to: #\d+\. `unmapped` says why\.", text)
    session.restart()
    assert len(said(session)) == 1
    session.place.lms.run("UPDATE mentors SET email = 'mary@example.org' WHERE email = 'gone@example.org'")
    session.parts.poller.refresh_people(datetime.now(UTC), at_once=True)
    assert said(session)[1:] == ["🟢 Every mentor with students can be written to again."]


def test_a_disk_that_fills_up_is_said(session: AdminSession) -> None:
    for free in (LITTLE, LITTLE - 1, LITTLE - 2, LITTLE + 1, ENOUGH, LITTLE - 1):
        with session.parts.store.writing() as transaction:
            incidents.judge_disk(transaction, free, datetime.now(UTC))
    with session.parts.store.reading() as transaction:
        ((_, text),) = ongoing(transaction)
    assert text == "💾 The disk of the event store is nearly full: 1,023 MiB are free."
    with session.parts.store.writing() as transaction:
        incidents.judge_disk(transaction, ENOUGH + 1, datetime.now(UTC))
    with session.parts.store.reading() as transaction:
        assert ongoing(transaction) == []


def test_a_restart_is_no_takeover(session: AdminSession) -> None:
    for _ in range(2):
        session.restart()
        session.work()
        assert said(session) == []


def test_a_process_that_stood_by_says_that_it_took_over(place: Place) -> None:
    with (
        BotProcess(place.zulip, place.folder, place.lms_url, place.store_url, name="first") as first,
        AdminSession.at(place) as session,
    ):
        wait_for(lambda: worker_pid(session) == first.process.pid)
        session.work()
        assert session.said(incident_notifications.TOPIC) == []
        answer = session.ask("poll")
        assert f"(process {first.process.pid}) works. It polls" in answer
        wait_for(lambda: session.said(), story=lambda: first.output)
        assert session.said() == ["✅ The poll found 0 new events."]
        first.kill()
        wait_for(lambda: after_work(session))
        (text,) = said(session)
        assert re.fullmatch(
            rf"🔁 \S+ \(process \d+\) works now, in the place of \S+ \(process {first.process.pid}\)\.", text
        )


def after_work(session: AdminSession) -> list[str]:
    session.work()
    return said(session)


def worker_pid(session: AdminSession) -> int:
    with session.parts.store.reading() as transaction:
        found = heartbeat.last_worker(transaction)
    return found.process.pid if found else 0
