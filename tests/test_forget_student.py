"""A student who is forgotten is in no table, in no message that can be changed, and never recorded again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.notifications import Preferences, Recipient
from lms_bot.core.people import Student
from lms_bot.errors import SendError
from lms_bot.pipeline.forget_student import Forgotten, MessagesUnderWay, forget
from lms_bot.store import counters
from lms_bot.store.notifications import outbox, preferences
from lms_bot.store.questions import audit
from lms_bot.store.retention import traces
from lms_bot.store.session import Store
from tests import NOW
from tests.bot_process import JANE as SCHOOLS_JANE
from tests.bot_process import from_store
from tests.fake_zulip_state import EDIT_SECONDS
from tests.lms_rows import Watch
from tests.office import JANE, MARY, RAVI, Office, happened
from tests.shell import DONE, FAILED, WRONG_USE, Shell, shell

__all__ = ["shell"]


def do(office: Office, student: Student = JANE) -> Forgotten:
    return forget(office.store, office.chat, student, office.clock())


def everything(store: Store) -> str:
    """All values of all tables of the store."""
    with store.reading() as transaction:
        names = sa.inspect(transaction).get_table_names()
        rows = [transaction.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
    return json.dumps(rows, default=str, ensure_ascii=False)


def answered(office: Office, text: str) -> None:
    """Mary was given an answer."""
    with office.store.writing() as transaction:
        message = outbox.freeze(transaction, Recipient(user_ids=(office.account(MARY),)), text, office.clock())
    office.deliverer.send_message(message)


def counted(store: Store) -> dict[str, int]:
    with store.reading() as transaction:
        return {name: transaction.scalar(counters.value(name)) or 0 for name in (counters.EVENTS, counters.TOLD)}


def test_nothing_of_the_student_is_left_and_all_of_the_others_is(any_office: Office) -> None:
    office = any_office
    office.owe(happened(JANE, "Algebra"), happened(RAVI, "Biology"))
    office.turn()
    office.owe(happened(JANE, "Chemistry"))
    office.turn()
    office.owe(happened(RAVI, "Drawing"))
    office.turn()
    office.owe(happened(JANE, "Ethics"))  # not told yet
    answered(office, "**jane**: 3 events")
    answered(office, "**janet**, who is somebody else: 3 events")
    with office.store.writing() as transaction:
        preferences.keep(transaction, 1, Preferences(muted={11: NOW + timedelta(days=3), 12: NOW}), NOW)
        audit.note(transaction, 7, "user jane", "shown", NOW)
        audit.note(transaction, 7, "map mary @Mary", "mapped", NOW)
    done = do(office)
    assert done == Forgotten(events=3, notifications=3, deleted=2, rewritten=1, left=())
    (mixed, drawing, other) = office.told(MARY)
    assert "Biology" in mixed
    assert "Algebra" not in mixed
    assert "Drawing" in drawing
    assert "janet" in other
    assert not any(JANE.username in text.replace("janet", "") for text in office.told(MARY))
    left = everything(office.store)
    for gone in ("Algebra", "Chemistry", "Ethics", JANE.email or "", '"jane"', "user jane"):
        assert gone not in left, gone
    for kept in ("Biology", "Drawing", "janet", "ravi", "map mary"):
        assert kept in left, kept
    with office.store.reading() as transaction:
        assert preferences.asked(transaction, 1).muted == {12: NOW}
    assert counted(office.store) == {counters.EVENTS: 2, counters.TOLD: 2}
    office.wait(5)
    assert len(office.told(MARY)) == 3


def test_what_zulip_does_not_allow_any_more_is_named(office: Office) -> None:
    office.owe(happened(JANE, "Algebra"), happened(RAVI, "Biology"))
    office.turn()
    office.owe(happened(JANE, "Chemistry"))
    office.turn()
    (mixed, alone) = (message.id for message in office.zulip.direct_to(office.account(MARY)))
    office.zulip.clock_offset = EDIT_SECONDS + 1
    done = do(office)
    assert done == Forgotten(events=2, notifications=2, deleted=0, rewritten=0, left=(mixed, alone))
    assert "Algebra" not in everything(office.store)


def test_while_zulip_cannot_be_reached_nothing_is_lost_and_nothing_more_is_told(office: Office) -> None:
    office.owe(happened(JANE, "Algebra"))
    office.turn()
    office.owe(happened(JANE, "Biology"))
    office.zulip.stop()
    with pytest.raises(SendError):
        do(office)
    office.zulip.start()
    office.wait(5)
    assert office.times_told(MARY, happened(JANE, "Biology")) == 0
    with office.store.reading() as transaction:
        again = traces.student(transaction, "jane")
    assert again is not None
    assert do(office, again) == Forgotten(events=2, notifications=2, deleted=1, rewritten=0, left=())
    assert office.told(MARY) == []


def test_a_message_on_its_way_is_waited_for(office: Office) -> None:
    office.zulip.fail("close_after", on="POST /api/v1/messages")
    office.owe(happened(JANE, "Algebra"))
    office.turn()
    with pytest.raises(MessagesUnderWay):
        do(office)
    office.wait(5)
    assert do(office).deleted == 1
    assert office.told(MARY) == []


def test_who_is_forgotten_is_not_recorded_again(lms_url: str, store_url: str) -> None:
    watch = Watch(lms_url, store_url)
    watch.rows.insert_attempt(1, user_id=SCHOOLS_JANE)
    watch.poll()
    with watch.store.reading() as transaction:
        jane = traces.student(transaction, "jane_smith")
    assert jane is not None
    with watch.store.writing() as transaction:
        traces.stop(transaction, jane, watch.now)
        traces.remove(transaction, jane, {"jane_smith"})
    watch.rows.insert_attempt(2, user_id=SCHOOLS_JANE)
    watch.rows.insert_attempt(3, user_id=None, username="jane_smith")
    watch.rows.insert_attempt(4, user_id=1002)
    watch.rows.update_attempt(1, state="completed", result="pass")
    watch.now += timedelta(minutes=10)
    watch.polls(3)
    assert watch.facts() == [("attempts", 4, "exam_started")]
    assert "jane_smith" not in everything(watch.store)
    assert "ravi_patel" in everything(watch.store)
    watch.close()


# On the command line


def test_it_is_asked_for_and_told_on_the_command_line(shell: Shell) -> None:
    shell.lms.pass_exam(900, SCHOOLS_JANE)
    shell.run("monitor", "--once")
    shell.lms.pass_exam(1000, SCHOOLS_JANE)
    shell.run("monitor", "--once")
    assert len(shell.told(shell.people.mary)) == 1
    refused = shell.run("forget", "jane_smith", code=WRONG_USE)
    assert "--yes" in refused.stderr
    assert "no such student" in shell.run("forget", "nobody", "--yes", code=FAILED).stderr
    done = shell.run("forget", "jane_smith", "--yes", code=DONE)
    assert done.stdout.splitlines()[:2] == [
        "Removed from the store: 2 events, 1 notification.",
        "Removed in Zulip: 1 message.",
    ]
    assert shell.told(shell.people.mary) == []
    shell.lms.pass_exam(1001, SCHOOLS_JANE)
    shell.run("monitor", "--once")
    assert from_store(shell.store_url, "SELECT count(*) FROM lms_activity_events") == [(0,)]


def test_what_is_left_in_zulip_is_failure(shell: Shell) -> None:
    shell.run("monitor", "--once")
    shell.lms.pass_exam(1000, SCHOOLS_JANE)
    shell.run("monitor", "--once")
    (message,) = shell.zulip.direct_to(shell.people.mary)
    shell.zulip.clock_offset = EDIT_SECONDS + 1
    done = shell.run("forget", f"#{SCHOOLS_JANE}", "--yes", code=FAILED)
    assert f"1 message, with the id {message.id}." in done.stdout
