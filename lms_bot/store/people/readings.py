"""What is noted of readings of people: one that lost so many that it is not believed yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.core.people import Census
from lms_bot.store import state
from lms_bot.store.people import people
from lms_bot.store.session import Transaction

HOLDS_FOR = timedelta(minutes=5)  # so long people must be gone until that is believed
DOUBT_LASTS = timedelta(minutes=15)  # after the last reading; when the LMS is away, what is known goes on to count
DOUBT = "people_doubt"  # the fact: since when a reading is not believed, and how many people it had


def note_reading(transaction: Transaction, found: Census, now: datetime) -> bool:
    """Note how many people a reading found; return whether it is believed.

    One that lost too many of them is believed once that has held for a while, without many of them coming back.
    """
    if not people.census(transaction).loses_too_many(found):
        state.forget(transaction, DOUBT)
        return True
    noted = state.value(transaction, DOUBT)
    since = datetime.fromisoformat(noted["since"]) if noted else now
    if noted and found.loses_too_many(Census(*noted["found"])):
        since = now  # a table is being refilled
    if now - since >= HOLDS_FOR:
        state.forget(transaction, DOUBT)
        return True
    state.note(transaction, DOUBT, {"since": since.isoformat(), "found": list(found)}, now)
    return False


def are_in_doubt(transaction: Transaction, now: datetime) -> bool:
    """Return whether the last reading of people is not believed yet, so that nobody is to be told anything."""
    noted_at = state.noted_at(transaction, DOUBT)
    return noted_at is not None and now - noted_at < DOUBT_LASTS
