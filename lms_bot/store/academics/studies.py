"""Keeps batches, courses, and who and what belongs to them, writing only what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lms_bot.core.sync import Changes
from lms_bot.core.sync.studies import Academics
from lms_bot.store.bulk import insert_into
from lms_bot.store.people import forgotten
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    batch_students,
    batches,
    course_batches,
    course_items,
    course_students,
    courses,
    lessons,
)

TOGETHER = 5_000  # rows in a statement
Row = tuple[Any, ...]


def keep_studies(transaction: Transaction, found: Academics) -> Changes:
    """Make the store's batches and courses those of the LMS; what it does not show us stays as it is.

    Students who were forgotten are left out.
    """
    gone = forgotten.forgotten_students(transaction).student_ids
    total = Changes()
    for table, named in ((batches, found.batches), (courses, found.courses)):
        if named is not None:
            total += replace(transaction, table, set(named.items()))
    if found.course_batches is not None:
        total += replace(transaction, course_batches, found.course_batches)
    for table, pairs in ((batch_students, found.batch_students), (course_students, found.course_students)):
        if pairs is not None:
            kept = {pair for pair in pairs if pair[1] not in gone} if gone else pairs
            total += replace(transaction, table, kept)
    if found.lessons is not None:
        total += replace(transaction, lessons, found.lessons)
    if found.item_sources:
        total += replace(transaction, course_items, found.items, among=found.item_sources)
    return total


def replace(
    transaction: Transaction, table: sa.Table, after: Collection[Row], among: Collection[str] | None = None
) -> Changes:
    """Make a table hold these rows, in the order of its columns of which the key's come first."""
    query = sa.select(table)
    if among is not None:
        query = query.where(table.c.source_table.in_(sorted(among)))
    before, wanted = set(map(tuple, transaction.execute(query).all())), frozenset(after)
    if before == wanted:
        return Changes(len(wanted))
    width = len(table.primary_key)
    there, kept = ({row[:width] for row in rows} for rows in (before, wanted))
    gone, written = sorted(there - kept), sorted(wanted - before, key=lambda row: row[:width])
    is_row = sa.and_(*(key == sa.bindparam(f"old_{key.name}") for key in table.primary_key))
    for some in _parts(gone):
        keys = [{f"old_{key.name}": value for key, value in zip(table.primary_key, row, strict=True)} for row in some]
        transaction.execute(sa.delete(table).where(is_row), keys)
    insert = insert_into(transaction, table)
    names = [column.name for column in table.columns]
    values = {name: insert.excluded[name] for name in names[width:]}
    keys_of = names[:width]
    upsert = insert.on_conflict_do_update(index_elements=keys_of, set_=values) if values else None
    for some in _parts(written):
        rows = [dict(zip(names, row, strict=True)) for row in some]
        transaction.execute(insert.on_conflict_do_nothing() if upsert is None else upsert, rows)
    changed = sum(row[:width] in there for row in written)
    return Changes(len(wanted), len(written) - changed, changed, len(gone))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for first in range(0, len(rows), TOGETHER):
        yield rows[first : first + TOGETHER]
