"""How many days in a row students learn."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.core.principal import Principal
from lms_bot.core.streaks import SHOWN_DAYS, StudentStreaks, by_streak
from lms_bot.reports import access
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def streak(
    transaction: Transaction,
    principal: Principal,
    student_id: int,
    zone: ZoneInfo,
    now: datetime,
    days: int = SHOWN_DAYS,
) -> StudentStreaks:
    """Return a student's streaks and last days, cut by `zone` unless the student has their own. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    (found,) = overview.streaks_of(transaction, [student], zone, now, days)
    return found


def streaks(transaction: Transaction, principal: Principal, zone: ZoneInfo, now: datetime) -> list[StudentStreaks]:
    """Return the same of all students whom the principal may see, the longest streak first."""
    return by_streak(overview.streaks_of(transaction, access.students(transaction, principal), zone, now))
