"""The days on which each student did something, kept by the transactions that record events."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lms_bot.core.calendar import DAY, EARLIEST, counted_at, local_day
from lms_bot.core.events import FINISHING, NO_PRESENCE, Event, is_finished
from lms_bot.core.streaks import Day, Kind
from lms_bot.db.lists import each_id, in_list
from lms_bot.store import state as notes
from lms_bot.store.bulk import insert_on
from lms_bot.store.events import cursors, tombstones
from lms_bot.store.events.events import Said
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import streaks as kept_streaks
from lms_bot.store.streaks.streaks import Change
from lms_bot.store.tables import events, student_days

COUNTED = "days"  # the fact: by which time zone days are cut, and for which day each zone had its turn
BATCH = 20_000  # rows that are read, or written, at a time
LONGEST_OFFSET = timedelta(hours=26)  # between two places on earth

_StudentDay = tuple[int, date]
"""A student and a local day."""

_Occurrence = tuple[int | None, datetime, datetime, bool]
"""The student of an event, its time, when it was found, and whether it is something finished."""


def lock(transaction: Transaction) -> Any:
    """Return the state of the counting of days, under a lock; None before they are counted.

    To be called before events are recorded: whoever counts days takes this lock first.
    """
    return notes.lock(transaction, COUNTED)


def counting_zone(transaction: Transaction) -> str | None:
    """Return the name of the time zone in which days are counted; None before they are counted."""
    noted = notes.value(transaction, COUNTED)
    return noted["zone"] if noted else None


def note_counting(transaction: Transaction, counted: Mapping[str, Any], now: datetime) -> None:
    """Note in which time zone days are counted, and the local day that each zone has completed."""
    notes.note(transaction, COUNTED, counted, now)


def count(
    transaction: Transaction,
    recorded: Iterable[tuple[int, Event]],
    corrected: Iterable[Said],
    default: ZoneInfo,
    now: datetime,
    counted: set[tuple[_StudentDay, bool]],
) -> None:
    """Update days and streaks by the events recorded now, and by those whose row says something else now.

    `counted` are the days that this poll has brought up to date before, as they are left by it.
    """
    new = [event for _, event in recorded]
    again = [one[:4] for one in corrected if one.counts > 0]
    doubted = [one for one in corrected if one.counts < 0]
    zones = zones_of(transaction, {event.student_id for event in new} | {one.student_id for one in corrected})
    known = _student_days_of_new(new, zones, default, now)
    for pair, learned in _student_days(again, zones, default).items():
        known[pair] = learned or known.get(pair, False)
    changes = _add(transaction, {pair: learned for pair, learned in known.items() if (pair, learned) not in counted})
    unsure = {pair for pair in _student_days((one[:4] for one in doubted), zones, default) if not known.get(pair)}
    counted.update(known.items())
    counted.difference_update((pair, learned) for pair in unsure for learned in (True, False))
    kept_streaks.update(transaction, changes + _recount_days(transaction, unsure, zones, default), now)


def note_presence(transaction: Transaction, seen: Iterable[_StudentDay], now: datetime) -> None:
    """Note days on which the LMS saw students."""
    rows = sorted(set(seen))
    for start in range(0, len(rows), BATCH):
        given = {"rows": _as_json([(*pair, False, False, True) for pair in rows[start : start + BATCH]])}
        found = transaction.execute(_seeing(transaction.dialect.name), given).all()
        kept_streaks.update(transaction, [Change(row.student_id, Kind.PRESENCE, row.day, True) for row in found], now)


def recount(
    transaction: Transaction, default: ZoneInfo, now: datetime, student_ids: Collection[int] | None = None
) -> None:
    """Count the days of these students (of all, for None) from the stored events, as if for the first time.

    Days whose events were removed for their age stay as they were counted.
    """
    cursors.lock_all(transaction)  # a poll that stores a page now is waited for
    lock(transaction)
    of_students = _among(transaction, student_days.c.student_id, student_ids)
    of_students &= student_days.c.day > pruned_until(transaction)
    transaction.execute(sa.delete(student_days).where(of_students, ~student_days.c.in_lms))
    transaction.execute(sa.update(student_days).where(of_students).values(is_active=False, is_learned=False))
    occurrences, zones = _occurrences(transaction, student_ids), zones_of(transaction, student_ids)
    while some := list(islice(occurrences, BATCH)):
        _add(transaction, _student_days(some, zones, default))
    kept_streaks.rebuild(transaction, student_ids, now)


def between(
    transaction: Transaction, student_ids: Collection[int], first: date, last: date, default: ZoneInfo
) -> dict[int, list[Day]]:
    """Return the students' days from `first` to `last`, oldest first, by student id; empty days left out."""
    each, c, zones = each_id(transaction, student_ids), student_days.c, zones_of(transaction, student_ids)
    days = sa.select(c.student_id, c.day, c.in_lms).where(c.student_id == each.c.value, c.day.between(first, last))
    counted = {(row.student_id, row.day): [0, 0, row.in_lms] for row in transaction.execute(days)}
    begin = datetime(first.year, first.month, first.day, tzinfo=default) - LONGEST_OFFSET
    for occurrence in _occurrences(transaction, student_ids, since=begin):
        pair = _student_day(occurrence, zones, default)
        if pair is not None and pair in counted:
            counted[pair][0] += 1
            counted[pair][1] += occurrence[3]
    found: dict[int, list[Day]] = defaultdict(list)
    for (student_id, day), (happened, finished, in_lms) in sorted(counted.items()):
        found[student_id].append(Day(day, happened, finished, in_lms))
    return found


