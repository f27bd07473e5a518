"""Incidents, which admins must know of: announced once when they begin and once when they are over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import incidents


class Incident(NamedTuple):
    """An incident to be announced: that it began, or (`is_over`) that it is over."""

    name: str
    text: str
    is_over: bool


def begin(transaction: Transaction, name: str, text: str, now: datetime) -> None:
    """Begin an incident; one that goes on already is not announced again."""
    insert = insert_into(transaction, incidents).values(name=name, text=text, began_at=now)
    transaction.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"over_text": None}))


def end(transaction: Transaction, name: str, text: str) -> None:
    """End an incident; the end is announced only if its beginning was."""
    is_it = incidents.c.name == name
    transaction.execute(sa.delete(incidents).where(is_it, incidents.c.told_at.is_(None)))
    transaction.execute(sa.update(incidents).where(is_it).values(over_text=text))


def notice(transaction: Transaction, name: str, text: str, now: datetime) -> None:
    """Note an incident that is over at once; it is announced once."""
    values = {"name": name, "text": text, "began_at": now, "over_text": ""}
    transaction.execute(insert_into(transaction, incidents).values(values).on_conflict_do_nothing())


def going_on(transaction: Transaction, names: Collection[str]) -> set[str]:
    """Return which of these incidents go on."""
    query = sa.select(incidents.c.name).where(incidents.c.name.in_(names), incidents.c.over_text.is_(None))
    return set(transaction.scalars(query))


def unannounced(transaction: Transaction) -> list[Incident]:
    """Return what is to be announced, the oldest first."""
    c = incidents.c
    query = sa.select(c.name, c.text, c.told_at, c.over_text).where(c.told_at.is_(None) | c.over_text.is_not(None))
    return [
        Incident(name, text, False) if told_at is None else Incident(name, over_text, True)
        for name, text, told_at, over_text in transaction.execute(query.order_by(c.began_at, c.name))
    ]


def mark_announced(transaction: Transaction, incident: Incident, now: datetime) -> None:
    """Mark an incident as announced; one that is over is forgotten."""
    is_it = incidents.c.name == incident.name
    transaction.execute(sa.update(incidents).where(is_it).values(told_at=now))
    transaction.execute(
        sa.delete(incidents).where(is_it, incidents.c.over_text == "" if not incident.is_over else sa.true())
    )


def ongoing(transaction: Transaction) -> list[tuple[datetime, str]]:
    """Return when each incident that goes on began, and its text, the oldest first."""
    c = incidents.c
    query = sa.select(c.began_at, c.text).where(c.over_text.is_(None)).order_by(c.began_at, c.name)
    return [(row.began_at, row.text) for row in transaction.execute(query)]
