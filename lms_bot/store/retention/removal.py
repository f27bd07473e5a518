"""Deletes rows: events with their notifications and counts, and old rows by the batch."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.store import counters
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import events, logs

BATCH = 1_000  # rows in a transaction


class Removed(NamedTuple):
    """How many rows went."""

    events: int
    notifications: int


def remove_events(transaction: Transaction, are_these: sa.ColumnElement[bool]) -> Removed:
    """Delete events and their notifications, and count them no more; messages are left."""
    counters.lock(transaction, counters.NOTIFIED)
    counters.lock(transaction, counters.EVENTS)
    theirs = logs.c.event_id.in_(sa.select(events.c.event_id).where(are_these))
    notified = sa.select(sa.func.count(sa.distinct(logs.c.event_id))).where(theirs, logs.c.notification_sent)
    counters.add(transaction, counters.NOTIFIED, -(transaction.scalar(notified) or 0))
    notifications = transaction.execute(sa.delete(logs).where(theirs)).rowcount
    recorded = transaction.execute(sa.delete(events).where(are_these)).rowcount
    counters.add(transaction, counters.EVENTS, -recorded)
    return Removed(recorded, notifications)


def remove_batches(
    store: Store, key: sa.Column[int], are_these: sa.ColumnElement[bool], most_batches: int | None = None
) -> int:
    """Delete rows of the key's table, a batch in each transaction; return how many. Raises StoreUnavailable."""
    some = sa.select(key).where(are_these).limit(BATCH).scalar_subquery()
    removed = batches = 0
    while most_batches is None or batches < most_batches:
        with store.writing() as transaction:
            count = transaction.execute(sa.delete(key.table).where(key.in_(some))).rowcount
        removed += count
        batches += 1
        if count < BATCH:
            break
    return removed
