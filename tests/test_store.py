"""The event store is made once, opened by many, worked on by one, and never locked up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lms_bot.core.events import OF_EXAMS, EventType
from lms_bot.db.engine import UtcDateTime
from lms_bot.errors import StoreUnavailable
from lms_bot.store import state
from lms_bot.store.operations.lease import Lease
from lms_bot.store.questions import claims
from lms_bot.store.schema import CURRENT, version
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import events, is_current_exam, metadata
from tests import NOW
from tests.bot_process import PATIENCE, from_store, in_store, wait_for

CONTRACT = {
    "lms_activity_events": {
        *("event_id", "event_type", "student_id", "student_username", "mentor_id", "mentor_username", "activity_id"),
        *("activity_title", "activity_metadata", "timestamp", "created_at", "processed_for_ai", "zulip_user_id"),
        *("source_table", "source_id", "episode", "is_current"),
    },
    "lms_event_logs": {
        *("event_id", "mentor_id", "due_at", "notification_sent", "notification_message_id"),
        *("error_message", "attempts", "processed_at"),
    },
}
OPEN = "import sys; from lms_bot.store import open_store; open_store(sys.argv[1]).close()"
HOLD_LEASE = """
import sys, time
from lms_bot.store import open_store
from lms_bot.store.operations.lease import Lease
lease = Lease(open_store(sys.argv[1]))
print(lease.take(), flush=True)
time.sleep(600)
"""


def at_once(*actions: Callable[[], object]) -> None:
    """Run all at the same moment, each in a thread; raises what one of them raised."""
    barrier = threading.Barrier(len(actions))

    def start(action: Callable[[], object]) -> object:
        barrier.wait(PATIENCE)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        for future in [pool.submit(start, action) for action in actions]:
            future.result(PATIENCE)


# Opening


def test_an_empty_place_becomes_a_store_with_the_tables_of_the_contract(store: Store) -> None:
    inspector = sa.inspect(store.engine)
    for table, columns in CONTRACT.items():
        assert columns <= {column["name"] for column in inspector.get_columns(table)}


def test_the_same_state_of_a_row_cannot_be_recorded_twice(store: Store) -> None:
    constraints = sa.inspect(store.engine).get_unique_constraints("lms_activity_events")
    assert {"source_table", "source_id", "episode", "event_type"} in [set(c["column_names"]) for c in constraints]


def test_opening_again_keeps_what_is_there(empty_url: str) -> None:
    first = open_store(empty_url)
    with first.writing() as transaction:
        state.note(transaction, "kept", [1, "два"], NOW)
    first.close()
    again = open_store(empty_url)
    with again.reading() as transaction:
        assert state.value(transaction, "kept") == [1, "два"]
        assert state.noted_at(transaction, "kept") == NOW
    assert version(again.engine) == CURRENT
    again.close()


def test_threads_that_open_an_empty_place_at_once_all_get_a_store(empty_url: str) -> None:
    at_once(*[lambda: open_store(empty_url).close()] * 8)
    assert from_store(empty_url, "SELECT version_num FROM alembic_version") == [(CURRENT,)]


def test_a_place_that_somebody_else_is_making_a_store_of_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself refuses at once while somebody else may be turning the file to its write-ahead log."""
    waits, sleep = threading.Event(), time.sleep

    def note_and_sleep(seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            waits.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", note_and_sleep)
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(lambda: open_store(f"sqlite:///{path}").close())
        wait_for(lambda: waits.is_set() or opening.done())
        other.execute("ROLLBACK")
        opening.result(PATIENCE)
    assert from_store(f"sqlite:///{path}", "SELECT version_num FROM alembic_version") == [(CURRENT,)]


def test_processes_that_open_an_empty_place_at_once_all_get_a_store(empty_url: str) -> None:
    commands = [[sys.executable, "-c", OPEN, empty_url]] * 3
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in processes:
        _, problem = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, problem
    assert from_store(empty_url, "SELECT version_num FROM alembic_version") == [(CURRENT,)]


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(empty_url: str) -> None:
    open_store(empty_url).close()
    in_store(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match=r"9999.*newer"):
        open_store(empty_url)
    assert from_store(empty_url, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_place_that_cannot_be_opened_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"sqlite:///{tmp_path}/nowhere/store.db")
    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer_is_refused_without_the_password() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql+psycopg2://mary:Gehe1m@127.0.0.1:9/store")
    assert "\n" not in str(caught.value)
    assert "Gehe1m" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("a letter to Mary\n" * 100)
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"sqlite:///{tmp_path}/store.db")
    assert "\n" not in str(caught.value)


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


