"""The streaks that students' days make, a row for each, and their milestones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core import streaks as rules
from lms_bot.core.calendar import DAY
from lms_bot.core.events import STREAK_MARKS, EventType
from lms_bot.core.streaks import MILESTONES, NOTABLE_DAYS, Kind, Streak
from lms_bot.db.lists import each_id, in_list
from lms_bot.store.bulk import insert_into, insert_new
from lms_bot.store.notifications import queue
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, streak_marks, streaks, student_days, student_zones

ENDED = 0  # the mark of a streak that ended
BATCH = 10_000  # students whose streaks are written at a time
_COLUMNS = ("student_id", "kind", "first_day", "last_day", "days")
_NATURAL_KEY = ("student_id", "kind", "last_day")
_Owner = tuple[int, str]


class Change(NamedTuple):
    """A day that belongs to a student's streaks of a kind now, or does so no more."""

    student_id: int
    kind: Kind
    day: date
    belongs: bool


class ReachedMark(NamedTuple):
    """A milestone of a streak in days, or its end (0)."""

    mark_id: int
    student_id: int
    streak: Streak
    milestone: int


def update(transaction: Transaction, changes: Sequence[Change], now: datetime) -> None:
    """Update streaks by the days that appeared or disappeared."""
    if not changes:
        return
    by_whom: dict[_Owner, list[Change]] = defaultdict(list)
    for one in changes:
        by_whom[one.student_id, one.kind].append(one)
    around = _near(transaction, changes)
    before, after = {}, {}
    for whose, of_one in by_whom.items():
        appeared = [one.day for one in of_one if one.belongs]
        disappeared = [one.day for one in of_one if not one.belongs]
        days = (*appeared, *disappeared)
        before[whose] = [known for known in around.get(whose, ()) if any(rules.are_beside(known, day) for day in days)]
        after[whose] = rules.changed(before[whose], appeared, disappeared)
    _write(transaction, before, after, now)


def rebuild(transaction: Transaction, student_ids: Collection[int] | None, now: datetime) -> None:
    """Make the streaks of these students (of all, for None) from their days."""
    before = of_students(transaction, student_ids)
    after: dict[_Owner, list[Streak]] = {}
    for whose, days in _days(transaction, student_ids):
        after[whose] = rules.with_ids(before.get(whose, ()), rules.streaks_of(days))
        if len(after) >= BATCH:
            _write(transaction, {known: before.pop(known, []) for known in after}, after, now)
            after = {}
    _write(transaction, before, after, now)


def of_students(transaction: Transaction, student_ids: Collection[int] | None) -> dict[_Owner, list[Streak]]:
    """Return the streaks of students (of all, for None), oldest first, by student id and kind."""
    c = streaks.c
    query = sa.select(c.student_id, c.kind, c.first_day, c.last_day, c.streak_id)
    if student_ids is not None:
        query = query.where(in_list(c.student_id, student_ids, transaction.dialect.name))
    return _by_owner(transaction.execute(query.order_by(c.student_id, c.kind, c.last_day)))


def note_milestones(transaction: Transaction, since: date, today: date, zone: str | None) -> list[ReachedMark]:
    """Note the milestones and ends of learning streaks from `since` until yesterday; return the new ones.

    Of the students whose days are cut by `zone`, or of those with none of their own. A streak ended when a whole day
    was missed, that is the day before yesterday at the latest was its last.
    """
    c = streaks.c
    has_zone = sa.exists().where(student_zones.c.student_id == c.student_id)
    in_zone = ~has_zone if zone is None else has_zone.where(student_zones.c.zone == zone)
    query = sa.select(c.streak_id, c.student_id, c.first_day, c.last_day).where(
        c.kind == Kind.LEARNING, c.last_day >= since - DAY, c.days >= NOTABLE_DAYS, in_zone
    )
    found = []
    for streak_id, student_id, first, last in transaction.execute(query):
        streak = Streak(first, last, streak_id)
        found += [(student_id, streak, milestone) for milestone in _milestones(streak, since, today)]
    if not found:
        return []
    rows = [(streak.streak_id, milestone) for _, streak, milestone in found]
    mark_ids = insert_new(transaction, streak_marks, ("streak_id", "milestone"), rows, ("streak_id", "milestone"))
    return [ReachedMark(mark_id, *one) for mark_id, one in zip(mark_ids, found, strict=True) if mark_id is not None]


def _milestones(streak: Streak, since: date, today: date) -> Iterator[int]:
    for milestone in MILESTONES:
        if milestone <= streak.days and since <= streak.first + DAY * (milestone - 1) < today:
            yield milestone
    if not streak.goes_on(today) and streak.last >= since - DAY:
        yield ENDED


