"""A student who is forgotten is in no table, in no message that can be changed, and never recorded again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.core.notifications import Preferences, Recipient
from lms_bot.core.people import Student
from lms_bot.errors import SendError
from lms_bot.pipeline.forget_student import Forgotten, MessagesUnderWay, forget
from lms_bot.render.quoting import quote
from lms_bot.store import counters
from lms_bot.store.notifications import outbox, preferences
from lms_bot.store.questions import audit
from lms_bot.store.retention import forget_student
from lms_bot.store.retention.names import Names
from lms_bot.store.retention.removal import remove_events
from lms_bot.store.session import Store
from lms_bot.store.tables import events, messages
from tests import NOW
from tests.bot_process import JANE as SCHOOLS_JANE
from tests.bot_process import from_store, in_store
from tests.delivery_scenario import JANE, MARY, RAVI, DeliveryScenario, happened
from tests.fake_zulip_state import EDIT_SECONDS
from tests.lms_rows import Watch
from tests.shell import DONE, FAILED, WRONG_USE, Shell, shell

__all__ = ["shell"]


def do(delivery: DeliveryScenario, student: Student = JANE) -> Forgotten:
    return forget(delivery.store, delivery.chat, student, delivery.clock())


def everything(store: Store) -> str:
    """All values of all tables of the store."""
    with store.reading() as transaction:
        names = sa.inspect(transaction).get_table_names()
        rows = [transaction.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
    return json.dumps(rows, default=str, ensure_ascii=False)


def answered(delivery: DeliveryScenario, text: str) -> None:
    """Mary was given an answer."""
    with delivery.store.writing() as transaction:
        message = outbox.freeze(
            transaction, outbox.Draft(Recipient(user_ids=(delivery.account(MARY),)), text), delivery.clock()
        )
    delivery.deliverer.send_message(message)


def counted(store: Store) -> dict[str, int]:
    with store.reading() as transaction:
        return {name: transaction.scalar(counters.value(name)) or 0 for name in (counters.EVENTS, counters.NOTIFIED)}


def test_nothing_of_the_student_is_left_and_all_of_the_others_is(any_delivery: DeliveryScenario) -> None:
    delivery = any_delivery
    delivery.owe(happened(JANE, "Algebra"), happened(RAVI, "Biology"))
    delivery.turn()
    delivery.owe(happened(JANE, "Chemistry"))
    delivery.turn()
    delivery.owe(happened(RAVI, "Drawing"))
    delivery.turn()
    delivery.owe(happened(JANE, "Ethics"))  # not told yet
    answered(delivery, "**jane**: 3 events")
    answered(delivery, "**janet**, who is somebody else: 3 events")
    with delivery.store.writing() as transaction:
        preferences.save(transaction, 1, Preferences(muted={11: NOW + timedelta(days=3), 12: NOW}), NOW)
        audit.note(transaction, 7, "user jane", "shown", NOW)
        audit.note(transaction, 7, "map mary @Mary", "mapped", NOW)
    done = do(delivery)
    assert done == Forgotten(events=3, notifications=3, deleted=2, rewritten=1, left=())
    (mixed, drawing, other) = delivery.told(MARY)
    assert "Biology" in mixed
    assert "Algebra" not in mixed
    assert "Drawing" in drawing
    assert "janet" in other
    assert not any(JANE.username in text.replace("janet", "") for text in delivery.told(MARY))
    left = everything(delivery.store)
    for gone in ("Algebra", "Chemistry", "Ethics", JANE.email or "", '"jane"', "user jane"):
        assert gone not in left, gone
    for kept in ("Biology", "Drawing", "janet", "ravi", "map mary"):
        assert kept in left, kept
    with delivery.store.reading() as transaction:
        assert preferences.chosen(transaction, 1).muted == {12: NOW}
    assert counted(delivery.store) == {counters.EVENTS: 2, counters.NOTIFIED: 2}
    delivery.wait(5)
    assert len(delivery.told(MARY)) == 3


def test_what_zulip_does_not_allow_any_more_is_named(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(JANE, "Algebra"), happened(RAVI, "Biology"))
    delivery.turn()
    delivery.owe(happened(JANE, "Chemistry"))
    delivery.turn()
    (mixed, alone) = (message.id for message in delivery.zulip.direct_to(delivery.account(MARY)))
    delivery.zulip.clock_offset = EDIT_SECONDS + 1
    done = do(delivery)
    assert done == Forgotten(events=2, notifications=2, deleted=0, rewritten=0, left=(mixed, alone))
    assert "Algebra" not in everything(delivery.store)


def test_while_zulip_cannot_be_reached_nothing_is_lost_and_nothing_more_is_told(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.stop()
    with pytest.raises(SendError):
        do(delivery)
    delivery.zulip.start()
    delivery.wait(5)
    assert delivery.times_told(MARY, happened(JANE, "Biology")) == 0
    with delivery.store.reading() as transaction:
        again = forget_student.find_student(transaction, "jane")
    assert again is not None
    assert do(delivery, again) == Forgotten(events=2, notifications=2, deleted=1, rewritten=0, left=())
    assert delivery.told(MARY) == []


def test_a_message_on_its_way_is_waited_for(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("close_after", on="POST /api/v1/messages")
    delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    with pytest.raises(MessagesUnderWay):
        do(delivery)
    delivery.wait(5)
    assert do(delivery).deleted == 1
    assert delivery.told(MARY) == []


def test_who_is_forgotten_is_not_recorded_again(lms_url: str, store_url: str) -> None:
    watch = Watch(lms_url, store_url)
    watch.rows.insert_attempt(1, user_id=SCHOOLS_JANE)
    watch.poll()
    with watch.store.reading() as transaction:
        jane = forget_student.find_student(transaction, "jane_smith")
    assert jane is not None
    with watch.store.writing() as transaction:
        forget_student.stop_recording(transaction, jane, watch.now)
        forget_student.remove(transaction, jane, Names(["jane_smith"]))
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


# However they are named

LONG = "maximilian-alexander-theodor-von-hohenlohe-waldenburg-schillingsfürst"


def test_c2_a_student_who_was_renamed_is_found_under_both_names(any_delivery: DeliveryScenario) -> None:
    delivery = any_delivery
    delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    answered(delivery, "**jane**: 3 events")
    delivery.rename(JANE, "j.doe")
    answered(delivery, f"**{quote('j.doe')}**: 3 events")
    with delivery.store.writing() as transaction:
        audit.note(transaction, 7, "user jane", "shown", NOW)
        audit.note(transaction, 7, "user J.Doe", "shown", NOW)
    with delivery.store.reading() as transaction:
        for name in ("jane", "j.doe", JANE.student_id):
            found = forget_student.find_student(transaction, name)
            assert found is not None
            assert (found.student_id, found.username) == (JANE.student_id, "j.doe")
    assert found is not None
    assert do(delivery, found).still_stored == ()
    assert delivery.told(MARY) == []
    left = everything(delivery.store).casefold()
    assert '"jane' not in left
    assert "user jane" not in left
    assert "doe" not in left


def test_c2_the_file_about_all_students_is_found(delivery: DeliveryScenario) -> None:
    answered(delivery, "📄 2 students · 30 days · 5 events\n\n[events.csv](/user_uploads/2/ab/events.csv)")
    answered(delivery, "📄 **ravi** · 30 days · 5 events\n\n[events.csv](/user_uploads/2/cd/events.csv)")
    do(delivery)
    (other,) = delivery.told(MARY)
    assert "ravi" in other


@pytest.mark.parametrize("limit", [40, 60, 200])
def test_c2_a_name_that_was_cut_is_found(delivery: DeliveryScenario, limit: int) -> None:
    delivery.rename(JANE, LONG)
    answered(delivery, f"I know “{quote(LONG, limit)}” and others")
    answered(delivery, "I know “maximilian-alexandra…” and others")
    do(delivery, Student(JANE.student_id, LONG))
    (other,) = delivery.told(MARY)
    assert "alexandra" in other


@pytest.mark.parametrize(
    "written",
    ["zoë  o'neill", "Zoe\u0308 O\u2019Neill", "**Zo\u00eb O'Neill**", "@**Zoë O'Neill|12**", "zoë\u200b o'neill"],
)
def test_c2_a_display_name_is_found_however_it_is_written(any_delivery: DeliveryScenario, written: str) -> None:
    delivery = any_delivery
    in_store(
        delivery.store.engine.url.render_as_string(hide_password=False),
        "UPDATE students SET display_name = :name WHERE student_id = :id",
        name="Zoë O'Neill",
        id=JANE.student_id,
    )
    answered(delivery, f"{written} is inactive")
    with delivery.store.writing() as transaction:
        audit.note(transaction, 7, f"user {written}", "shown", NOW)
    assert do(delivery).still_stored == ()
    assert delivery.told(MARY) == []
    assert "neill" not in everything(delivery.store).casefold()


def test_c2_what_is_left_in_the_store_is_listed_until_it_is_gone(any_delivery: DeliveryScenario) -> None:
    delivery = any_delivery
    (event,) = delivery.owe(happened(RAVI, "A letter to Jane"))
    delivery.turn()
    done = do(delivery)
    assert {line.split()[0] for line in done.still_stored} == {"lms_activity_events", "messages"}
    assert f"lms_activity_events {event.event_id}" in done.still_stored
    again = do(delivery, Student(JANE.student_id, ""))  # as found by the id, when the name is gone
    assert again.still_stored == done.still_stored
    with delivery.store.writing() as transaction:
        remove_events(transaction, events.c.event_id == event.event_id)
        transaction.execute(sa.delete(messages))
    assert do(delivery, Student(JANE.student_id, "")).still_stored == ()
    assert "jane" not in everything(delivery.store).casefold()


def test_c2_the_bytes_are_gone_from_the_files(delivery: DeliveryScenario, tmp_path: Path) -> None:
    delivery.rename(JANE, "jane_of_old")
    delivery.owe(happened(replace(JANE, username="jane_of_old"), "Algebra"))
    delivery.rename(replace(JANE, username="jane_of_old"), "jane_of_today")
    delivery.turn()
    answered(delivery, "**jane_of_today**: 3 events")
    assert b"jane_of" in files_of_store(tmp_path)
    assert do(delivery, Student(JANE.student_id, "jane_of_today", JANE.email)).still_stored == ()
    left = files_of_store(tmp_path)
    assert b"jane_of" not in left
    assert b"jane@school" not in left
    assert b"ravi" in left


def files_of_store(folder: Path) -> bytes:
    """All bytes of the files of the store."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("office.db*")))


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


def test_c2_what_is_left_in_the_store_is_failure(shell: Shell) -> None:
    shell.run("monitor", "--once")
    in_store(
        shell.store_url,
        "INSERT INTO alerts (name, text, began_at, over_text) VALUES ('x', 'of jane_smith', '2026-01-01', NULL)",
    )
    in_store(
        shell.store_url, "INSERT INTO facts (name, value, noted_at) VALUES ('y', '[\"Jane_Smith\"]', '2026-01-01')"
    )
    done = shell.run("forget", "jane_smith", "--yes", code=FAILED)
    assert "Left in the store, with a name of the student: facts y." in done.stdout
