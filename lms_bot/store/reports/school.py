"""Counts of a whole school: who was active, what was finished, when, how long streaks are, what became of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.alerts import Outcome
from lms_bot.core.calendar import DAY
from lms_bot.core.events import FINISHING, OBSERVED
from lms_bot.core.reports.school import STREAK_GROUPS, AlertCounts, Completion
from lms_bot.core.streaks import Kind
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, student_alerts, student_days, students
from lms_bot.store.tables import streaks as runs

_d, _e, _a, _r = student_days.c, events.c, student_alerts.c, runs.c
_WAS_THERE = _d.is_active | _d.in_lms
_IS_SEEN = _e.mirrors.is_(None) & ~_e.is_withdrawn & _e.event_type.in_(OBSERVED)


def students_count(transaction: Transaction) -> int:
    """Return how many students there are who have not left."""
    return transaction.scalar(sa.select(sa.func.count()).select_from(students).where(students.c.is_active)) or 0


def active_by_day(transaction: Transaction, first: date, last: date) -> dict[date, int]:
    """Return how many students were active on each of these days that has any."""
    query = sa.select(_d.day, sa.func.count()).where(_WAS_THERE, _d.day.between(first, last)).group_by(_d.day)
    return {row[0]: row[1] for row in transaction.execute(query)}


def active_within(transaction: Transaction, first: date, last: date) -> int:
    """Return how many students were active on any of these days."""
    query = sa.select(sa.func.count(sa.distinct(_d.student_id))).where(_WAS_THERE, _d.day.between(first, last))
    return transaction.scalar(query) or 0


def finished(transaction: Transaction, since: datetime, until: datetime) -> tuple[int, int]:
    """Return how many things were finished in a time, and how many students did anything in it."""
    is_finished = _e.event_type.in_(sorted(FINISHING)) & _e.is_current
    query = sa.select(
        sa.func.count(sa.case((is_finished, 1))),
        sa.func.count(sa.distinct(_e.student_id)),
    ).where(_IS_SEEN, _e.timestamp >= since, _e.timestamp < until)
    row = transaction.execute(query).one()
    return row[0], row[1]


def completions(transaction: Transaction, since: datetime) -> list[Completion]:
    """Return for each course what was opened since a moment and how much of it is finished, by the course's title."""
    course = _e.activity_metadata["course_title"].as_string()
    item = (
        sa.select(
            _e.course_key,
            _e.student_id,
            sa.func.max(course).label("title"),
            sa.func.max(sa.case((_e.event_type.in_(sorted(FINISHING)) & _e.is_current, 1), else_=0)).label("is_done"),
        )
        .where(_IS_SEEN, _e.timestamp >= since, _e.course_key.is_not(None), _e.student_id.is_not(None))
        .group_by(_e.course_key, _e.student_id, _e.source_table, _e.activity_id)
        .subquery()
    )
    query = (
        sa.select(
            sa.func.max(item.c.title),
            sa.func.count(sa.distinct(item.c.student_id)),
            sa.func.count(),
            sa.func.sum(item.c.is_done),
        )
        .group_by(item.c.course_key)
        .order_by(item.c.course_key)
    )
    return [Completion(title or "", *map(int, counts)) for title, *counts in transaction.execute(query)]


def by_hour(transaction: Transaction, since: datetime, zone: ZoneInfo) -> tuple[tuple[int, ...], ...]:
    """Return how much happened since a moment by weekday and hour of a zone, by whole hours of UTC."""
    found = [[0] * 24 for _ in range(7)]
    for hour, count in _hours(transaction, since):
        local = hour.astimezone(zone)
        found[local.weekday()][local.hour] += count
    return tuple(map(tuple, found))


def streak_lengths(transaction: Transaction, today: date) -> list[int]:
    """Return for each group of streaks but that of none how many students are on a learning streak so long."""
    is_in = [_r.days >= first if last is None else _r.days.between(first, last) for first, last in STREAK_GROUPS[1:]]
    query = sa.select(*(sa.func.count(sa.case((one, 1))) for one in is_in)).where(
        _r.kind == Kind.LEARNING, _r.last_day >= today - DAY
    )
    return list(transaction.execute(query).one())


def alert_counts(transaction: Transaction, since: datetime) -> AlertCounts:
    """Return how many alerts were told since a moment, how many of them were acted on, and how many are open now."""
    is_acted = _a.taken_at.is_not(None) | (_a.outcome == Outcome.DONE)
    told = sa.select(sa.func.count(), sa.func.count(sa.case((is_acted, 1)))).where(_a.told_at >= since)
    row = transaction.execute(told).one()
    still = transaction.scalar(sa.select(sa.func.count()).select_from(student_alerts).where(_a.closed_at.is_(None)))
    return AlertCounts(row[0], row[1], still or 0)


def _hours(transaction: Transaction, since: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield hours of UTC, and how many events were in each."""
    if transaction.dialect.name == "sqlite":
        hour = sa.func.substr(sa.cast(_e.timestamp, sa.Text), 1, 13)
    else:
        hour = sa.func.to_char(sa.func.timezone("UTC", _e.timestamp), "YYYY-MM-DD HH24")
    query = (
        sa.select(hour.label("hour"), sa.func.count()).where(_IS_SEEN, _e.timestamp >= since).group_by(sa.text("hour"))
    )
    for text, count in transaction.execute(query):
        yield datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=UTC), count
