"""How far the data of the LMS reaches, which decides whether a student can be called absent."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.calendar import EARLIEST
from lms_bot.store.alerts import watchlist
from lms_bot.store.operations import incidents
from lms_bot.store.session import Transaction
from lms_bot.store.state import POLLED, noted_at

BLIND = "blind"  # the name by which admins turn this check off
LMS, SILENCE = "lms", "silence"  # names of incidents: the LMS cannot be read, or is unusually silent
OLD = timedelta(hours=1)  # since the last poll
POLLS_MISSED = 3  # data older than this many poll intervals is called old
RETRY = timedelta(minutes=30)  # until absence is judged again while there is no fresh data


def has_fresh_data(transaction: Transaction, settings: Settings, now: datetime) -> bool:
    """Return whether the LMS was read well and lately enough to say of anybody that they are absent."""
    return absence_known_until(transaction, settings, now) > EARLIEST


def absence_known_until(transaction: Transaction, settings: Settings, now: datetime) -> datetime:
    """Return the moment until which absence can be told: that of the last poll; EARLIEST without fresh data.

    Data is not fresh while the LMS cannot be read or is unusually silent, and when the last poll is long ago. An admin
    may turn this check off, and then absence is always told.
    """
    state = watchlist.rules_state(transaction)
    if state is not None and BLIND in state.off:
        return now
    if incidents.going_on(transaction, [LMS, SILENCE]):
        return EARLIEST
    polled_at = noted_at(transaction, POLLED)
    if polled_at is None:
        return now
    longest = max(OLD, POLLS_MISSED * settings.poll_interval * timedelta(seconds=1))
    return polled_at if now - polled_at <= longest else EARLIEST