def _occurrences(
    transaction: Transaction, student_ids: Collection[int] | None, since: datetime | None = None
) -> Iterator[_Occurrence]:
    """Yield what the stored events say of when students were there, student by student."""
    c = events.c
    query = (
        sa.select(c.student_id, c.timestamp, c.created_at, c.event_type, c.is_current, c.mirrors)
        .where(_among(transaction, c.student_id, student_ids), c.event_type.not_in(NO_PRESENCE), ~c.is_withdrawn)
        .order_by(c.student_id, c.timestamp)
        .execution_options(yield_per=BATCH)
    )
    if since is not None:
        query = query.where(c.timestamp >= since)
    for student_id, at, found_at, kind, is_current, mirrors in transaction.execute(query):
        yield student_id, at, found_at, is_current and is_finished(kind, mirrors)


def _student_days(
    occurrences: Iterable[_Occurrence], zones: Mapping[int, ZoneInfo], default: ZoneInfo
) -> dict[_StudentDay, bool]:
    """Return the students' days of these events, and whether something was finished then."""
    found: dict[_StudentDay, bool] = {}
    for occurrence in occurrences:
        if pair := _student_day(occurrence, zones, default):
            found[pair] = occurrence[3] or found.get(pair, False)
    return found


def _student_days_of_new(
    new: Iterable[Event], zones: Mapping[int, ZoneInfo], default: ZoneInfo, now: datetime
) -> dict[_StudentDay, bool]:
    """Return the same of new events: a hundred thousand in a poll, so that little may be done for each."""
    found: dict[_StudentDay, bool] = {}
    for event in new:
        if event.student_id is not None and event.timestamp >= EARLIEST and event.event_type not in NO_PRESENCE:
            at = event.timestamp if event.timestamp < now else now
            pair = event.student_id, local_day(at, zones.get(event.student_id, default))
            if event.mirrors is None and event.event_type in FINISHING:
                found[pair] = True
            else:
                found.setdefault(pair, False)
    return found


def _student_day(occurrence: _Occurrence, zones: Mapping[int, ZoneInfo], default: ZoneInfo) -> _StudentDay | None:
    student_id, timestamp, found_at, _ = occurrence
    at = counted_at(timestamp, found_at)
    if student_id is None or at is None:
        return None
    return student_id, local_day(at, zones.get(student_id, default))


