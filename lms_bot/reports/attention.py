"""Which students need attention first."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.core.principal import Principal
from lms_bot.core.reports.students import Attention
from lms_bot.reports import access
from lms_bot.store.reports import students
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def attention(transaction: Transaction, principal: Principal, zone: ZoneInfo, now: datetime) -> Attention:
    """Return how the students whom a principal may see do, who needs attention first.

    Days are cut by `zone` where a student has none of their own.
    """
    own = access.students(transaction, principal)
    summaries = students.summaries(transaction, own, now)
    return Attention(tuple(summaries), overview.learning_streaks(transaction, own, zone, now))
