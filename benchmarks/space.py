"""How much room events take in the store, with notifications and told, and what is left once they are removed."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from benchmarks.ground import NOW, add_attempts, ground
from lms_bot import render
from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.store import tables
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.notifications import outbox
from lms_bot.store.retention import prune
from lms_bot.store.session import Store

STEP = 100_000  # messages written in a transaction
MEBIBYTE = 2**20


def measure(kind: str, rows: int) -> None:
    """Print what `rows` passed and failed exams take, found by a poll, each owed to one mentor and told on its own."""
    with ground(kind) as here:
        here.poll(datetime.now(UTC))
        _say(kind, "empty", here.store)
        add_attempts(here.lms_engine, 1, rows, NOW)
        here.poll(datetime.now(UTC))
        _say(kind, "with notifications", here.store)
        _tell(here.store)
        _say(kind, "each told in a message", here.store)
        started = time.perf_counter()
        _prune(here.store)
        print(f"{kind}: removed in {time.perf_counter() - started:.0f} s of work", flush=True)
        _say(kind, "removed, after VACUUM", here.store)


def _say(kind: str, state: str, store: Store) -> None:
    """Print the size after all unused room was given back."""
    is_sqlite = store.engine.dialect.name == "sqlite"
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        if is_sqlite:
            driver.execute("VACUUM")
            (pages,), (size,) = (driver.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
            total = pages * size
        else:
            connection.exec_driver_sql("VACUUM FULL")
            total = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
        events, logs = (
            connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (tables.events, tables.logs)
        )
    print(f"{kind}: {total / MEBIBYTE:,.0f} MiB {state}: {events:,} events, {logs:,} notifications", flush=True)


def _tell(store: Store) -> None:
    """A message for each notification, with the text of a real one."""
    with store.reading() as transaction:
        event = from_row(transaction.execute(sa.select(*AS_EVENT).limit(1)).one())
        highest = transaction.scalar(sa.select(sa.func.max(tables.logs.c.log_id))) or 0
    assert event.event_type in (EventType.EXAM_PASSED, EventType.EXAM_FAILED)
    text = render.notification_text([event])
    with store.writing() as transaction:
        first = outbox.freeze(transaction, outbox.Draft(Recipient(user_ids=(9,)), text), NOW)
        outbox.settle_sent(transaction, first, 1, NOW)
    m, log_id = tables.messages.c, tables.logs.c.log_id
    copied = [c for c in tables.messages.columns if c.name not in ("message_id", "mentor_id", "zulip_message_id")]
    names = ["message_id", "mentor_id", "zulip_message_id", *(c.name for c in copied)]
    for start in range(0, highest, STEP):
        within = (log_id > start) & (log_id <= start + STEP)
        query = sa.select(log_id + 1_000, tables.logs.c.mentor_id, log_id + 1_000, *copied)
        query = query.select_from(tables.logs.join(tables.messages, m.message_id == first.message_id)).where(within)
        told = {"message_id": log_id + 1_000, "notification_message_id": log_id + 1_000, "processed_at": NOW}
        with store.writing() as transaction:
            transaction.execute(sa.insert(tables.messages).from_select(names, query))
            told |= {"due_at": None, "notification_sent": True}
            transaction.execute(sa.update(tables.logs).where(within).values(told))


def _prune(store: Store) -> None:
    later = datetime.now(UTC) + timedelta(days=100)
    while prune.prune_slice(store, 30, later):
        pass


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
