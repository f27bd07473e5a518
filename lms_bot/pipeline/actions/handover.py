"""Marks events that another program has processed."""

from __future__ import annotations

from collections.abc import Collection

from lms_bot.core.principal import Principal
from lms_bot.reports import access
from lms_bot.store.reports import activity
from lms_bot.store.session import Transaction


def mark_processed(transaction: Transaction, principal: Principal, event_ids: Collection[int]) -> int:
    """Mark those of the events as processed that the principal may read; return how many were not before.

    Raises NotFound for a stranger.
    """
    return activity.mark_processed(transaction, access.readable_ids(transaction, principal), event_ids)
