"""Deadlines, whose they are, and what they and exams came to in the class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.academics.deadlines import CLASS_GRACE, GRACE, Deadline
from lms_bot.db.lists import in_list
from lms_bot.store.academics.studies import replace
from lms_bot.store.alerts import watchlist
from lms_bot.store.reports.courses import is_done
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    batch_students,
    class_results,
    course_batches,
    course_items,
    course_students,
    deadlines,
    events,
    is_result,
    students,
    watched,
)

Activity = tuple[str, int]
_batch, _taken = course_batches.c, batch_students.c
takers = sa.union(
    sa.select(course_students.c.course_id, course_students.c.student_id),
    sa.select(_batch.course_id, _taken.student_id).join(batch_students, _taken.batch_id == _batch.batch_id),
).subquery("takers")
"""Who takes a course: alone, or with a batch."""
_own_items, _siblings = course_items.alias("own"), course_items.alias("sibling")
_own, _sibling = _own_items.c, _siblings.c
_is_its_item = (_own.source_table == deadlines.c.source_table) & (_own.activity_id == deadlines.c.activity_id)


def save(transaction: Transaction, found: Iterable[tuple[str, int, datetime, str | None]], now: datetime) -> None:
    """Make the store's deadlines those of the LMS; who has one that changed is judged anew."""
    before = {(row[0], row[1]): tuple(row) for row in transaction.execute(sa.select(deadlines))}
    after = {one[:2]: (*one, *before.get(one[:2], (0, 0))[-2:]) for one in found}
    changed = {one for one in {*before, *after} if before.get(one) != after.get(one)}
    if changed:
        if not before:
            watchlist.begin_rule(transaction, "deadline_missed", now)  # what was missed before is no news
        members = members_of(transaction, changed)
        replace(transaction, deadlines, after.values())
        watchlist.mark_due(transaction, members | members_of(transaction, changed), now)


def members_of(transaction: Transaction, activities: Collection[Activity]) -> set[int | None]:
    """Return the students who have these to hand in."""
    wanted = in_list(deadlines.c.activity_id, {one for _, one in activities}, transaction.dialect.name)
    query = sa.select(takers.c.student_id).select_from(takers).join(_own_items, _own.course_id == takers.c.course_id)
    return set(transaction.scalars(query.join(deadlines, _is_its_item).where(wanted).distinct()))


def count_classes(transaction: Transaction, now: datetime) -> None:
    """Count who has handed in what was due lately, and what everybody's results in each exam come to.

    Who misses something is judged anew once most of the class has handed it in.
    """
    ran = (deadlines.c.until <= now) & (deadlines.c.until > now - 2 * CLASS_GRACE)
    before = [Deadline(row.until, None, row.expected, row.handed_in, False) for row in _lately(transaction, ran)]
    keys = [(row.source_table, row.activity_id) for row in _lately(transaction, ran)]
    expected, handed_in = _expected(transaction, ran), _handed_in(transaction, ran)
    changed, turned = [], set()
    for key, one in zip(keys, before, strict=True):
        counted = one._replace(expected=expected.get(key, 0), handed_in=len(handed_in.get(key, ())))
        if counted != one:
            changed.append({"of_source": key[0], "of_id": key[1], "all": counted.expected, "done": counted.handed_in})
        if counted.missed_at(GRACE) != one.missed_at(GRACE):
            turned.add(key)
    if changed:
        is_it = (deadlines.c.source_table == sa.bindparam("of_source")) & (
            deadlines.c.activity_id == sa.bindparam("of_id")
        )
        counts: dict[str, Any] = {"expected": sa.bindparam("all"), "handed_in": sa.bindparam("done")}
        transaction.execute(sa.update(deadlines).where(is_it).values(counts), changed)
    if turned:
        watchlist.mark_due(transaction, members_of(transaction, turned), now)
    c = events.c
    means = sa.select(c.source_table, c.activity_id, sa.func.count(), sa.func.avg(c.percentage))
    means = means.where(is_result, c.activity_id.is_not(None)).group_by(c.activity_id, c.source_table)
    replace(transaction, class_results, [tuple(row) for row in transaction.execute(means)])


def _lately(transaction: Transaction, ran: sa.ColumnElement[bool]) -> Sequence[Any]:
    key = (deadlines.c.source_table, deadlines.c.activity_id)
    return transaction.execute(sa.select(deadlines).where(ran).order_by(*key)).all()


def _expected(transaction: Transaction, ran: sa.ColumnElement[bool]) -> dict[Activity, int]:
    """Return for how many active students each of these is due."""
    began = watched.c.enrolled_at.is_(None) | (watched.c.enrolled_at <= deadlines.c.until)
    query = (
        sa.select(deadlines.c.source_table, deadlines.c.activity_id, sa.func.count(takers.c.student_id.distinct()))
        .select_from(deadlines)
        .join(_own_items, _is_its_item)
        .join(takers, takers.c.course_id == _own.course_id)
        .join(students, (students.c.student_id == takers.c.student_id) & students.c.is_active)
        .outerjoin(watched, watched.c.student_id == takers.c.student_id)
        .where(ran, began)
        .group_by(deadlines.c.source_table, deadlines.c.activity_id)
    )
    return {(row[0], row[1]): row[2] for row in transaction.execute(query)}


def _handed_in(transaction: Transaction, ran: sa.ColumnElement[bool]) -> dict[Activity, set[int]]:
    """Return who has done each of these, or another activity of the same item of a course."""
    query = (
        sa.select(_sibling.source_table, _sibling.activity_id, deadlines.c.source_table, deadlines.c.activity_id)
        .select_from(deadlines)
        .join(_own_items, _is_its_item)
        .join(_siblings, (_sibling.course_id == _own.course_id) & (_sibling.item == _own.item))
        .where(ran)
        .distinct()
    )
    stands_for: dict[Activity, list[Activity]] = defaultdict(list)
    for source, activity, of_source, of_activity in transaction.execute(query):
        stands_for[source, activity].append((of_source, of_activity))
    found: dict[Activity, set[int]] = defaultdict(set)
    c = events.c
    within = in_list(c.activity_id, {one for _, one in stands_for}, transaction.dialect.name)
    done = sa.select(c.source_table, c.activity_id, c.student_id).where(within, is_done)
    done = done.join(students, (students.c.student_id == c.student_id) & students.c.is_active)
    for source, activity, student_id in transaction.execute(done.distinct()) if stands_for else ():
        for one in stands_for.get((source, activity), ()):
            found[one].add(student_id)
    return found
