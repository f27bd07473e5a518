"""The latest question of a mentor since links were read, whose students the next poll looks at."""

from __future__ import annotations

from datetime import datetime

from lms_bot.store import state
from lms_bot.store.session import Transaction

ASKED = "mentor_asked"  # the fact: a mentor asked about students since links were last read


def note(transaction: Transaction, now: datetime) -> None:
    """Note that a mentor asks about students."""
    state.note(transaction, ASKED, True, now)


def asked_at(transaction: Transaction) -> datetime | None:
    """Return when a mentor last asked about students, if that was since links were read."""
    return state.noted_at(transaction, ASKED)


def forget(transaction: Transaction, asked: datetime | None) -> None:
    """Forget that a mentor asked at that moment; a later question stays noted."""
    if asked is not None and state.noted_at(transaction, ASKED) == asked:
        state.forget(transaction, ASKED)
