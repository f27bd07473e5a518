"""How old the data is that every other report is made of."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.principal import Principal
from lms_bot.core.reports.overview import Freshness
from lms_bot.pipeline.freshness import POLLS_MISSED, has_fresh_data
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.session import Transaction


def freshness(transaction: Transaction, principal: Principal, settings: Settings, now: datetime) -> Freshness:
    """Return how old the data of the LMS is. Raises NotFound for a stranger."""
    access.require_known(principal)
    read_at = state.noted_at(transaction, state.POLLED)
    allowed = timedelta(seconds=max(60, POLLS_MISSED * settings.poll_interval))
    is_old = read_at is None or now - read_at > allowed
    return Freshness(read_at, is_old, not has_fresh_data(transaction, settings, now))
