"""The students and alerts of a mentor, for programs that may ask about that mentor."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.alerts import AlertEntry
from lms_bot.core.principal import Principal
from lms_bot.core.reports.attention import Attention
from lms_bot.core.reports.mentor_overview import MentorOverview
from lms_bot.reports import access, alerts, attention
from lms_bot.store.session import Transaction


def students_of_mentor(
    transaction: Transaction, principal: Principal, mentor_id: int, settings: Settings, now: datetime
) -> Attention:
    """Return the students of a mentor, by the mentor's own rules and in the order of their ranks. Raises NotFound."""
    mentor = _as_mentor(transaction, principal, mentor_id)
    found = attention.attention(transaction, mentor, settings.timezone, now)
    return replace(found, summaries=tuple(sorted(found.summaries, key=found.rank)))


def overview(
    transaction: Transaction, principal: Principal, mentor_id: int, settings: Settings, now: datetime
) -> MentorOverview:
    """Return a mentor's students by attention, what changed since yesterday, and the open alerts. Raises NotFound."""
    return attention.mentor_overview(transaction, _as_mentor(transaction, principal, mentor_id), settings, now)


def open_alerts(transaction: Transaction, principal: Principal, mentor_id: int) -> list[AlertEntry]:
    """Return what is open to a mentor, the most serious and then the longest true first. Raises NotFound."""
    return alerts.open_alerts(transaction, _as_mentor(transaction, principal, mentor_id))


def _as_mentor(transaction: Transaction, principal: Principal, mentor_id: int) -> Principal:
    """Return the rights of a mentor, for who sees everybody and for that mentor. Raises NotFound."""
    return Principal.of([access.mentor_of_programs(transaction, principal, mentor_id)], [])
