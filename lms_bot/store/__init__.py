"""The door to the event store: what was seen, what is owed, what was sent, and who is who."""

from __future__ import annotations

from lms_bot.store.events.handover import count_unprocessed, mark_processed, student_history, unprocessed_events
from lms_bot.store.session import Store, Transaction, open_store

__all__ = [
    "Store",
    "Transaction",
    "count_unprocessed",
    "mark_processed",
    "open_store",
    "student_history",
    "unprocessed_events",
]
