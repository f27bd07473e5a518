"""Orders of admins to the worker, kept until they are carried out; the result goes where they were given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.core.process import Work
from lms_bot.store.notifications.outbox import recipient_of
from lms_bot.store.session import Transaction
from lms_bot.store.tables import orders

NOBODY = Recipient()
"""To whom nothing is said when it is done."""


class Order(NamedTuple):
    """A poll, or a delivery of what is due (only of some kinds, if `types` names any)."""

    order_id: int
    work: Work
    types: frozenset[EventType]
    recipient: Recipient
    asked_at: datetime


def place(
    transaction: Transaction, work: Work, recipient: Recipient, now: datetime, types: Collection[EventType] = ()
) -> None:
    """Order a poll or a delivery, and a message to `recipient` when it is done."""
    values = {"work": work, "types": sorted(types), "recipient": asdict(recipient), "asked_at": now}
    transaction.execute(sa.insert(orders).values(values))


def wake(transaction: Transaction, now: datetime, work: Work = Work.POLLING) -> bool:
    """Order work of which nobody is told, unless it is ordered already; return whether it was not."""
    if any(order.recipient == NOBODY and order.work is work for order in pending(transaction)):
        return False
    place(transaction, work, NOBODY, now)
    return True


def pending(transaction: Transaction) -> list[Order]:
    """Return the orders that are not carried out, the oldest first."""
    return [
        Order(
            row.order_id,
            Work(row.work),
            frozenset(EventType(kind) for kind in row.types),
            recipient_of(row.recipient),
            row.asked_at,
        )
        for row in transaction.execute(sa.select(orders).order_by(orders.c.order_id))
    ]


def remove(transaction: Transaction, those: Sequence[Order]) -> None:
    """Remove orders that are carried out."""
    ids = [order.order_id for order in those]
    transaction.execute(sa.delete(orders).where(orders.c.order_id.in_(ids)))
