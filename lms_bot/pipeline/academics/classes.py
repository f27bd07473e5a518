"""Counts once an hour what deadlines and exams came to in the class."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.core.calendar import EARLIEST
from lms_bot.store.academics import deadlines
from lms_bot.store.session import Store
from lms_bot.store.state import POLLED, note, some

COUNTED = "classes"  # the fact: when classes were counted last
EVERY = timedelta(hours=1)


def count_classes(store: Store, now: datetime) -> None:
    """Count what is to be counted, if that was an hour ago; not before the first poll. Raises StoreUnavailable."""
    with store.reading() as transaction:
        noted = some(transaction, [POLLED, COUNTED])
    _, counted_at = noted.get(COUNTED, (None, EARLIEST))
    if POLLED not in noted or timedelta() <= now - counted_at < EVERY:
        return
    with store.writing() as transaction:
        deadlines.count_classes(transaction, now)
        note(transaction, COUNTED, True, now)
