"""What each student did on each of their days, kept by the transactions that record it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lms_bot.db import in_list
from lms_bot.domain import BY_CLOCK, SOURCE_TABLES, Event, EventType
from lms_bot.store import Transaction, cursors
from lms_bot.store import facts as notes
from lms_bot.store import streaks as kept_streaks
from lms_bot.store.bulk import insert_on
from lms_bot.store.events import Said
from lms_bot.store.people import each_id
from lms_bot.store.streaks import Change
from lms_bot.store.tables import events, facts, student_days, student_zones, students, zulip_users
from lms_bot.streaks import Day, Kind, counted_at, is_finished, local_day

COUNTED = "days"  # the fact: by which time zone days are cut, and for which day each zone had its turn
TOGETHER = 20_000  # events that are counted, and then written, at a time

_Tally = dict[tuple[int, date], list[int]]
"""By student and day: how many events more, and how many of them finished something."""


def hold(transaction: Transaction) -> Any:
    """What is noted about the counting of days, while other transactions wait to count; None before they are counted.

    To be called before events are recorded: whoever counts days takes this lock first.
    """
    return transaction.scalar(sa.select(facts.c.value).where(facts.c.name == COUNTED).with_for_update())


def count(
    transaction: Transaction,
    recorded: Iterable[tuple[int, Event]],
    corrected: Iterable[Said],
    default: ZoneInfo,
    now: datetime,
) -> None:
    """Bring days and streaks up to what was recorded now, and to what is not said any more."""
    said = [
        Said(event.student_id, event.timestamp, now, 1, is_finished(event.event_type, event.mirrors))
        for _, event in recorded
    ]
    said += corrected
    zones = _zones(transaction, {one.student_id for one in said if one.student_id is not None})
    kept_streaks.change(transaction, _add(transaction, _tallied(said, zones, default)))


def see(transaction: Transaction, seen: Iterable[tuple[int, date]]) -> None:
    """Note days on which the LMS saw students, as (student id, local day)."""
    rows = sorted(set(seen))
    if not rows:
        return
    given = {"rows": _as_json([(*row, 0, 0, True) for row in rows])}
    found = transaction.execute(_seeing(transaction.dialect.name), given).all()
    appeared = [Change(student_id, Kind.PRESENCE, day, True) for student_id, day, happened in found if not happened]
    kept_streaks.change(transaction, appeared)


def recount(transaction: Transaction, default: ZoneInfo, student_ids: Collection[int] | None = None) -> None:
    """Count the days of these students (all, if none are named) from the stored events, as if for the first time."""
    for source_table in SOURCE_TABLES:
        cursors.load(transaction, source_table, to_move=True)  # a poll that stores a page now is waited for
    hold(transaction)
    of_students = _among(transaction, student_days.c.student_id, student_ids)
    transaction.execute(sa.delete(student_days).where(of_students, ~student_days.c.in_lms))
    transaction.execute(sa.update(student_days).where(of_students).values(events=0, finished=0))
    zones = _zones(transaction, student_ids)
    said = _said(transaction, student_ids)
    while some := list(islice(said, TOGETHER)):
        _add(transaction, _tallied(some, zones, default))
    kept_streaks.rebuild(transaction, student_ids)


def between(transaction: Transaction, student_ids: Collection[int], first: date, last: date) -> dict[int, list[Day]]:
    """What is known of the students' days from `first` to `last`, oldest first, by student id."""
    each, c = each_id(transaction, student_ids), student_days.c
    query = sa.select(c.student_id, c.day, c.events, c.finished, c.in_lms).where(
        c.student_id == each.c.value, c.day.between(first, last)
    )
    found: dict[int, list[Day]] = defaultdict(list)
    for student_id, *day in transaction.execute(query.order_by(c.student_id, c.day)):
        found[student_id].append(Day(*day))
    return found


def counted_by(transaction: Transaction) -> str | None:
    """The name of the time zone by which days are cut; None before they are counted."""
    noted = notes.value(transaction, COUNTED)
    return noted["zone"] if noted else None


def note(transaction: Transaction, counted: Mapping[str, Any], now: datetime) -> None:
    """Note by which time zone days are cut, and the local day of which each zone had its turn."""
    notes.note(transaction, COUNTED, counted, now)


def zones(transaction: Transaction, student_ids: Collection[int]) -> dict[int, ZoneInfo]:
    """By which time zone the days of students are cut, for those where it is not that of the settings."""
    return _zones(transaction, student_ids)


def zones_in_use(transaction: Transaction) -> list[str]:
    """The names of all those time zones."""
    return list(transaction.scalars(sa.select(student_zones.c.zone).distinct()))


def zones_to_follow(transaction: Transaction, default: ZoneInfo) -> dict[int, str]:
    """The time zone that Zulip says is a student's, by student id, where their days are cut by another."""
    by = sa.func.coalesce(student_zones.c.zone, default.key)
    query = (
        sa.select(students.c.student_id, zulip_users.c.timezone)
        .join(zulip_users, zulip_users.c.user_id == students.c.zulip_user_id)
        .outerjoin(student_zones, student_zones.c.student_id == students.c.student_id)
        .where(zulip_users.c.timezone != "", zulip_users.c.timezone != by)
    )
    return {row.student_id: row.timezone for row in transaction.execute(query)}


