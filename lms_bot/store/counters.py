"""Counts kept by the transaction that changes them, since counting millions of rows would take seconds."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.store.bulk import insert_on
from lms_bot.store.session import Transaction
from lms_bot.store.tables import counts

EVENTS = "events"  # all that were recorded and not removed since
NOTIFIED = "events told"  # those of which at least one notification was sent


def add(transaction: Transaction, name: str, number: int) -> None:
    """Add to a count; other transactions that change it wait until this one ends."""
    if number:
        _add(transaction, name, number)


def lock(transaction: Transaction, name: str) -> None:
    """Lock a count before looking at what there is to be counted; other transactions that change it wait."""
    if transaction.dialect.name == "postgresql":  # on SQLite a transaction that writes is alone
        _add(transaction, name, 0)


def value(name: str) -> sa.Select[Any]:
    """Return the query for a count; it gives nothing where nothing was counted yet."""
    return sa.select(counts.c.value).where(counts.c.name == name)


def _add(transaction: Transaction, name: str, number: int) -> None:
    transaction.execute(_adding(transaction.dialect.name), {"name": name, "value": number})


@cache
def _adding(dialect: str) -> Any:
    insert = insert_on(dialect, counts)
    counted_on = {"value": counts.c.value + insert.excluded.value}
    return insert.on_conflict_do_update(index_elements=["name"], set_=counted_on)
