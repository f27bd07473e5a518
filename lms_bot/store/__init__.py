"""The door to the event store: events, notifications, messages, people, and the state of the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lms_bot.store.session import Store, Transaction, open_store

if TYPE_CHECKING:
    from lms_bot.store.events.handover import count_unprocessed, mark_processed, student_history, unprocessed_events

__all__ = [
    "Store",
    "Transaction",
    "count_unprocessed",
    "mark_processed",
    "open_store",
    "student_history",
    "unprocessed_events",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """The functions of the hand-over, which need this module themselves."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from lms_bot.store.events import handover

        return getattr(handover, name)
