"""Removes what nobody needs any more, a batch of rows in each transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.store import state
from lms_bot.store.questions.claims import CAUGHT_UP_TO, OVERLAP
from lms_bot.store.retention.removal import remove_batches
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import askers, audit, claims, dialogues

MOST_BATCHES = 200  # of a table at a time: the rest goes the next day
ASKERS_KEPT = timedelta(days=2)
DIALOGUES_KEPT = timedelta(days=1)
CLAIMS_KEPT = timedelta(days=30)
AUDIT_KEPT = timedelta(days=365)
EVERY = timedelta(days=1)
TIDIED = "tidied"


def tidy(store: Store, now: datetime) -> int:
    """Remove what is old, once a day; gives how many rows that were. Raises StoreUnavailable."""
    with store.reading() as transaction:
        tidied_at = state.noted_at(transaction, TIDIED)
        below = _no_longer_looked_at(transaction)
    if tidied_at is not None and timedelta() <= now - tidied_at < EVERY:
        return 0
    removed = sum(
        remove_batches(store, key, is_old, MOST_BATCHES)
        for key, is_old in (
            (askers.c.zulip_user_id, askers.c.since < now - ASKERS_KEPT),
            (dialogues.c.zulip_user_id, dialogues.c.asked_at < now - DIALOGUES_KEPT),
            (audit.c.audit_id, audit.c.at < now - AUDIT_KEPT),
            (
                claims.c.zulip_message_id,
                (claims.c.claimed_at < now - CLAIMS_KEPT) & (claims.c.zulip_message_id < below),
            ),
        )
    )
    with store.writing() as transaction:
        state.note(transaction, TIDIED, removed, now)
    return removed


def _no_longer_looked_at(transaction: Transaction) -> int:
    """The Zulip message id below which no question is looked for again, so that its claim may go."""
    position = state.value(transaction, CAUGHT_UP_TO)
    return int(position["newest"]) - OVERLAP if position else 0