# Times


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"), store.writing() as transaction:
        state.note(transaction, "when", 1, datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001 - this is the point


@pytest.mark.parametrize("hours", [0, 5.5, -11])
def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(store: Store, hours: float) -> None:
    when = datetime(2026, 3, 2, 12, 0, 1, 234567, tzinfo=timezone(timedelta(hours=hours)))
    with store.writing() as transaction:
        state.note(transaction, "when", 1, when)
    with store.reading() as transaction:
        found = state.noted_at(transaction, "when")
    assert found == when
    assert found is not None
    assert found.tzinfo is UTC or found.utcoffset() == timedelta()


def test_no_time_stays_no_time() -> None:
    assert UtcDateTime().process_bind_param(None, sa.create_engine("sqlite://").dialect) is None


# Transactions


def test_what_fails_leaves_nothing_behind(store: Store) -> None:
    def fail_halfway() -> None:
        with store.writing() as transaction:
            state.note(transaction, "half", 1, NOW)
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        fail_halfway()
    with store.reading() as transaction:
        assert state.value(transaction, "half") is None


def test_only_what_need_not_outlive_a_power_failure_does_not_wait_for_the_disk(store: Store) -> None:
    query, waits, waits_not = {
        "sqlite": ("PRAGMA synchronous", 2, 1),
        "postgresql": ("SHOW synchronous_commit", "on", "off"),
    }[store.engine.dialect.name]
    with store.writing(durable=False) as transaction:
        assert transaction.exec_driver_sql(query).scalar() == waits_not
    with suppress(ZeroDivisionError), store.writing(durable=False) as transaction:
        raise ZeroDivisionError
    with store.writing() as transaction:
        assert transaction.exec_driver_sql(query).scalar() == waits


def test_a_question_is_claimed_by_exactly_one(store: Store) -> None:
    won: list[int] = []

    def claim_all(me: int) -> None:
        for message_id in range(40):
            with store.writing() as transaction:
                if claims.claim(transaction, message_id, NOW):
                    won.append(message_id)

    at_once(*[lambda me=me: claim_all(me) for me in range(3)])
    assert sorted(won) == list(range(40))


def test_two_threads_that_read_and_then_write_never_lock_each_other_out(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store.writing() as transaction:
        state.note(transaction, "count", 0, NOW)

    def count_on() -> None:
        for _ in range(300):
            with store.writing() as transaction:
                state.note(transaction, "count", state.value(transaction, "count") + 1, NOW)

    at_once(count_on, count_on)
    with store.reading() as transaction:
        assert state.value(transaction, "count") == 600
    store.close()


def test_a_reader_sees_one_state_while_another_thread_writes(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store.writing() as transaction:
        state.note(transaction, "left", 0, NOW)
        state.note(transaction, "right", 0, NOW)
    torn: list[tuple[int, int]] = []
    done = threading.Event()

    def write() -> None:
        for number in range(100):
            with store.writing() as transaction:
                state.note(transaction, "left", number, NOW)
                state.note(transaction, "right", number, NOW)
        done.set()

    def read() -> None:
        while not done.is_set():
            with store.reading() as transaction:
                pair = state.value(transaction, "left"), state.value(transaction, "right")
            if pair[0] != pair[1]:
                torn.append(pair)

    at_once(write, read)
    store.close()
    assert torn == []


# The lease


def opened(store_url: str, count: int) -> Sequence[tuple[Store, Lease]]:
    stores = [open_store(store_url) for _ in range(count)]
    return [(store, Lease(store)) for store in stores]


def test_one_holds_the_lease_and_keeps_it(store_url: str) -> None:
    (first_store, first), (second_store, second) = opened(store_url, 2)
    assert first.take()
    assert not second.take()
    assert first.take()
    assert not second.take()
    first.give_up()
    assert second.take()
    assert not first.take()
    second.give_up()
    first_store.close()
    second_store.close()


def test_giving_up_what_one_does_not_hold_changes_nothing(store_url: str) -> None:
    (first_store, first), (second_store, second) = opened(store_url, 2)
    assert first.take()
    second.give_up()
    assert not second.take()
    second.give_up()
    assert not second.take()
    first.give_up()
    first.give_up()
    assert second.take()
    second.give_up()
    first_store.close()
    second_store.close()


def test_two_stores_have_two_leases(tmp_path: Path) -> None:
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two")]
    leases = [Lease(store) for store in stores]
    assert [lease.take() for lease in leases] == [True, True]
    for lease, store in zip(leases, stores, strict=True):
        lease.give_up()
        store.close()


def test_the_lease_dies_with_its_process(store_url: str) -> None:
    open_store(store_url).close()
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LEASE, store_url], stdout=subprocess.PIPE, text=True)
    (mine,) = opened(store_url, 1)
    store, lease = mine
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not lease.take()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        wait_for(lease.take)
    finally:
        holder.kill()
        holder.communicate()
        lease.give_up()
        store.close()


def test_a_lease_whose_session_the_server_ended_is_not_believed_to_be_held(postgresql: str) -> None:
    (first_store, first), (second_store, second) = opened(postgresql, 2)
    assert first.take()
    in_store(
        postgresql,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()",
    )
    assert wait_for(second.take)
    assert not first.take()
    second.give_up()
    assert wait_for(first.take)
    first.give_up()
    first_store.close()
    second_store.close()


def test_what_counts_attempts_looks_at_the_events_of_exams_and_at_no_others(store: Store) -> None:
    rows = [
        {
            "event_type": kind,
            "source_table": "anything",
            "source_id": number,
            "activity_metadata": {},
            "timestamp": NOW,
            "created_at": NOW,
            "is_history": False,
            "is_current": True,
            "fingerprint": number,
        }
        for number, kind in enumerate(EventType)
    ]
    with store.writing() as transaction:
        transaction.execute(sa.insert(events), rows)
        found = set(transaction.scalars(sa.select(events.c.event_type).where(is_current_exam)))
    assert found == set(OF_EXAMS)
