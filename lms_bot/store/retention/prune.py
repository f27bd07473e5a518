"""Removes events that are older than the operator wants to keep, with their notifications."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bot.db.lists import in_list
from lms_bot.store import state
from lms_bot.store.academics import removal
from lms_bot.store.events import cursors, tombstones
from lms_bot.store.retention.removal import remove_batches, remove_events
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import alert_reminders, events, logs, messages, page_reports, student_alerts

BATCH = 1_000  # events looked at for one transaction
BATCHES = 10  # in a turn: the rest comes with the next turns
EVERY = timedelta(days=1)
POSITION = "pruning"  # the fact: up to which event the walk of today has come, and None when it is over


def prune_slice(store: Store, days: int, now: datetime) -> int:
    """Prune one slice of the events, once through all a day; return how many are removed. Raises StoreUnavailable."""
    with store.reading() as transaction:
        noted = state.some(transaction, [POSITION])
    above, since = noted.get(POSITION, (0, now))
    if above is None:
        if timedelta() <= now - since < EVERY:
            return 0
        above = 0
    removed = 0
    for _ in range(BATCHES):
        number, above = _prune_batch(store, above, now - timedelta(days=days))
        removed += number
        if above is None:
            removed += _remove_answers(store, now - timedelta(days=days))
            _remove_alerts(store, now - timedelta(days=days))
            remove_batches(store, page_reports.c.report_id, page_reports.c.updated_at < now - timedelta(days=days))
            break
    with store.writing() as transaction:
        state.note(transaction, POSITION, above, now)
    return removed


def _prune_batch(store: Store, above: int, before: datetime) -> tuple[int, int | None]:
    """Prune the next events; return how many, and the last one seen unless it is the end."""
    query = sa.select(events.c.event_id).where(events.c.event_id > above).order_by(events.c.event_id).limit(BATCH)
    with store.reading() as transaction:
        seen = list(transaction.scalars(query))
        old = _old(transaction, seen, before)
    if old:
        with store.writing() as transaction:
            cursors.lock_all(transaction)  # a poll that stores a page now is waited for
            _remove(transaction, _old(transaction, old, before))
            tombstones.note_until(transaction, before)
    return len(old), seen[-1] if len(seen) == BATCH else None


def _old(transaction: Transaction, event_ids: list[int], before: datetime) -> list[int]:
    """Return those of the events that are to go: not while a message about them is under way."""
    is_under_way = (
        sa.exists()
        .where(logs.c.event_id == events.c.event_id, messages.c.message_id == logs.c.message_id)
        .where(messages.c.next_try_at.is_not(None))
    )
    query = sa.select(events.c.event_id).where(
        in_list(events.c.event_id, event_ids, transaction.dialect.name),
        (events.c.timestamp < before) | (events.c.created_at < before),
        ~is_under_way,
    )
    return list(transaction.scalars(query))


def _remove(transaction: Transaction, event_ids: list[int]) -> None:
    dialect = transaction.dialect.name
    are_these = in_list(events.c.event_id, event_ids, dialect)
    told_by = sa.select(logs.c.message_id).where(
        in_list(logs.c.event_id, event_ids, dialect), logs.c.message_id.is_not(None)
    )
    message_ids = set(transaction.scalars(told_by))
    tombstones.remember(transaction, are_these)
    attempts = removal.attempts_of(transaction, are_these)
    remove_events(transaction, are_these)
    removal.remove_results_of_nothing(transaction, attempts)
    tells_no_other = ~sa.exists().where(logs.c.message_id == messages.c.message_id)
    transaction.execute(sa.delete(messages).where(in_list(messages.c.message_id, message_ids, dialect), tells_no_other))


def _remove_alerts(store: Store, before: datetime) -> None:
    """Remove closed alerts about students, and how often they were said again."""
    remove_batches(store, student_alerts.c.alert_id, student_alerts.c.closed_at < before)
    is_gone = alert_reminders.c.alert_id.not_in(sa.select(student_alerts.c.alert_id))
    remove_batches(store, alert_reminders.c.reminder_id, is_gone)


def _remove_answers(store: Store, before: datetime) -> int:
    """Remove the texts of old messages that told no event, as answers do not."""
    c = messages.c
    tells_none = ~sa.exists().where(logs.c.message_id == c.message_id)
    is_old = (c.created_at < before) & c.next_try_at.is_(None) & tells_none
    return remove_batches(store, c.message_id, is_old)
