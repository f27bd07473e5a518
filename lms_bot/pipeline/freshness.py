"""Whether the data of the LMS is fresh enough to say that somebody is absent."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.store.alerts import watchlist
from lms_bot.store.operations import incidents
from lms_bot.store.session import Transaction
from lms_bot.store.state import POLLED, noted_at

BLIND = "blind"  # as a rule, which admins turn off
LMS, SILENCE = "lms", "silence"  # the alerts of admins: it cannot be read, it is unusually silent
OLD = timedelta(hours=1)  # since the last poll
POLLS_MISSED = 3  # data older than this many poll intervals is called old
LOOK_AGAIN = timedelta(minutes=30)  # while there is no fresh data


def is_blind(transaction: Transaction, settings: Settings, now: datetime) -> bool:
    """Nothing can be said of who is absent: the LMS cannot be read, is unusually silent, or was not read for long."""
    state = watchlist.state(transaction)
    if state is not None and BLIND in state.off:
        return False
    if incidents.is_on(transaction, LMS) or incidents.is_on(transaction, SILENCE):
        return True
    polled_at = noted_at(transaction, POLLED)
    return polled_at is not None and now - polled_at > max(
        OLD, POLLS_MISSED * settings.poll_interval * timedelta(seconds=1)
    )
