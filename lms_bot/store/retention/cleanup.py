"""Removes outdated rows of questions, the audit and the web, a batch in each transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.store import state
from lms_bot.store.questions.claims import CAUGHT_UP_TO, OVERLAP
from lms_bot.store.retention.removal import remove_batches
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import api_audit, askers, audit, claims, dialogues, sign_in_links, web_sessions

MOST_BATCHES = 200  # of a table at a time: the rest goes the next day
ASKERS_KEPT = timedelta(days=2)
DIALOGUES_KEPT = timedelta(days=1)
CLAIMS_KEPT = timedelta(days=30)
AUDIT_KEPT = timedelta(days=365)
EVERY = timedelta(days=1)
CLEANED = "tidied"


def remove_outdated(store: Store, now: datetime) -> int:
    """Remove outdated rows, once a day; return how many they were. Raises StoreUnavailable."""
    with store.reading() as transaction:
        tidied_at = state.noted_at(transaction, CLEANED)
        below = _oldest_claim_needed(transaction)
    if tidied_at is not None and timedelta() <= now - tidied_at < EVERY:
        return 0
    removed = sum(
        remove_batches(store, key, is_old, MOST_BATCHES)
        for key, is_old in (
            (askers.c.zulip_user_id, askers.c.since < now - ASKERS_KEPT),
            (dialogues.c.zulip_user_id, dialogues.c.asked_at < now - DIALOGUES_KEPT),
            (audit.c.audit_id, audit.c.at < now - AUDIT_KEPT),
            (api_audit.c.audit_id, api_audit.c.at < now - AUDIT_KEPT),
            (sign_in_links.c.link_id, sign_in_links.c.expires_at < now),
            (web_sessions.c.session_id, web_sessions.c.expires_at < now),
            (
                claims.c.zulip_message_id,
                (claims.c.claimed_at < now - CLAIMS_KEPT) & (claims.c.zulip_message_id < below),
            ),
        )
    )
    with store.writing() as transaction:
        state.note(transaction, CLEANED, removed, now)
    return removed


def _oldest_claim_needed(transaction: Transaction) -> int:
    """Return the Zulip message id below which no question is looked for again, so that its claim may go."""
    position = state.value(transaction, CAUGHT_UP_TO)
    return int(position["newest"]) - OVERLAP if position else 0
