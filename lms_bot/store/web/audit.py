"""Who asked over the web for what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.store.session import Transaction
from lms_bot.store.tables import api_audit


class Access(NamedTuple):
    """One request of a token, by the token's name; `student_id` is the student about whom it asked."""

    token: str
    path: str
    student_id: int | None
    at: datetime


def note(transaction: Transaction, accesses: Sequence[Access]) -> None:
    """Keep what was asked (at least one request)."""
    transaction.execute(sa.insert(api_audit), [access._asdict() for access in accesses])


def accesses(transaction: Transaction) -> list[Access]:
    """Return what was asked, the oldest first."""
    a = api_audit.c
    query = sa.select(a.token, a.path, a.student_id, a.at).order_by(a.audit_id)
    return [Access(*row) for row in transaction.execute(query)]