def _add(transaction: Transaction, known: Mapping[_StudentDay, bool]) -> list[Change]:
    """Note days on which students did something; return those that were not noted as that before."""
    rows = sorted((student_id, day, True, learned, False) for (student_id, day), learned in known.items())
    changes = []
    for start in range(0, len(rows), BATCH):
        given = {"rows": _as_json(rows[start : start + BATCH])}
        for student_id, day, is_learned in transaction.execute(_adding(transaction.dialect.name), given).all():
            changes.append(Change(student_id, Kind.PRESENCE, day, True))
            if is_learned:
                changes.append(Change(student_id, Kind.LEARNING, day, True))
    return changes


def _recount_days(
    transaction: Transaction, unsure: Collection[_StudentDay], zones: Mapping[int, ZoneInfo], default: ZoneInfo
) -> list[Change]:
    """Count days again of which an event is no longer current; return what changes by that."""
    last_pruned = pruned_until(transaction)
    unsure = [pair for pair in unsure if pair[1] > last_pruned]
    if not unsure:
        return []
    left = _student_days(_occurrences(transaction, {student_id for student_id, _ in unsure}), zones, default)
    rows = [(*pair, pair in left, left.get(pair, False), False) for pair in sorted(unsure)]
    stated = transaction.execute(_correcting(transaction.dialect.name), {"rows": _as_json(rows)}).all()
    emptied = _among(transaction, student_days.c.student_id, {student_id for student_id, _ in unsure})
    transaction.execute(sa.delete(student_days).where(emptied, ~student_days.c.is_active, ~student_days.c.in_lms))
    changes = [Change(row.student_id, Kind.LEARNING, row.day, row.is_learned) for row in stated]
    return changes + [Change(row.student_id, Kind.PRESENCE, row.day, row.is_active or row.in_lms) for row in stated]


def pruned_until(transaction: Transaction) -> date:
    """Return the last day, anywhere on earth, whose events may have been removed for their age."""
    moment = tombstones.until(transaction)
    return date.min if moment is None else moment.date() + DAY


def _among(
    transaction: Transaction, column: sa.ColumnElement[Any], student_ids: Collection[int] | None
) -> sa.ColumnElement[bool]:
    return sa.true() if student_ids is None else in_list(column, student_ids, transaction.dialect.name)


def _as_json(rows: Sequence[tuple[Any, ...]]) -> str:
    return json.dumps(rows, default=date.isoformat)


@cache
def _adding(dialect: str) -> Any:
    c, insert = student_days.c, _inserting(dialect)
    learned = insert.excluded.is_learned
    return insert.on_conflict_do_update(
        index_elements=["student_id", "day"],
        set_={"is_active": True, "is_learned": c.is_learned | learned},
        where=~c.is_active | (learned & ~c.is_learned),
    ).returning(c.student_id, c.day, c.is_learned)


@cache
def _correcting(dialect: str) -> Any:
    c, insert = student_days.c, _inserting(dialect)
    stated = {"is_active": insert.excluded.is_active, "is_learned": insert.excluded.is_learned}
    return insert.on_conflict_do_update(index_elements=["student_id", "day"], set_=stated).returning(*c)


@cache
def _seeing(dialect: str) -> Any:
    c, insert = student_days.c, _inserting(dialect)
    return insert.on_conflict_do_update(
        index_elements=["student_id", "day"], set_={"in_lms": True}, where=~c.in_lms
    ).returning(c.student_id, c.day)


def _inserting(dialect: str) -> Any:
    """Return an INSERT of the days bound to `rows`, as one value however many there are."""
    types = [column.type for column in student_days.c]
    if dialect == "sqlite":
        rows = sa.func.json_each(sa.bindparam("rows")).table_valued("value")
        values: list[Any] = [sa.func.json_extract(rows.c.value, f"$[{place}]") for place in range(len(types))]
    else:
        bound = sa.cast(sa.bindparam("rows", type_=sa.Text), postgresql.JSON)
        rows = sa.func.json_array_elements(bound).table_valued("value").render_derived()
        values = [sa.cast(rows.c.value.op("->>")(place), kind) for place, kind in enumerate(types)]
    given = sa.select(*values).where(sa.text("true"))  # without it SQLite takes ON CONFLICT for the ON of a join
    return insert_on(dialect, student_days).from_select(list(student_days.c), given)
