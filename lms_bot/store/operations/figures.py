"""Figures about the work of the bot, read from indexes and from the newest rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bot.core.reports.overview import NewestEvent, Queue, SentCounts
from lms_bot.store.notifications.outbox import SENT
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, is_owed, logs, messages

NEWEST = 1_000  # events among which the newest that was not history is looked for
FEW_TRIES = 3


def queue(transaction: Transaction, now: datetime) -> Queue:
    """Return how long the queue is now."""
    is_due = logs.c.due_at <= now
    query = sa.select(
        sa.func.count(sa.case((is_due, 1))),
        sa.func.count(sa.case((~is_due, 1))),
        sa.func.min(logs.c.due_at),
    ).where(is_owed)
    due, held, oldest = transaction.execute(query).one()
    return Queue(due, held, oldest if due else None)


def sent_since(transaction: Transaction, since: datetime) -> SentCounts:
    """Return how much was sent in messages that were begun at `since` or later."""
    is_told = (messages.c.created_at >= since) & (messages.c.state == SENT) & messages.c.mentor_id.is_not(None)
    query = (
        sa.select(sa.func.count(), sa.func.count(sa.distinct(messages.c.message_id)))
        .select_from(messages.join(logs, logs.c.message_id == messages.c.message_id))
        .where(is_told)
    )
    return SentCounts(*transaction.execute(query).one())


def postponed_since(transaction: Transaction, since: datetime, now: datetime) -> int:
    """Return how many notifications that are due later tell events stored at `since` or later."""
    query = (
        sa.select(sa.func.count())
        .select_from(logs.join(events, events.c.event_id == logs.c.event_id))
        .where(logs.c.due_at > now, events.c.created_at >= since)
    )
    return transaction.scalar(query) or 0


def newest(transaction: Transaction) -> NewestEvent | None:
    """Return the newest event that is not history; None if there is none among the last that were stored."""
    last = sa.select(events).order_by(events.c.event_id.desc()).limit(NEWEST).subquery()
    query = sa.select(last.c.timestamp, last.c.created_at).where(~last.c.is_history)
    row = transaction.execute(query.order_by(last.c.event_id.desc()).limit(1)).one_or_none()
    return NewestEvent(*row) if row else None


def lags(transaction: Transaction, message_id: int) -> list[timedelta]:
    """Return how long after the times of its events a message was settled, one for each of its notifications."""
    query = (
        sa.select(logs.c.processed_at, events.c.timestamp)
        .join(events, events.c.event_id == logs.c.event_id)
        .where(logs.c.message_id == message_id, logs.c.processed_at.is_not(None))
    )
    return [processed_at - happened_at for processed_at, happened_at in transaction.execute(query)]


def failing(transaction: Transaction, now: datetime, late: timedelta) -> int:
    """Return how many notifications are due for `late` or longer although they were tried several times."""
    is_late = (logs.c.due_at <= now - late) & (logs.c.attempts >= FEW_TRIES) & logs.c.error_message.is_not(None)
    return transaction.scalar(sa.select(sa.func.count()).select_from(logs).where(is_late)) or 0


def product(transaction: Transaction) -> str:
    """Return the database of the store and its version."""
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[transaction.dialect.name]
    version = transaction.dialect.server_version_info or ()
    return f"{name} {'.'.join(str(number) for number in version)}"
