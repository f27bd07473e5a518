"""Small facts about the running of the bot that outlive a process and are seen by every process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import facts

POLLED = "polled"  # the last poll: what it found, and what the polls of a day did
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('lms_bot fact'), hashtext(:name))")


def note(transaction: Transaction, name: str, value: Any, now: datetime) -> None:
    """Keep a fact (any JSON value) and when it was noted."""
    values = {"value": value, "noted_at": now}
    insert = insert_into(transaction, facts).values(name=name, **values)
    transaction.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))


def lock(transaction: Transaction, name: str) -> Any:
    """Return a fact that is to be noted anew: others who lock it wait until this transaction ends.

    None if it never was noted; then too the others wait.
    """
    query = sa.select(facts.c.value).where(facts.c.name == name).with_for_update()
    row = transaction.execute(query).first()
    if row is None and transaction.dialect.name == "postgresql":  # on SQLite a transaction that writes is alone
        transaction.execute(_LOCK, {"name": name})
        row = transaction.execute(query).first()
    return row.value if row else None


def value(transaction: Transaction, name: str) -> Any:
    """Return the fact as last noted; None if it never was."""
    return transaction.scalar(sa.select(facts.c.value).where(facts.c.name == name))


def noted_at(transaction: Transaction, name: str) -> datetime | None:
    """Return when the fact was last noted."""
    return transaction.scalar(sa.select(facts.c.noted_at).where(facts.c.name == name))


def some(transaction: Transaction, names: Sequence[str]) -> dict[str, tuple[Any, datetime]]:
    """Return those of the facts that are noted, each with when it was."""
    query = sa.select(facts.c.name, facts.c.value, facts.c.noted_at).where(facts.c.name.in_(names))
    return {row.name: (row.value, row.noted_at) for row in transaction.execute(query)}


def forget(transaction: Transaction, name: str) -> None:
    """Forget a fact."""
    transaction.execute(sa.delete(facts).where(facts.c.name == name))
