"""Admins have the worker poll, deliver, pause and go on: in whichever process it is, and across restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lms_bot.store.operations import figures, heartbeat, orders, pauses
from lms_bot.store.operations.pauses import Work
from lms_bot.store.questions import audit
from tests.admin_desk import TOPIC, Desk
from tests.bot_process import BOTH, GULNORA, JANE, Place
from tests.shell import Shell, shell

__all__ = ["shell"]

ORDERS = ["poll", "process-pending", "pause polling", "pause delivery 2h", "resume delivery", "user mary", "status"]


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(place_with_store: Place) -> Iterator[Desk]:
    with Desk.at(place_with_store) as desk:
        yield desk


def test_a_poll_is_made_at_once_and_its_result_is_said_where_it_was_asked(desk: Desk) -> None:
    desk.place.lms.pass_exam(1000, JANE)
    assert desk.ask("poll") == "This process polls at once and writes here what was found."
    assert desk.said() == []
    desk.worker.carry_out_orders()
    assert desk.said() == ["✅ The poll found 1 new event."]
    desk.worker.carry_out_orders()
    assert len(desk.said()) == 1


def test_several_who_ask_for_a_poll_in_one_topic_are_told_once(desk: Desk) -> None:
    for _ in range(3):
        desk.ask("poll")
    desk.worker.carry_out_orders()
    assert desk.said() == ["✅ The poll found 0 new events."]


def test_a_poll_that_fails_says_why_and_is_not_repeated(desk: Desk) -> None:
    desk.ask("poll")
    desk.parts.lms.close()
    desk.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")
    desk.work()
    desk.work()
    (text,) = desk.said()
    assert text.startswith("❌ The poll failed: ")


def test_a_poll_asked_for_before_a_restart_is_made_after_it(desk: Desk) -> None:
    desk.ask("poll")
    desk.restart()
    desk.work()
    assert desk.said() == ["✅ The poll found 0 new events."]


def test_who_works_elsewhere_is_named(desk: Desk) -> None:
    now = datetime.now(UTC)
    with desk.parts.store.writing() as transaction:
        me = heartbeat.last(transaction)
        assert me is not None
        other = me.process._replace(host="east*wing", pid=7)
        heartbeat.note(transaction, other, now, now, polling_since=now)
    answer = desk.ask("poll")
    assert answer.startswith("I stand by here: east∗wing (process 7) works. It polls again as soon as the poll ends")
    assert "**Works:** east∗wing (process 7) since" in desk.ask("status")


def test_nobody_who_works_is_said_too(desk: Desk) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with desk.parts.store.writing() as transaction:
        me = heartbeat.last(transaction)
        assert me is not None
        heartbeat.note(transaction, me.process._replace(pid=7), long_ago, long_ago)
    assert desk.ask("poll").startswith("No process works just now. The next one polls at once")
    assert "**not seen** after" in desk.ask("status")


def test_paused_polling_finds_nothing_until_it_is_resumed_and_outlives_a_restart(desk: Desk) -> None:
    answer = desk.ask("pause polling")
    assert answer == "⏸️ **Polling is paused** until it is resumed.\n\nTo take it back: `resume polling`."
    desk.restart()
    desk.place.lms.pass_exam(1000, JANE)
    desk.work()
    assert desk.told(desk.place.people.mary) == []
    assert "⏸️ **Polling is paused** until it is resumed" in desk.ask("status")

    assert desk.ask("resume polling").startswith("▶️ **Polling goes on.** The LMS was last read at <time:")
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 1
    assert "paused" not in desk.ask("status")


def test_a_process_that_begins_to_work_knows_of_the_pause_before_its_first_job(desk: Desk) -> None:
    desk.ask("pause polling")
    desk.ask("pause delivery")
    for job in ("poll", "deliver"):
        desk.restart()
        desk.place.lms.pass_exam(1000 + len(job), JANE)
        desk.worker._guarded(job, getattr(desk.worker, job))
    with desk.parts.store.reading() as transaction:
        assert figures.queue(transaction, datetime.now(UTC)).due == 0
    desk.ask("poll")
    desk.run(desk.worker.carry_out_orders)
    desk.restart()
    desk.run(desk.worker.deliver)
    assert desk.told(desk.place.people.mary) == []
    assert "⏸️ **Delivery is paused** until it is resumed" in desk.ask("pending")


def test_a_poll_that_an_admin_asks_for_is_made_while_polling_is_paused(desk: Desk) -> None:
    desk.ask("pause polling 2h")
    assert "Polling stays paused otherwise, until <time:" in desk.ask("poll")
    desk.place.lms.pass_exam(1000, JANE)
    desk.work()
    assert desk.said() == ["✅ The poll found 1 new event."]
    desk.place.lms.pass_exam(1001, JANE)
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 1


def test_paused_delivery_tells_nobody_and_says_what_waits(desk: Desk) -> None:
    desk.ask("pause delivery 2h")
    desk.place.lms.pass_exam(1000, JANE)
    desk.work()
    desk.restart()
    desk.work()
    assert desk.told(desk.place.people.mary) == []
    assert "**Waiting:** 1 notification: 1 due, the oldest for" in desk.ask("status")

    assert desk.ask("resume delivery") == "▶️ **Delivery goes on.** 1 notification due now, 0 held for later."
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 1
    assert "**Today:** 1 notification told in 1 message, 0 held" in desk.ask("status")


def test_a_pause_with_a_duration_ends_by_itself(desk: Desk) -> None:
    now = datetime.now(UTC)
    with desk.parts.store.writing() as transaction:
        pauses.begin(transaction, Work.DELIVERY, now + timedelta(hours=2), 1, now)
        assert set(pauses.current(transaction, now + timedelta(hours=2, seconds=-1))) == {Work.DELIVERY}
        assert pauses.current(transaction, now + timedelta(hours=2)) == {}
        pauses.begin(transaction, Work.DELIVERY, None, 1, now)
        assert set(pauses.current(transaction, now + timedelta(days=1000))) == {Work.DELIVERY}
        pauses.begin(transaction, Work.DELIVERY, now - timedelta(seconds=1), 1, now)
    assert "is not paused" in desk.ask("resume delivery")
    desk.place.lms.pass_exam(1000, JANE)
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 1


def test_what_is_due_is_delivered_on_request_while_delivery_is_paused(desk: Desk) -> None:
    desk.ask("pause delivery")
    desk.place.lms.pass_exam(1000, JANE)
    desk.place.lms.start_exam(1001, GULNORA)
    desk.work()
    answer = desk.ask("process-pending exam_passed")
    assert answer.startswith("This process delivers ")
    assert "those of exam_passed, and writes here when that is done. Delivery stays paused otherwise" in answer
    desk.work()
    assert desk.said() == ["✅ Nothing is due any more: 1 notification told, 0 put off."]
    assert [("Passed" in text, "Started" in text) for text in desk.told(desk.place.people.mary)] == [(True, False)]
    desk.ask("process-pending")
    desk.work()
    assert sum("Started" in text for text in desk.told(desk.place.people.mary)) == 1
    desk.place.lms.pass_exam(1002, JANE)
    desk.work()
    assert len(desk.told(desk.place.people.mary)) == 2


def test_a_delivery_that_zulip_refuses_is_reported_and_tried_again_later(desk: Desk) -> None:
    desk.place.lms.pass_exam(1000, JANE)
    desk.worker.poll()
    desk.ask("process-pending")
    desk.place.zulip.stop()
    desk.worker.carry_out_orders()
    with desk.parts.store.reading() as transaction:
        assert orders.waiting(transaction) == []
    desk.place.zulip.start()
    assert desk.told(desk.place.people.mary) == []


@pytest.mark.parametrize("text", ORDERS)
def test_it_is_for_admins_in_their_private_stream_alone(desk: Desk, text: str) -> None:
    people = desk.place.people
    nowhere = ({"private_id": None}, {"stream_id": desk.stream_id + 1})
    for where in nowhere:
        for sender in (people.ada, people.eve, people.mary):
            for message in desk.answers(text, sender=sender, **where):
                assert "mary@example.org" not in message.content
                assert "Works" not in message.content
    direct = {"type": "private", "stream_id": None, "display_recipient": [{"id": people.mary}]}
    for message in desk.answers(text, sender=people.mary, **direct):
        assert "is paused**" not in message.content
    with desk.parts.store.reading() as transaction:
        assert orders.waiting(transaction) == []
        assert pauses.current(transaction, datetime.now(UTC)) == {}


def test_a_mentor_in_the_admin_stream_pauses_the_bot_and_elsewhere_only_themselves(desk: Desk) -> None:
    mary = desk.place.people.mary
    (refused,) = desk.answers("pause 2h", sender=mary)
    assert "Something is missing, `polling|delivery`" in refused.content
    assert "direct message" in refused.content
    (own,) = desk.answers("pause 2h", sender=mary, type="private", stream_id=None, display_recipient=[{"id": mary}])
    assert "**Paused** until" in own.content
    (answer,) = desk.answers("pause polling 2h", sender=mary)
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
def test_what_cannot_be_understood_changes_nothing(desk: Desk, text: str, says: str) -> None:
    (message,) = desk.answers(text)
    assert says in message.content
    assert "@**" not in message.content
    with desk.parts.store.reading() as transaction:
        assert orders.waiting(transaction) == []
        assert pauses.current(transaction, datetime.now(UTC)) == {}


def test_every_change_is_in_the_audit(desk: Desk) -> None:
    changes = ["pause polling 2h", "resume polling", "poll", "process-pending exam_passed", "resume delivery"]
    for text in changes:
        desk.answers(text)
    with desk.parts.store.reading() as transaction:
        entries = audit.last(transaction, 10)
    assert [entry.command for entry in reversed(entries)] == changes
    assert {entry.zulip_user_id for entry in entries} == {desk.place.people.ada}


def test_what_is_turned_off_in_the_settings_stays_off(place: Place) -> None:
    with Desk.at(place, LMS_ACTIVITY_MONITOR_ENABLED="false", LMS_NOTIFY_MENTORS_ENABLED="false") as desk:
        assert desk.ask("poll") == "Polling is turned off in the settings (`monitor_enabled`)."
        assert "`notify_mentors`" in desk.ask("process-pending")
        assert desk.said(TOPIC) == []


@BOTH
def test_what_somebody_types_at_the_command_line_is_done_in_spite_of_a_pause(shell: Shell) -> None:
    shell.counts("--once")
    with Desk.at(shell) as desk:
        for work in Work:
            desk.ask(f"pause {work}")
    shell.lms.pass_exam(1000, JANE)
    done = shell.run("monitor", "--once", "--json")
    assert len(shell.told(shell.people.mary)) == 1
    assert "polling is paused by an admin; this command is carried out all the same" in done.stderr
    assert "delivery is paused by an admin" in done.stderr