def keep_zones(transaction: Transaction, found: Mapping[int, str]) -> None:
    """From now on, cut these students' days by these time zones; their days are to be counted anew."""
    if not found:
        return
    within = in_list(student_zones.c.student_id, found, transaction.dialect.name)
    transaction.execute(sa.delete(student_zones).where(within))
    rows = [{"student_id": student_id, "zone": zone} for student_id, zone in found.items()]
    transaction.execute(sa.insert(student_zones), rows)


def _zones(transaction: Transaction, student_ids: Collection[int] | None) -> dict[int, ZoneInfo]:
    of_students = _among(transaction, student_zones.c.student_id, student_ids)
    query = sa.select(student_zones.c.student_id, student_zones.c.zone).where(of_students)
    return {student_id: ZoneInfo(zone) for student_id, zone in transaction.execute(query)}


def _tallied(said: Iterable[Said], zones: Mapping[int, ZoneInfo], default: ZoneInfo) -> _Tally:
    tally: _Tally = defaultdict(lambda: [0, 0])
    for student_id, timestamp, found_at, happened, finished in said:
        at = counted_at(timestamp, found_at)
        if student_id is None or at is None:
            continue
        counted = tally[student_id, local_day(at, zones.get(student_id, default))]
        counted[0] += happened
        counted[1] += finished
    return tally


def _said(transaction: Transaction, student_ids: Collection[int] | None) -> Iterator[Said]:
    """What the stored events say, student by student."""
    c = events.c
    query = (
        sa.select(c.student_id, c.timestamp, c.created_at, c.event_type, c.is_current, c.mirrors)
        .where(_among(transaction, c.student_id, student_ids), c.event_type.not_in(BY_CLOCK))
        .order_by(c.student_id, c.timestamp)
        .execution_options(yield_per=TOGETHER)
    )
    for student_id, at, found_at, kind, is_current, mirrors in transaction.execute(query):
        yield Said(student_id, at, found_at, 1, int(is_current and is_finished(EventType(kind), mirrors)))


def _add(transaction: Transaction, tally: _Tally) -> list[Change]:
    """Add to days; gives those that belong to a streak now and did not before, or the other way round."""
    rows = [(student_id, day, *more) for (student_id, day), more in sorted(tally.items()) if any(more)]
    if not rows:
        return []
    found = transaction.execute(_adding(transaction.dialect.name), {"rows": _as_json(rows)}).all()
    changes, emptied = [], []
    for student_id, day, happened, finished, in_lms in found:
        more = tally[student_id, day]
        now = Day(day, happened, finished, in_lms)
        before = Day(day, happened - more[0], finished - more[1], in_lms)
        changes += [
            Change(student_id, kind, day, now.belongs_to(kind))
            for kind in Kind
            if now.belongs_to(kind) != before.belongs_to(kind)
        ]
        if not now.belongs_to(Kind.PRESENCE):
            emptied.append((student_id, day))
    if emptied:
        transaction.execute(_removing(transaction.dialect.name), {"rows": _as_json(emptied)})
    return changes


def _among(
    transaction: Transaction, column: sa.ColumnElement[Any], student_ids: Collection[int] | None
) -> sa.ColumnElement[bool]:
    return sa.true() if student_ids is None else in_list(column, student_ids, transaction.dialect.name)


def _as_json(rows: Sequence[tuple[Any, ...]]) -> str:
    return json.dumps(rows, default=date.isoformat)


@cache
def _adding(dialect: str) -> Any:
    c = student_days.c
    insert = insert_on(dialect, student_days).from_select(
        ["student_id", "day", "events", "finished"],
        _given(dialect, sa.BigInteger(), sa.Date(), sa.Integer(), sa.Integer()),
    )
    more = {"events": c.events + insert.excluded.events, "finished": c.finished + insert.excluded.finished}
    added = insert.on_conflict_do_update(index_elements=["student_id", "day"], set_=more)
    return added.returning(c.student_id, c.day, c.events, c.finished, c.in_lms)


@cache
def _seeing(dialect: str) -> Any:
    c = student_days.c
    insert = insert_on(dialect, student_days).from_select(
        ["student_id", "day", "events", "finished", "in_lms"],
        _given(dialect, sa.BigInteger(), sa.Date(), sa.Integer(), sa.Integer(), sa.Boolean()),
    )
    seen = insert.on_conflict_do_update(index_elements=["student_id", "day"], set_={"in_lms": True}, where=~c.in_lms)
    return seen.returning(c.student_id, c.day, c.events)


@cache
def _removing(dialect: str) -> Any:
    pair = sa.tuple_(student_days.c.student_id, student_days.c.day)
    return sa.delete(student_days).where(pair.in_(_given(dialect, sa.BigInteger(), sa.Date())))


def _given(dialect: str, *types: sa.types.TypeEngine[Any]) -> sa.Select[Any]:
    """The rows bound to `rows`, as one value however many there are."""
    if dialect == "sqlite":
        rows = sa.func.json_each(sa.bindparam("rows")).table_valued("value")
        columns: list[Any] = [sa.func.json_extract(rows.c.value, f"$[{place}]") for place in range(len(types))]
    else:
        bound = sa.cast(sa.bindparam("rows", type_=sa.Text), postgresql.JSON)
        rows = sa.func.json_array_elements(bound).table_valued("value").render_derived()
        columns = [sa.cast(rows.c.value.op("->>")(place), kind) for place, kind in enumerate(types)]
    return sa.select(*columns).where(sa.text("true"))  # without it SQLite takes ON CONFLICT for the ON of a join
