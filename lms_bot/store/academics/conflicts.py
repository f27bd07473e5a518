"""Marks rows of the LMS that cannot be quite right, as long as they are so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.people import folded_email
from lms_bot.core.sync import FUTURE, Conflict, Problem
from lms_bot.core.sync.studies import AttemptResult
from lms_bot.db.lists import in_list
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    attempt_results,
    batch_students,
    batches,
    course_batches,
    course_students,
    courses,
    events,
    lms_counts,
    mentor_students,
    mentors,
    open_rows,
    students,
    sync_conflicts,
)

MOST_NAMED = 20  # others of a conflict that its row names
KINDS = {"students": "students", "mentors": "mentors", "mentor_students": "links"}  # the others are academic
_UNKNOWN = (
    (mentor_students, "mentor_id", mentors, Problem.UNKNOWN_MENTOR),
    (mentor_students, "student_id", students, Problem.UNKNOWN_STUDENT),
    (batch_students, "batch_id", batches, Problem.UNKNOWN_BATCH),
    (batch_students, "student_id", students, Problem.UNKNOWN_STUDENT),
    (course_batches, "course_id", courses, Problem.UNKNOWN_COURSE),
    (course_batches, "batch_id", batches, Problem.UNKNOWN_BATCH),
    (course_students, "course_id", courses, Problem.UNKNOWN_COURSE),
    (course_students, "student_id", students, Problem.UNKNOWN_STUDENT),
)
_KEY = ("source_table", "source_id", "problem")


def standing(transaction: Transaction, most: int | None = None) -> list[Conflict]:
    """Return the conflicts that stand, ordered by table, problem and id."""
    c = sync_conflicts.c
    query = sa.select(sync_conflicts).order_by(c.source_table, c.problem, c.source_id).limit(most)
    return [
        Conflict(row.source_table, row.source_id, Problem(row.problem), row.row) for row in transaction.execute(query)
    ]


def counted(transaction: Transaction) -> dict[tuple[str, Problem], int]:
    """Return how many conflicts stand, by table and problem."""
    c = sync_conflicts.c
    query = sa.select(c.source_table, c.problem, sa.func.count()).group_by(c.source_table, c.problem)
    return {(row[0], Problem(row[1])): row[2] for row in transaction.execute(query.order_by(c.source_table, c.problem))}


def find_among_people(transaction: Transaction, now: datetime) -> None:
    """Bring the conflicts of people, links, batches and courses up to what the store holds."""
    found = [*_same(transaction, students, "student_id"), *_same(transaction, mentors, "mentor_id")]
    for pairs, name, known, problem in _UNKNOWN:
        found += _unknown(transaction, pairs.c[name], next(iter(known.primary_key)), problem)
    tables = {"students", "mentors", *(pairs.name for pairs, *_ in _UNKNOWN)}
    query = sa.select(sync_conflicts).where(sync_conflicts.c.source_table.in_(sorted(tables)))
    before = {(row.source_table, row.source_id, row.problem): row.row for row in transaction.execute(query)}
    after = {one[:3]: one for one in found}
    _remove(transaction, [key for key in before if key not in after])
    _write(transaction, [one for key, one in after.items() if before.get(key) != one.row], now)


def find_unknown_attempts(transaction: Transaction, found: Collection[AttemptResult], now: datetime) -> None:
    """Mark those of these results whose attempts neither the LMS has nor the store knows.

    An attempt that is no student's is not told from one that is not there.
    """
    orphans = {one.source_id: one for one in found if one.student_id is None and not one.username}
    if not orphans:
        return
    c, source_table = attempt_results.c, next(iter(orphans.values())).source_table
    query = sa.select(c.source_id).where(
        c.source_table == source_table, in_list(c.source_id, orphans, transaction.dialect.name), ~_is_attempt_known()
    )
    marks = []
    for one in map(orphans.__getitem__, transaction.scalars(query)):
        said = {"attempt": one.attempt_id, "label": one.label}
        marks.append(Conflict(source_table, one.source_id, Problem.UNKNOWN_ATTEMPT, said))
    _write(transaction, marks, now)


def next_events(transaction: Transaction, above: int, most: int) -> int | None:
    """Return the last of the next so many events; None where there are none."""
    key = events.c.event_id
    ids = sa.select(key).where(key > above).order_by(key).limit(most).subquery()
    last = transaction.scalar(sa.select(sa.func.max(ids.c.event_id)))
    return None if last is None else int(last)


def find_among_events(transaction: Transaction, above: int, upto: int, now: datetime) -> None:
    """Mark percentages outside 0 to 100 and times in the future in these events."""
    c = events.c
    query = (
        sa.select(c.source_table, c.source_id, c.event_type, c.percentage, c.timestamp)
        .where(c.event_id > above, c.event_id <= upto, c.is_current, ~c.is_withdrawn)
        .where(_is_outside() | (c.timestamp > now + FUTURE))
    )
    found = []
    for row in transaction.execute(query):
        said = {"event_type": row.event_type, "percentage": row.percentage, "time": row.timestamp.isoformat()}
        if row.percentage is not None and not 0 <= row.percentage <= 100:
            found.append(Conflict(row.source_table, row.source_id, Problem.PERCENTAGE, said))
        if row.timestamp > now + FUTURE:
            found.append(Conflict(row.source_table, row.source_id, Problem.FUTURE, said))
    _write(transaction, found, now)


def find_among_counts(transaction: Transaction, source_table: str, now: datetime) -> None:
    """Mark days in the future up to which the LMS counts something; `source_table` is where it does."""
    c, marks = lms_counts.c, sync_conflicts.c
    ahead = transaction.execute(sa.select(c.source_id, c.student_id, c.day).where(c.day > (now + FUTURE).date())).all()
    found = [
        Conflict(
            source_table, row.source_id, Problem.FUTURE, {"student_id": row.student_id, "day": row.day.isoformat()}
        )
        for row in ahead
    ]
    transaction.execute(sa.delete(sync_conflicts).where(marks.source_table == source_table))
    _write(transaction, found, now)


def clear_mended(transaction: Transaction, now: datetime) -> None:
    """Remove the marks of results and events that are right by now, or gone."""
    marks, c, e = sync_conflicts.c, attempt_results.c, events.c
    is_result = (c.source_table == marks.source_table) & (c.source_id == marks.source_id)
    of_event = (e.source_table == marks.source_table) & (e.source_id == marks.source_id) & e.is_current
    is_bad = sa.case((marks.problem == Problem.FUTURE, e.timestamp > now + FUTURE), else_=_is_outside())
    is_unknown = marks.problem == Problem.UNKNOWN_ATTEMPT
    stands = sa.case(
        (is_unknown, sa.exists().where(is_result, ~_is_attempt_known())),
        else_=sa.exists().where(of_event, ~e.is_withdrawn, is_bad),
    )
    looked_at = (Problem.UNKNOWN_ATTEMPT, Problem.FUTURE, Problem.PERCENTAGE)
    transaction.execute(sa.delete(sync_conflicts).where(marks.problem.in_(looked_at), ~stands))


def clear(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> None:
    """Remove all marks of these rows."""
    within = in_list(sync_conflicts.c.source_id, source_ids, transaction.dialect.name)
    transaction.execute(sa.delete(sync_conflicts).where(sync_conflicts.c.source_table == source_table, within))


def _is_attempt_known() -> sa.ColumnElement[bool]:
    """Return that the store has an event of a result's attempt, or follows it as one that states nothing yet."""
    c = attempt_results.c
    known = (
        sa.exists().where(of.c.source_table == c.exam_source, of.c.source_id == c.attempt_id)
        for of in (events, open_rows)
    )
    return sa.or_(*known)