def _near(transaction: Transaction, changes: Sequence[Change]) -> dict[_Owner, list[Streak]]:
    """Return the students' streaks about the time of these changes."""
    c = streaks.c
    each = each_id(transaction, {one.student_id for one in changes})
    query = sa.select(c.student_id, c.kind, c.first_day, c.last_day, c.streak_id).where(
        c.student_id == each.c.value,
        c.kind.in_([kind.value for kind in Kind]),
        c.last_day >= min(one.day for one in changes) - DAY,
        c.first_day <= max(one.day for one in changes) + DAY,
    )
    return _by_owner(transaction.execute(query.order_by(c.student_id, c.kind, c.last_day)))


def _by_owner(rows: Iterable[Any]) -> dict[_Owner, list[Streak]]:
    found: dict[_Owner, list[Streak]] = defaultdict(list)
    for student_id, kind, *streak in rows:
        found[student_id, kind].append(Streak(*streak))
    return found


def _days(transaction: Transaction, student_ids: Collection[int] | None) -> Iterator[tuple[_Owner, list[date]]]:
    """Yield the days of each kind, student by student."""
    c = student_days.c
    query = sa.select(c.student_id, c.day, c.is_learned).order_by(c.student_id, c.day)
    if student_ids is not None:
        query = query.where(in_list(c.student_id, student_ids, transaction.dialect.name))
    rows = transaction.execute(query.execution_options(yield_per=BATCH))
    for student_id, of_student in groupby(rows, key=lambda row: row.student_id):
        days = list(of_student)
        yield (student_id, Kind.PRESENCE), [row.day for row in days]
        if learned := [row.day for row in days if row.is_learned]:
            yield (student_id, Kind.LEARNING), learned


def _write(
    transaction: Transaction, before: dict[_Owner, list[Streak]], after: dict[_Owner, list[Streak]], now: datetime
) -> None:
    """Put streaks in the place of others, and change only what differs."""
    known = {streak.streak_id: streak for of_one in before.values() for streak in of_one}
    named = [(whose, streak) for whose, of_one in after.items() for streak in of_one]
    kept = {streak.streak_id for _, streak in named}
    moved = [streak for _, streak in named if streak.streak_id is not None and known[streak.streak_id] != streak]
    gone = [streak_id for streak_id in known if streak_id not in kept]
    if gone:
        transaction.execute(sa.delete(streaks).where(in_list(streaks.c.streak_id, gone, transaction.dialect.name)))
    if moved:
        statement = sa.update(streaks).where(streaks.c.streak_id == sa.bindparam("id"))
        values: dict[str, Any] = {
            "first_day": sa.bindparam("first"),
            "last_day": sa.bindparam("last"),
            "days": sa.bindparam("number"),
        }
        transaction.execute(
            statement.values(values),
            [{"id": one.streak_id, "first": one.first, "last": one.last, "number": one.days} for one in moved],
        )
    new = [(*whose, one.first, one.last, one.days) for whose, one in named if one.streak_id is None]
    if new:
        _insert(transaction, new)
    went_on = [one.streak_id for one in moved if known[one.streak_id].last < one.last]
    _withdraw_ends(transaction, [*gone, *went_on], now)


def _insert(transaction: Transaction, new: Sequence[tuple[Any, ...]]) -> None:
    """Insert streaks, in the place of those that another process found at the same time."""
    streak_ids = insert_new(transaction, streaks, _COLUMNS, new, _NATURAL_KEY)
    if there := [row for streak_id, row in zip(streak_ids, new, strict=True) if streak_id is None]:
        insert = insert_into(transaction, streaks)
        values = {name: insert.excluded[name] for name in ("first_day", "days")}
        statement = insert.on_conflict_do_update(index_elements=_NATURAL_KEY, set_=values)
        transaction.execute(statement, [dict(zip(_COLUMNS, row, strict=True)) for row in there])


def _withdraw_ends(transaction: Transaction, streak_ids: Iterable[int | None], now: datetime) -> None:
    """Withdraw the ends of streaks that turned out to go on, or to be part of others."""
    ids = list(streak_ids)
    if not ids:
        return
    within = in_list(streak_marks.c.streak_id, ids, transaction.dialect.name)
    marks = sa.select(streak_marks.c.mark_id).where(within, streak_marks.c.milestone == ENDED)
    mark_ids = list(transaction.scalars(marks))
    if not mark_ids:
        return
    about = in_list(events.c.source_id, mark_ids, transaction.dialect.name)
    ended = (events.c.source_table == STREAK_MARKS) & (events.c.event_type == EventType.STREAK_BROKEN)
    taken_back = sa.update(events).where(ended, about).values(is_current=False).returning(events.c.event_id)
    queue.withdraw(transaction, list(transaction.scalars(taken_back)), now)
    of_marks = in_list(streak_marks.c.mark_id, mark_ids, transaction.dialect.name)
    transaction.execute(sa.update(streak_marks).where(of_marks).values(milestone=None))
