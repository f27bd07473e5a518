"""Orders the worker to poll, to sync or to deliver, and pauses and resumes that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.core.process import Work
from lms_bot.store.operations import orders, pauses
from lms_bot.store.session import Transaction


def order(
    transaction: Transaction, work: Work, recipient: Recipient, now: datetime, types: Collection[EventType] = ()
) -> None:
    """Order a poll, a sync, or a delivery of these types (all, if none is named), and a message when it is done."""
    orders.place(transaction, work, recipient, now, types)


def wake(transaction: Transaction, now: datetime) -> None:
    """Order a poll of which nobody is told; many such orders are one."""
    orders.wake(transaction, now)


def sync(transaction: Transaction, now: datetime) -> None:
    """Order a sync and then a poll of which nobody is told; many such orders are one."""
    orders.wake(transaction, now, Work.SYNC)
    orders.wake(transaction, now)


def pause(transaction: Transaction, work: Work, until: datetime | None, zulip_user_id: int, now: datetime) -> None:
    """Pause a kind of work until a moment, or until it is resumed; `zulip_user_id` says who did that."""
    pauses.begin(transaction, work, until, zulip_user_id, now)


def resume(transaction: Transaction, work: Work, now: datetime) -> bool:
    """End the pause of a kind of work; return whether there was one."""
    was_paused = work in pauses.current(transaction, now)
    pauses.end(transaction, work)
    return was_paused
