"""What the admins must know: said once when it begins, and once when it is over."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import alerts


class Alert(NamedTuple):
    """An alert that has something to say: that it began, or (`is_over`) that it is over."""

    name: str
    text: str
    is_over: bool


def begin(transaction: Transaction, name: str, text: str, now: datetime) -> None:
    """This is so from now on; says nothing if it was so already."""
    insert = insert_into(transaction, alerts).values(name=name, text=text, began_at=now)
    transaction.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"over_text": None}))


def end(transaction: Transaction, name: str, text: str) -> None:
    """This is over; says nothing if nobody has been told that it began."""
    is_it = alerts.c.name == name
    transaction.execute(sa.delete(alerts).where(is_it, alerts.c.told_at.is_(None)))
    transaction.execute(sa.update(alerts).where(is_it).values(over_text=text))


def notice(transaction: Transaction, name: str, text: str, now: datetime) -> None:
    """This happened, and is over."""
    values = {"name": name, "text": text, "began_at": now, "over_text": ""}
    transaction.execute(insert_into(transaction, alerts).values(values).on_conflict_do_nothing())


def is_on(transaction: Transaction, name: str) -> bool:
    """Whether it has begun and is not over."""
    query = sa.select(alerts.c.name).where(alerts.c.name == name, alerts.c.over_text.is_(None))
    return transaction.scalar(query) is not None


def unsaid(transaction: Transaction) -> list[Alert]:
    """What is to be said, the oldest first."""
    c = alerts.c
    query = sa.select(c.name, c.text, c.told_at, c.over_text).where(c.told_at.is_(None) | c.over_text.is_not(None))
    return [
        Alert(name, text, False) if told_at is None else Alert(name, over_text, True)
        for name, text, told_at, over_text in transaction.execute(query.order_by(c.began_at, c.name))
    ]


def said(transaction: Transaction, alert: Alert, now: datetime) -> None:
    """Forget an alert that is over, and remember of another that it was said."""
    is_it = alerts.c.name == alert.name
    transaction.execute(sa.update(alerts).where(is_it).values(told_at=now))
    transaction.execute(sa.delete(alerts).where(is_it, alerts.c.over_text == "" if not alert.is_over else sa.true()))


def lasting(transaction: Transaction) -> list[tuple[datetime, str]]:
    """What has begun and is not over, with when that was, the oldest first."""
    c = alerts.c
    query = sa.select(c.began_at, c.text).where(c.over_text.is_(None)).order_by(c.began_at, c.name)
    return [(row.began_at, row.text) for row in transaction.execute(query)]
