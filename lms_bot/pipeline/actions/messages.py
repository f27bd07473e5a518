"""Maps mentors to Zulip accounts, and sends anew what could not be sent."""

from __future__ import annotations

from datetime import datetime

from lms_bot.store.notifications import outbox, queue
from lms_bot.store.operations import incidents
from lms_bot.store.people import accounts
from lms_bot.store.session import Transaction


def map_account(transaction: Transaction, mentor_id: int, zulip_user_id: int | None, now: datetime) -> None:
    """Map a mentor to a Zulip account, None for by e-mail again; what waited for that is due now."""
    mapped = accounts.map_by_hand(transaction, mentor_id, zulip_user_id, now)
    queue.make_mapped_due(transaction, mapped, now)


def retry_parked(transaction: Transaction, message_id: int | None, now: datetime) -> int:
    """Requeue what a parked message, None for all of them, was to tell; return how many messages that are."""
    requeued = outbox.requeue_parked(transaction, message_id, now)
    if requeued and not outbox.parked(transaction, 1)[0]:
        incidents.end(transaction, "parked", "🟢 No message is parked any more.")
    return requeued
