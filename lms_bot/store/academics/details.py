"""Keeps results of parts of attempts, writing only what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.sync import Changes
from lms_bot.core.sync.studies import AttemptResult
from lms_bot.db.lists import in_list
from lms_bot.store.academics import conflicts, outdated
from lms_bot.store.bulk import insert_all, insert_into
from lms_bot.store.people import forgotten
from lms_bot.store.session import Transaction
from lms_bot.store.tables import attempt_results, events, pruned

_RESULT = [column.name for column in attempt_results.columns]
_WIDTH = len(_RESULT)
_SOURCE, _ATTEMPT = _RESULT.index("exam_source"), _RESULT.index("attempt_id")


def keep_results(
    transaction: Transaction,
    source_table: str,
    found: Sequence[AttemptResult],
    dropped: Collection[int],
    now: datetime,
) -> Changes:
    """Make what the store has of these rows what they say; those `dropped` say nothing now.

    The caller holds the cursor of the table, so that nobody else writes these rows. What belongs to a student who was
    forgotten, or to an attempt whose events were removed for their age, is not kept.
    """
    gone = forgotten.forgotten_students(transaction)
    said = {one.source_id: one[:_WIDTH] for one in found if not gone.has(one.student_id, one.username)}
    ids = [*(one.source_id for one in found), *dropped]
    before = rows_by_id(transaction, source_table, ids)
    new = _without_pruned(transaction, [row for one, row in said.items() if one not in before])
    if new:
        insert_all(transaction, attempt_results, new)
    changed = [row for one, row in said.items() if one in before and before[one] != row]
    if changed:
        insert = insert_into(transaction, attempt_results)
        there = {name: insert.excluded[name] for name in _RESULT[2:]}
        upsert = insert.on_conflict_do_update(index_elements=_RESULT[:2], set_=there)
        transaction.execute(upsert, [dict(zip(_RESULT, row, strict=True)) for row in changed])
    lost = [one for one in before if one not in said]
    remove_results(transaction, source_table, lost)
    others = [*new, *changed, *(before[one] for one in lost)]
    outdated.mark_results(transaction, others[0][_SOURCE] if others else "", {row[_ATTEMPT] for row in others})
    if new or changed:
        written = {row[1] for row in (*new, *changed)}
        conflicts.find_unknown_attempts(transaction, [one for one in found if one.source_id in written], now)
    return Changes(len(ids), len(new), len(changed), len(lost))


def rows_by_id(transaction: Transaction, source_table: str, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
    """Return what the store has of these rows of a table of results."""
    within = in_list(attempt_results.c.source_id, ids, transaction.dialect.name)
    query = sa.select(attempt_results).where(attempt_results.c.source_table == source_table, within)
    return {row.source_id: tuple(row) for row in transaction.execute(query)}


def ids_between(transaction: Transaction, source_table: str, above: int, upto: int, most: int) -> list[int]:
    """Return the next rows of a table of results that the store has."""
    c = attempt_results.c
    query = sa.select(c.source_id).where(c.source_table == source_table, c.source_id > above, c.source_id <= upto)
    return list(transaction.scalars(query.order_by(c.source_id).limit(most)))


def remove_results(transaction: Transaction, source_table: str, ids: Collection[int]) -> None:
    """Remove what these rows of a table of results said."""
    if ids:
        within = in_list(attempt_results.c.source_id, ids, transaction.dialect.name)
        transaction.execute(sa.delete(attempt_results).where(attempt_results.c.source_table == source_table, within))
        conflicts.clear(transaction, source_table, ids)


def _without_pruned(transaction: Transaction, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return those of the rows whose attempts were not removed for their age."""
    if not rows or transaction.scalar(sa.select(pruned.c.source_id).limit(1)) is None:
        return list(rows)
    exam_source, attempts = rows[0][2], {row[3] for row in rows}
    has_event = sa.exists().where(
        events.c.source_table == pruned.c.source_table, events.c.source_id == pruned.c.source_id
    )
    query = sa.select(pruned.c.source_id).where(
        pruned.c.source_table == exam_source,
        in_list(pruned.c.source_id, attempts, transaction.dialect.name),
        ~has_event,
    )
    gone = set(transaction.scalars(query))
    return [row for row in rows if row[3] not in gone]
