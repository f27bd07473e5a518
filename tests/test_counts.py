"""What is counted as it happens is what a recount finds, whoever writes at the same time and whatever ends early."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lms_bot.core.events import EventType
from lms_bot.core.notifications import Message, Recipient
from lms_bot.core.people import Mentor
from lms_bot.store import tables
from lms_bot.store.events import events
from lms_bot.store.notifications import outbox, queue
from lms_bot.store.people import people
from lms_bot.store.reports import statistics
from lms_bot.store.session import Store, Transaction, open_store
from tests import NOW
from tests.databases import store_in_file
from tests.delivery_scenario import (
    GULNORA,
    JANE,
    LINKS,
    MARY,
    MENTORS,
    OMAR,
    RAVI,
    STUDENTS,
    happened,
    notifications,
    owe,
)
from tests.test_store import at_once

BOTH = LINKS | {(2, JANE.student_id)}  # Jane has two mentors, so that one event is told twice
RECOUNT = """
    SELECT (SELECT count(*) FROM lms_activity_events),
           (SELECT count(DISTINCT event_id) FROM lms_event_logs WHERE due_at IS NOT NULL),
           (SELECT count(DISTINCT event_id) FROM lms_event_logs WHERE notification_sent),
           (SELECT count(DISTINCT event_id) FROM lms_event_logs
            WHERE NOT notification_sent AND error_message IS NOT NULL)
"""
OWN_RECOUNT = """
    WITH own AS (SELECT event_id FROM lms_activity_events AS e
                 WHERE EXISTS (SELECT 1 FROM mentor_students AS m
                               WHERE m.student_id = e.student_id AND m.mentor_id = :mentor)),
         log AS (SELECT l.* FROM lms_event_logs AS l JOIN own ON own.event_id = l.event_id WHERE l.mentor_id = :mentor)
    SELECT (SELECT count(*) FROM own),
           (SELECT count(*) FROM log WHERE due_at IS NOT NULL),
           (SELECT count(*) FROM log WHERE notification_sent),
           (SELECT count(*) FROM log WHERE NOT notification_sent AND error_message IS NOT NULL)
