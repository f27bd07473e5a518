"""Keeps what the LMS itself counts of students: of each the row of the newest day, writing only what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from lms_bot.core.sync import Changes
from lms_bot.core.sync.studies import LmsCounts
from lms_bot.db.lists import in_list
from lms_bot.store.bulk import insert_into
from lms_bot.store.people import forgotten
from lms_bot.store.session import Transaction
from lms_bot.store.tables import lms_counts

_COLUMNS = [column.name for column in lms_counts.columns]


def newest(found: Iterable[LmsCounts]) -> dict[int, LmsCounts]:
    """Return of each student the row of the newest day; of two, the one with the higher id."""
    kept: dict[int, LmsCounts] = {}
    for one in found:
        if (before := kept.get(one.student_id)) is None or _rank(before) < _rank(one):
            kept[one.student_id] = one
    return kept


def doubtful(transaction: Transaction, found: Collection[LmsCounts], absent: Collection[int]) -> list[int]:
    """Return the students of whom another row than the store's may be the newest.

    `found` are rows as they are now: one may have become another student's, or of an earlier day. Those of the ids
    `absent` are there no more.
    """
    now = {one.source_id: one for one in found}
    within = in_list(lms_counts.c.source_id, [*now, *absent], transaction.dialect.name)
    ours = [LmsCounts(*row) for row in transaction.execute(sa.select(lms_counts).where(within))]
    return sorted(
        before.student_id
        for before in ours
        if (one := now.get(before.source_id)) is None or one.student_id != before.student_id or one.day < before.day
    )


def keep(
    transaction: Transaction, found: Iterable[LmsCounts], doubtful: Collection[int], theirs: Iterable[LmsCounts]
) -> Changes:
    """Keep what is counted up to a later day than what the store has, or by the same row of the LMS.

    Of students who are `doubtful`, `theirs` are all rows that count. The caller holds the cursor of the table. Students
    who were forgotten are left out.
    """
    gone, asked = forgotten.forgotten_students(transaction).student_ids, set(doubtful)
    candidates = newest(one for one in found if one.student_id not in asked) | newest(theirs)
    wanted = {student_id: one for student_id, one in candidates.items() if student_id not in gone}
    known = {one.student_id: one for one in _of(transaction, [*wanted, *asked])}
    written = [
        one
        for student_id, one in sorted(wanted.items())
        if (before := known.get(student_id)) is None
        or (one != before and (student_id in asked or one.source_id == before.source_id or _rank(before) < _rank(one)))
    ]
    if written:
        insert = insert_into(transaction, lms_counts)
        there = {name: insert.excluded[name] for name in _COLUMNS[1:]}
        upsert = insert.on_conflict_do_update(index_elements=["student_id"], set_=there)
        transaction.execute(upsert, [one._asdict() for one in written])
    lost = [student_id for student_id in asked if student_id in known and student_id not in wanted]
    if lost:
        within = in_list(lms_counts.c.student_id, lost, transaction.dialect.name)
        transaction.execute(sa.delete(lms_counts).where(within))
    added = sum(one.student_id not in known for one in written)
    return Changes(added=added, changed=len(written) - added, removed=len(lost))


def above(transaction: Transaction, student_id: int, most: int) -> list[LmsCounts]:
    """Return what the store has of the LMS's counts, of the next students by id."""
    c = lms_counts.c
    query = sa.select(lms_counts).where(c.student_id > student_id).order_by(c.student_id).limit(most)
    return [LmsCounts(*row) for row in transaction.execute(query)]


def _of(transaction: Transaction, student_ids: Collection[int]) -> list[LmsCounts]:
    within = in_list(lms_counts.c.student_id, student_ids, transaction.dialect.name)
    return [LmsCounts(*row) for row in transaction.execute(sa.select(lms_counts).where(within))]


def _rank(one: LmsCounts) -> tuple[object, int]:
    return one.day, one.source_id