def _is_outside() -> sa.ColumnElement[bool]:
    return (events.c.percentage < 0) | (events.c.percentage > 100)


def _same(transaction: Transaction, people: sa.Table, key: str) -> Iterator[Conflict]:
    """Give a conflict for each group of people with one e-mail address or username, under the lowest of their ids."""
    query = sa.select(people.c[key], people.c.username, people.c.email).order_by(people.c[key])
    rows = transaction.execute(query).all()
    for said, values, problem in (
        ("email", [folded_email(row[2] or "") for row in rows], Problem.SAME_EMAIL),
        ("username", [row[1].strip().casefold() for row in rows], Problem.SAME_USERNAME),
    ):
        repeated = {value for value, times in Counter(values).items() if value and times > 1}
        groups: dict[str, list[int]] = defaultdict(list)
        for row, value in zip(rows, values, strict=True):
            if value in repeated:
                groups[value].append(row[0])
        for value, ids in groups.items():
            yield Conflict(people.name, ids[0], problem, {said: value, "ids": ids[:MOST_NAMED]})


def _unknown(
    transaction: Transaction, wanted: sa.Column[int], known: sa.Column[int], problem: Problem
) -> Iterator[Conflict]:
    """Give a conflict for each id in a table of pairs that nobody and nothing has, with what it is paired with."""
    (other,) = (column for column in wanted.table.columns if column is not wanted)
    query = sa.select(wanted, other).where(~sa.exists().where(known == wanted)).order_by(wanted, other)
    others: dict[int, list[int]] = defaultdict(list)
    for one, paired in transaction.execute(query):
        others[one].append(paired)
    for one, paired in others.items():
        yield Conflict(wanted.table.name, one, problem, {wanted.name: one, other.name: paired[:MOST_NAMED]})


def _write(transaction: Transaction, found: Iterable[Conflict], now: datetime) -> None:
    rows: list[dict[str, Any]] = [{**one._asdict(), "found_at": now} for one in found]
    if rows:
        insert = insert_into(transaction, sync_conflicts)
        there = {"row": insert.excluded.row}
        transaction.execute(insert.on_conflict_do_update(index_elements=list(_KEY), set_=there), rows)


def _remove(transaction: Transaction, keys: Collection[tuple[str, int, str]]) -> None:
    if keys:
        is_one = sa.and_(*(sync_conflicts.c[name] == sa.bindparam(f"old_{name}") for name in _KEY))
        old = [{f"old_{name}": value for name, value in zip(_KEY, key, strict=True)} for key in keys]
        transaction.execute(sa.delete(sync_conflicts).where(is_one), old)
