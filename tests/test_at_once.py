"""Two processes may note the same at the same moment: the second waits, and neither fails nor loses anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lms_bot.core.alerts import Key, Opening, Rule, Verdict
from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.core.streaks import Kind
from lms_bot.store import state
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.events import tombstones
from lms_bot.store.people import accounts, people, zones
from lms_bot.store.session import Store, Transaction, open_store
from lms_bot.store.streaks import days, streaks
from lms_bot.store.streaks.streaks import Change
from lms_bot.store.tables import events, pruned, student_alerts
from tests import NOW
from tests.bot_process import wait_for

Work = Callable[[Transaction], object]

MARY, JANE, RAVI, QUIZ = 1, 1001, 1002, 501
TODAY = NOW.date()
BERLIN = ZoneInfo("Europe/Berlin")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def shared(postgresql: str) -> Iterator[Store]:
    """A store on a server: on SQLite one who writes is alone."""
    opened = open_store(postgresql)
    yield opened
    opened.close()


def at_once(store: Store, first: Work, second: Work) -> None:
    """Let the second begin while the first is not yet committed; raises what the second raises."""

    def begin() -> None:
        with store.writing() as transaction:
            second(transaction)

    with ThreadPoolExecutor(1) as pool:
        with store.writing() as transaction:
            first(transaction)
            other = pool.submit(begin)
            wait_for(lambda: other.done() or is_waiting(store))
        other.result()


def is_waiting(store: Store) -> bool:
    with store.reading() as transaction:
        return bool(transaction.scalar(sa.text(WAITING)))


def read_people(transaction: Transaction) -> object:
    students = [Student(JANE, "jane_smith", "jane@example.org"), Student(RAVI, "ravi_patel")]
    return people.keep_people(transaction, students, [Mentor(MARY, "mary")], [(MARY, JANE), (MARY, RAVI)], NOW).mapped


def read_users(transaction: Transaction) -> object:
    return accounts.keep_zulip_users(transaction, [ZulipUser(7, "Mary Jones", "mary@example.org", True, False)], NOW)


def prune_one(transaction: Transaction) -> None:
    tombstones.remember(transaction, events.c.event_id == 1)


def count_days(transaction: Transaction) -> None:
    days.lock(transaction)
    days.recount(transaction, BERLIN, NOW)
    days.note_counting(transaction, {"zone": BERLIN.key, "turned": {}}, NOW)


SAME: dict[str, Work] = {
    "a fact": lambda transaction: state.note(transaction, "polled", {"polls": 1}, NOW),
    "the state of the rules": lambda transaction: watchlist.lock_rules_state(transaction, NOW),
    "a mapping by hand": lambda transaction: accounts.map_by_hand(transaction, MARY, 7, NOW),
    "the people of the LMS": read_people,
    "the accounts of Zulip": read_users,
    "a time zone": lambda transaction: zones.save(transaction, {JANE: "Asia/Tokyo"}),
    "how long exams take": lambda transaction: watchlist.save_enrolment(transaction, [], {QUIZ: 30}, NOW),
    "a streak": lambda transaction: streaks.update(transaction, [Change(JANE, Kind.LEARNING, TODAY, True)], NOW),
    "days counted for the first time": count_days,
    "an event that was removed": prune_one,
}


@pytest.mark.parametrize("work", SAME.values(), ids=SAME.keys())
def test_c9_two_processes_note_the_same_at_once(shared: Store, work: Work) -> None:
    with shared.writing() as transaction:
        transaction.execute(sa.insert(events).values(a_failed_exam()))
    at_once(shared, work, work)


def test_c9_an_account_that_is_mapped_twice_at_once_is_the_last_one(shared: Store) -> None:
    at_once(
        shared,
        lambda transaction: accounts.map_by_hand(transaction, MARY, 7, NOW),
        lambda transaction: accounts.map_by_hand(transaction, MARY, 8, NOW),
    )
    with shared.reading() as transaction:
        assert transaction.scalar(sa.text("SELECT zulip_user_id FROM hand_mappings")) == 8


def test_c9_exams_that_two_processes_found_failed_are_all_judged(shared: Store) -> None:
    at_once(
        shared,
        lambda transaction: watchlist.note_failed(transaction, {(QUIZ, MARY)}, NOW),
        lambda transaction: watchlist.note_failed(transaction, {(QUIZ + 1, MARY)}, NOW),
    )
    with shared.reading() as transaction:
        assert watchlist.failed_exams(transaction) == {(QUIZ, MARY), (QUIZ + 1, MARY)}


def test_c9_alerts_about_two_students_that_two_processes_open_are_both_open(shared: Store) -> None:
    at_once(
        shared,
        lambda transaction: alerts.open_new(transaction, [opening(JANE)], NOW),
        lambda transaction: alerts.open_new(transaction, [opening(RAVI)], NOW),
    )
    with shared.reading() as transaction:
        opened = alerts.open_for_mentors(transaction, [MARY])
    assert {alert.student_id for alert in opened} == {JANE, RAVI}
    assert len({alert.name for alert in opened}) == 2


def test_c9_a_reminder_that_two_processes_find_due_is_given_once(shared: Store) -> None:
    with shared.writing() as transaction:
        alerts.open_new(transaction, [opening(JANE)], NOW - timedelta(days=2))
        transaction.execute(sa.update(student_alerts).values(remind_at=NOW))
        due = alerts.due_reminders(transaction, NOW)
    given: list[int] = []

    def remind(transaction: Transaction) -> None:
        given.extend(reminder.reminder_id for reminder in alerts.record_reminders(transaction, due, NOW))

    at_once(shared, remind, remind)
    assert len(given) == 1


def test_c9_an_event_removed_twice_is_known_by_what_its_row_said_last(shared: Store) -> None:
    with shared.writing() as transaction:
        transaction.execute(sa.insert(events).values(a_failed_exam()))
        prune_one(transaction)
        transaction.execute(sa.update(events).values(fingerprint=2))
        prune_one(transaction)
        assert transaction.scalar(sa.select(pruned.c.fingerprint)) == 2


def opening(student_id: int) -> Opening:
    return Opening(
        Key(MARY, student_id, Rule.FAILED_TWICE, QUIZ), Verdict(Rule.FAILED_TWICE, NOW, subject_id=QUIZ), NOW
    )


def a_failed_exam() -> dict[str, object]:
    return {
        "event_id": 1,
        "event_type": "exam_failed",
        "student_id": JANE,
        "activity_metadata": {},
        "timestamp": NOW,
        "created_at": NOW,
        "source_table": "attempts",
        "source_id": 11,
        "fingerprint": 1,
    }
