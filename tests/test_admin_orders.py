"""Admins have the worker poll, deliver, pause and go on: in whichever process it is, and across restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lms_bot.core.process import Work
from lms_bot.store.operations import figures, heartbeat, orders, pauses
from lms_bot.store.questions import audit
from tests.admin_session import TOPIC, AdminSession
from tests.bot_process import BOTH, GULNORA, JANE, Place
from tests.shell import Shell, shell

__all__ = ["shell"]

ORDERS = ["poll", "process-pending", "pause polling", "pause delivery 2h", "resume delivery", "user mary", "status"]


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(place_with_store: Place) -> Iterator[AdminSession]:
    with AdminSession.at(place_with_store) as session:
        yield session


def test_a_poll_is_made_at_once_and_its_result_is_said_where_it_was_asked(session: AdminSession) -> None:
    session.place.lms.pass_exam(1000, JANE)
    assert session.ask("poll") == "This process polls at once and writes here what was found."
    assert session.said() == []
    session.worker.carry_out_orders()
    assert session.said() == ["✅ The poll found 1 new event."]
    session.worker.carry_out_orders()
    assert len(session.said()) == 1


def test_several_who_ask_for_a_poll_in_one_topic_are_told_once(session: AdminSession) -> None:
    for _ in range(3):
        session.ask("poll")
    session.worker.carry_out_orders()
    assert session.said() == ["✅ The poll found 0 new events."]


def test_a_poll_that_fails_says_why_and_is_not_repeated(session: AdminSession) -> None:
    session.ask("poll")
    session.parts.lms.close()
    session.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
    session.work()
    session.work()
    (text,) = session.said()
    assert text.startswith("❌ The poll failed: ")


def test_a_poll_asked_for_before_a_restart_is_made_after_it(session: AdminSession) -> None:
    session.ask("poll")
    session.restart()
    session.work()
    assert session.said() == ["✅ The poll found 0 new events."]


def test_who_works_elsewhere_is_named(session: AdminSession) -> None:
    now = datetime.now(UTC)
    with session.parts.store.writing() as transaction:
        me = heartbeat.last_worker(transaction)
        assert me is not None
        other = me.process._replace(host="east*wing", pid=7)
        heartbeat.note(transaction, other, now, now, polling_since=now)
    answer = session.ask("poll")
    assert answer.startswith("I stand by here: east∗wing (process 7) works. It polls again as soon as the poll ends")
    assert "**Works:** east∗wing (process 7) since" in session.ask("status")


def test_nobody_who_works_is_said_too(session: AdminSession) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with session.parts.store.writing() as transaction:
        me = heartbeat.last_worker(transaction)
        assert me is not None
        heartbeat.note(transaction, me.process._replace(pid=7), long_ago, long_ago)
    assert session.ask("poll").startswith("No process works just now. The next one polls at once")
    assert "**not seen** after" in session.ask("status")


def test_paused_polling_finds_nothing_until_it_is_resumed_and_outlives_a_restart(session: AdminSession) -> None:
    answer = session.ask("pause polling")
    assert answer == "⏸️ **Polling is paused** until it is resumed.\n\nTo take it back: `resume polling`."
    session.restart()
    session.place.lms.pass_exam(1000, JANE)
    session.work()
    assert session.told(session.place.people.mary) == []
    assert "⏸️ **Polling is paused** until it is resumed" in session.ask("status")

    assert session.ask("resume polling").startswith("▶️ **Polling goes on.** The LMS was last read at <time:")
    session.work()
    assert len(session.told(session.place.people.mary)) == 1
    assert "paused" not in session.ask("status")


def test_a_process_that_begins_to_work_knows_of_the_pause_before_its_first_job(session: AdminSession) -> None:
    session.ask("pause polling")
    session.ask("pause delivery")
    for job in ("poll", "deliver"):
        session.restart()
        session.place.lms.pass_exam(1000 + len(job), JANE)
        session.worker._guarded(job, getattr(session.worker, job))
    with session.parts.store.reading() as transaction:
        assert figures.queue(transaction, datetime.now(UTC)).due == 0
    session.ask("poll")
    session.run(session.worker.carry_out_orders)
    session.restart()
    session.run(session.worker.deliver)
    assert session.told(session.place.people.mary) == []
    assert "⏸️ **Delivery is paused** until it is resumed" in session.ask("pending")


def test_a_poll_that_an_admin_asks_for_is_made_while_polling_is_paused(session: AdminSession) -> None:
    session.ask("pause polling 2h")
    assert "Polling stays paused otherwise, until <time:" in session.ask("poll")
    session.place.lms.pass_exam(1000, JANE)
    session.work()
    assert session.said() == ["✅ The poll found 1 new event."]
    session.place.lms.pass_exam(1001, JANE)
    session.work()
    assert len(session.told(session.place.people.mary)) == 1


def test_paused_delivery_tells_nobody_and_says_what_waits(session: AdminSession) -> None:
    session.ask("pause delivery 2h")
    session.place.lms.pass_exam(1000, JANE)
    session.work()
    session.restart()
    session.work()
    assert session.told(session.place.people.mary) == []
    assert "**Waiting:** 1 notification: 1 due, the oldest for" in session.ask("status")

    assert session.ask("resume delivery") == "▶️ **Delivery goes on.** 1 notification due now, 0 held for later."
    session.work()
    assert len(session.told(session.place.people.mary)) == 1
    assert "**Today:** 1 notification told in 1 message, 0 held" in session.ask("status")


def test_a_pause_with_a_duration_ends_by_itself(session: AdminSession) -> None:
    now = datetime.now(UTC)
    with session.parts.store.writing() as transaction:
        pauses.begin(transaction, Work.DELIVERY, now + timedelta(hours=2), 1, now)
        assert set(pauses.current(transaction, now + timedelta(hours=2, seconds=-1))) == {Work.DELIVERY}
        assert pauses.current(transaction, now + timedelta(hours=2)) == {}
        pauses.begin(transaction, Work.DELIVERY, None, 1, now)
        assert set(pauses.current(transaction, now + timedelta(days=1000))) == {Work.DELIVERY}
        pauses.begin(transaction, Work.DELIVERY, now - timedelta(seconds=1), 1, now)
    assert "is not paused" in session.ask("resume delivery")
    session.place.lms.pass_exam(1000, JANE)
    session.work()
    assert len(session.told(session.place.people.mary)) == 1


def test_what_is_due_is_delivered_on_request_while_delivery_is_paused(session: AdminSession) -> None:
    session.ask("pause delivery")
    session.place.lms.pass_exam(1000, JANE)
    session.place.lms.start_exam(1001, GULNORA)
    session.work()
    answer = session.ask("process-pending exam_passed")
    assert answer.startswith("This process delivers ")
    assert "those of exam_passed, and writes here when that is done. Delivery stays paused otherwise" in answer
    session.work()
    assert session.said() == ["✅ Nothing is due any more: 1 notification told, 0 put off."]
    assert [("Passed" in text, "Started" in text) for text in session.told(session.place.people.mary)] == [
        (True, False)
    ]
    session.ask("process-pending")
    session.work()
    assert sum("Started" in text for text in session.told(session.place.people.mary)) == 1
    session.place.lms.pass_exam(1002, JANE)
    session.work()
    assert len(session.told(session.place.people.mary)) == 2


def test_a_delivery_that_zulip_refuses_is_reported_and_tried_again_later(session: AdminSession) -> None:
    session.place.lms.pass_exam(1000, JANE)
    session.worker.poll()
    session.ask("process-pending")
    session.place.zulip.stop()
    session.worker.carry_out_orders()
    with session.parts.store.reading() as transaction:
        assert orders.pending(transaction) == []
    session.place.zulip.start()
    assert session.told(session.place.people.mary) == []


@pytest.mark.parametrize("text", ORDERS)
def test_it_is_for_admins_in_their_private_stream_alone(session: AdminSession, text: str) -> None:
    people = session.place.people
    nowhere = ({"private_id": None}, {"stream_id": session.stream_id + 1})
    for where in nowhere:
        for sender in (people.ada, people.eve, people.mary):
            for message in session.answers(text, sender=sender, **where):
                assert "mary@example.org" not in message.content
                assert "Works" not in message.content
    direct = {"type": "private", "stream_id": None, "display_recipient": [{"id": people.mary}]}
    for message in session.answers(text, sender=people.mary, **direct):
        assert "is paused**" not in message.content
    with session.parts.store.reading() as transaction:
        assert orders.pending(transaction) == []
        assert pauses.current(transaction, datetime.now(UTC)) == {}


def test_a_mentor_in_the_admin_stream_pauses_the_bot_and_elsewhere_only_themselves(session: AdminSession) -> None:
    mary = session.place.people.mary
    (refused,) = session.answers("pause 2h", sender=mary)
    assert "Something is missing, `polling|delivery`" in refused.content
    assert "direct message" in refused.content
    (own,) = session.answers("pause 2h", sender=mary, type="private", stream_id=None, display_recipient=[{"id": mary}])
    assert "**Paused** until" in own.content
    (answer,) = session.answers("pause polling 2h", sender=mary)
    assert "**Polling is paused** until" in answer.content


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pause", "Something is missing"),
        ("pause everything", "I do not know what “everything” means here."),
        ("pause polling 0m", "is no duration"),
        ("pause polling 99999999d", "is no duration"),
        ("pause polling 9999999999999999999999d", "is no duration"),
        ("pause polling delivery", "There are two of"),
        ("pause @**all** [x](http://evil.example.com)", "I do not know what"),
        ("resume polling", "Polling is not paused."),
        ("resume '; DROP TABLE facts; --", "I do not know what"),
        ("poll @**all**", "I do not know what"),
        ("process-pending exam_pased", "Did you mean `exam_passed`?"),
        ("process-pending type:@**all**", "I know no kind of event"),
        ("process-pending , ,", "I know no kind of event"),
    ],
)
def test_what_cannot_be_understood_changes_nothing(session: AdminSession, text: str, says: str) -> None:
    (message,) = session.answers(text)
    assert says in message.content
    assert "@**" not in message.content
    with session.parts.store.reading() as transaction:
        assert orders.pending(transaction) == []
        assert pauses.current(transaction, datetime.now(UTC)) == {}


def test_every_change_is_in_the_audit(session: AdminSession) -> None:
    changes = ["pause polling 2h", "resume polling", "poll", "process-pending exam_passed", "resume delivery"]
    for text in changes:
        session.answers(text)
    with session.parts.store.reading() as transaction:
        entries = audit.last(transaction, 10)
    assert [entry.command for entry in reversed(entries)] == changes
    assert {entry.zulip_user_id for entry in entries} == {session.place.people.ada}


def test_what_is_turned_off_in_the_settings_stays_off(place: Place) -> None:
    with AdminSession.at(place, LMS_ACTIVITY_MONITOR_ENABLED="false", LMS_NOTIFY_MENTORS_ENABLED="false") as session:
        assert session.ask("poll") == "Polling is turned off in the settings (`monitor_enabled`)."
        assert "`notify_mentors`" in session.ask("process-pending")
        assert session.said(TOPIC) == []


@BOTH
def test_what_somebody_types_at_the_command_line_is_done_in_spite_of_a_pause(shell: Shell) -> None:
    shell.counts("--once")
    with AdminSession.at(shell) as session:
        for work in Work:
            session.ask(f"pause {work}")
    shell.lms.pass_exam(1000, JANE)
    done = shell.run("monitor", "--once", "--json")
    assert len(shell.told(shell.people.mary)) == 1
    assert "polling is paused by an admin; this command is carried out all the same" in done.stderr
    assert "delivery is paused by an admin" in done.stderr
