"""How the whole school does, for admins: numbers of many, and of nobody alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from lms_bot.config.settings import Settings
from lms_bot.core.attention import COMPARED_DAYS
from lms_bot.core.calendar import DAY, local_day
from lms_bot.core.principal import Principal
from lms_bot.core.reports.school import (
    DAYS_SHOWN,
    FEWEST_SHOWN,
    STREAK_GROUPS,
    Active,
    Engagement,
    SchoolReport,
    StreakGroup,
    parts_shown,
    shown,
)
from lms_bot.reports import access
from lms_bot.store.reports import school
from lms_bot.store.session import Transaction

WEEK = 7  # days


def school_report(transaction: Transaction, principal: Principal, settings: Settings, now: datetime) -> SchoolReport:
    """Return how the school does in the last 30 days of the settings' zone. Raises NotFound unless an admin asks."""
    access.require_admin(principal)
    since = now - timedelta(days=DAYS_SHOWN)
    courses = school.completions(transaction, since)
    many = [one for one in courses if one.students >= FEWEST_SHOWN]
    total = school.students_count(transaction)
    return SchoolReport(
        as_of=now,
        students=total,
        active=_active(transaction, settings, now),
        completions=tuple(sorted(many, key=lambda one: -one.rate)),
        hidden_courses=len(courses) - len(many),
        peaks=school.by_hour(transaction, since, settings.timezone),
        streaks=_streaks(transaction, settings, now, total),
        engagement=_engagement(transaction, now),
        alerts=school.alert_counts(transaction, since),
    )


def _active(transaction: Transaction, settings: Settings, now: datetime) -> Active:
    today = local_day(now, settings.timezone)
    first = today - DAY * (DAYS_SHOWN - 1)
    counts = school.active_by_day(transaction, first, today)
    days = (first + DAY * number for number in range(DAYS_SHOWN))
    return Active(
        tuple((day, shown(counts.get(day, 0))) for day in days),
        shown(school.active_within(transaction, today - DAY * (WEEK - 1), today)),
        shown(school.active_within(transaction, first, today)),
    )


def _streaks(transaction: Transaction, settings: Settings, now: datetime, total: int) -> tuple[StreakGroup, ...]:
    lengths = school.streak_lengths(transaction, local_day(now, settings.timezone))
    counts = [max(0, total - sum(lengths)), *lengths]
    return tuple(StreakGroup(*group, count) for group, count in zip(STREAK_GROUPS, parts_shown(counts), strict=True))


def _engagement(transaction: Transaction, now: datetime) -> tuple[Engagement, Engagement]:
    ends = [now - timedelta(days=COMPARED_DAYS * number) for number in (0, 1, 2)]
    recent, before = (Engagement(*school.finished(transaction, since, until)) for until, since in pairwise(ends))
    return recent, before