"""


def counted(store: Store, mentor: Mentor | None = None) -> tuple[int, ...]:
    with store.reading() as transaction:
        return astuple(statistics.statistics(transaction, [mentor.mentor_id] if mentor else None))


def recounted(store: Store, mentor: Mentor | None = None) -> tuple[int, ...]:
    with store.reading() as transaction:
        query = sa.text(OWN_RECOUNT if mentor else RECOUNT)
        return tuple(transaction.execute(query, {"mentor": mentor.mentor_id} if mentor else {}).one())


def with_people(store: Store) -> Store:
    with store.writing() as transaction:
        people.keep_people(transaction, STUDENTS, MENTORS, BOTH, NOW)
    return store


def frozen_for(transaction: Transaction, mentor: Mentor, most: int = 100) -> Message:
    """A message that tells the mentor what is owed to them."""
    log_ids = [n.log_id for n in queue.due(transaction, mentor.mentor_id, NOW)][:most]
    return outbox.freeze(
        transaction,
        outbox.Draft(Recipient((mentor.mentor_id,)), "text", mentor_id=mentor.mentor_id, log_ids=log_ids),
        NOW,
    )


def freeze(store: Store, mentor: Mentor) -> Message:
    with store.writing() as transaction:
        return frozen_for(transaction, mentor)


def settle(store: Store, message: Message) -> None:
    with store.writing() as transaction:
        outbox.settle_sent(transaction, message, 1000 + message.message_id, NOW)


def test_an_empty_store_has_counts_of_nothing(store: Store) -> None:
    assert counted(store) == counted(store, MARY) == (0, 0, 0, 0)


def test_an_event_that_was_recorded_before_is_not_counted_again(store: Store) -> None:
    event = happened(JANE, "Algebra")
    for _ in range(3):
        owe(store, [event, happened(RAVI, "Algebra")])
    assert counted(store)[0] == 4


def test_an_event_told_to_two_mentors_is_one_event(store: Store) -> None:
    owe(with_people(store), [happened(JANE, "Algebra"), happened(RAVI, "Algebra")])
    settle(store, freeze(store, MARY))
    assert counted(store) == (2, 1, 2, 0)
    settle(store, freeze(store, OMAR))
    assert counted(store) == recounted(store) == (2, 0, 2, 0)


def test_a_mentor_counts_one_student_or_a_time_and_only_their_own(store: Store) -> None:
    with_people(store)
    week = timedelta(days=7)
    owe(store, [happened(JANE, "Old", at=NOW - week), happened(JANE, "New")], at=NOW)
    owe(store, [happened(RAVI, "New"), happened(GULNORA, "New")])
    settle(store, freeze(store, MARY))
    with store.reading() as transaction:
        of_jane = statistics.own_statistics(transaction, [1], student_id=JANE.student_id)
        recent = statistics.own_statistics(transaction, [1], since=NOW - week / 2)
        foreign = statistics.own_statistics(transaction, [1], student_id=GULNORA.student_id)
        nobodys = statistics.own_statistics(transaction, [])
    assert astuple(of_jane) == (2, 0, 2, 0)
    assert astuple(recent) == (2, 0, 2, 0)
    assert astuple(foreign) == astuple(nobodys) == (0, 0, 0, 0)


def test_what_is_taken_back_was_not_counted(store: Store) -> None:
    owe(with_people(store), [happened(JANE, "Algebra")])
    message = freeze(store, MARY)
    with pytest.raises(RuntimeError), store.writing() as transaction:  # noqa: PT012 - the end of a process
        outbox.settle_sent(transaction, message, 1000, NOW)
        observed = [happened(JANE, "Lost")]
        events.record(transaction, observed, {}, NOW)
        raise RuntimeError
    assert counted(store) == recounted(store) == (1, 1, 0, 0)


def test_two_mentors_told_at_the_same_moment_make_one_told_event(store: Store) -> None:
    owe(with_people(store), [happened(JANE, f"Exam {n}") for n in range(20)])
    told = []
    for mentor in (MARY, OMAR):
        with store.writing() as transaction:
            told.append(frozen_for(transaction, mentor))
    at_once(*[lambda message=message: settle(store, message) for message in told])
    assert counted(store) == recounted(store) == (20, 0, 20, 0)


def test_events_recorded_at_the_same_moment_are_all_counted(store: Store) -> None:
    with_people(store)
    batches = [[happened(student, f"Exam {n}") for n in range(10)] for student in (JANE, RAVI) for _ in range(3)]
    # Two of the six batches are the same rows, seen by two polls at once.
    at_once(*[lambda batch=batch: owe(store, batch) for batch in [*batches, batches[0]]])
    assert counted(store) == recounted(store) == (60, 60, 0, 0)


class Life(RuleBasedStateMachine):
    """Events come, are told, refused, parked, handed over and regraded in any order."""

    store: Store
    _ids = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        with self.store.writing() as transaction:
            for table in (tables.logs, tables.messages, tables.events, tables.counts):
                transaction.execute(sa.delete(table))
        with_people(self.store)
        self.under_way: dict[Mentor, Message] = {}

    @rule(student=st.sampled_from(STUDENTS), kind=st.sampled_from(EventType), rows=st.integers(1, 4))
    def happen(self, student: object, kind: EventType, rows: int) -> None:
        owe(self.store, [happened(student, "Exam", kind, source_id=n) for n in range(rows)])  # type: ignore[arg-type]

    @rule(mentor=st.sampled_from(MENTORS), most=st.integers(1, 3))
    def offer(self, mentor: Mentor, most: int) -> None:
        if mentor not in self.under_way:
            with self.store.writing() as transaction:
                self.under_way[mentor] = frozen_for(transaction, mentor, most)

    @rule(mentor=st.sampled_from(MENTORS), fate=st.sampled_from(["sent", "sent", "parked", "put off", "released"]))
    def end(self, mentor: Mentor, fate: str) -> None:
        if mentor not in self.under_way:
            return
        message = self.under_way[mentor]
        with self.store.writing() as transaction:
            if fate == "sent":
                outbox.settle_sent(transaction, message, 10_000 + next(self._ids), NOW)
            elif fate == "parked":
                outbox.settle_parked(transaction, message, "refused", NOW)
            elif fate == "put off":
                outbox.postpone(transaction, message, outbox.UNKNOWN, "no answer", NOW)
                return
            else:
                outbox.discard(transaction, message)
        del self.under_way[mentor]

    @rule(mentor=st.sampled_from(MENTORS))
    def give_up(self, mentor: Mentor) -> None:
        with self.store.writing() as transaction:
            queue.reassign(transaction, queue.due(transaction, mentor.mentor_id, NOW)[:1], NOW)

    @rule(links=st.sets(st.sampled_from(sorted(BOTH))))
    def move(self, links: set[tuple[int, int]]) -> None:
        with self.store.writing() as transaction:
            people.keep_people(transaction, STUDENTS, MENTORS, links, NOW)

    @rule()
    def regrade(self) -> None:
        with self.store.writing() as transaction:
            events.supersede(transaction, [row.event_id for row in notifications(self.store)][:1])

    @invariant()
    def counts_are_true(self) -> None:
        assert counted(self.store) == recounted(self.store)
        for mentor in MENTORS:
            assert counted(self.store, mentor) == recounted(self.store, mentor)


@pytest.fixture(params=["sqlite", "postgresql"])
def quick_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store whose commits need not survive a power cut."""
    if request.param == "postgresql":
        store = open_store(request.getfixturevalue("postgresql"))
    else:
        store = open_store(store_in_file(tmp_path / "store.db"))
        sa.event.listen(store.engine, "checkout", lambda c, *_: c.execute("PRAGMA synchronous = OFF"))
    yield store
    store.close()


def test_whatever_happens_the_counts_are_what_a_recount_finds(quick_store: Store) -> None:
    class ThisLife(Life):
        store = quick_store

    run_state_machine_as_test(ThisLife, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
