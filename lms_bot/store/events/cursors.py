"""How far the LMS has been read, and which of its rows are still open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core import detect
from lms_bot.core.cursor import Cursor, Page, Seen
from lms_bot.core.detect import Observed, OpenRow
from lms_bot.db.lists import in_list
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import cursors, events, open_rows, pruned


def load(transaction: Transaction, source_table: str, *, to_move: bool = False) -> Cursor | None:
    """Return the cursor of a source table; None before its baseline was marked.

    `to_move` keeps other processes from moving it before this transaction ends.
    """
    query = sa.select(cursors.c.position).where(cursors.c.source_table == source_table)
    position = transaction.scalar(query.with_for_update() if to_move else query)
    return None if position is None else _cursor(position)


def moved_at(transaction: Transaction, source_table: str) -> datetime | None:
    """Return when the cursor of a source table was saved last."""
    return transaction.scalar(sa.select(cursors.c.moved_at).where(cursors.c.source_table == source_table))


def load_all(transaction: Transaction) -> dict[str, Cursor]:
    """Return all cursors by the names of what they are over."""
    query = sa.select(cursors.c.source_table, cursors.c.position).order_by(cursors.c.source_table)
    return {name: _cursor(position) for name, position in transaction.execute(query)}


def _cursor(position: Mapping[str, Any]) -> Cursor:
    return Cursor(
        **{
            **position,
            "seen": tuple(Seen(**seen) for seen in position["seen"]),
            "baseline_at": datetime.fromisoformat(position["baseline_at"]),
            "sweep_started_at": _moment(position["sweep_started_at"]),
            "baseline_xids": None if (seen := position.get("baseline_xids")) is None else tuple(seen),
        }
    )


def lock_all(transaction: Transaction) -> None:
    """Keep other processes from moving any cursor before this transaction ends."""
    transaction.execute(sa.select(cursors.c.source_table).order_by(cursors.c.source_table).with_for_update())


def save(transaction: Transaction, cursor: Cursor, now: datetime) -> None:
    values = {"position": _position(cursor), "moved_at": now}
    transaction.execute(sa.update(cursors).where(cursors.c.source_table == cursor.source_table).values(values))


def mark(transaction: Transaction, cursor: Cursor, now: datetime) -> None:
    """Keep a baseline mark, unless another process has marked one first: then that one holds."""
    values = {"source_table": cursor.source_table, "position": _position(cursor), "moved_at": now}
    transaction.execute(insert_into(transaction, cursors).values(values).on_conflict_do_nothing())


def due_rows(transaction: Transaction, source_table: str, now: datetime, most: int) -> list[tuple[int, datetime]]:
    """(source id, open since) of the rows whose turn it is, oldest due first."""
    c = open_rows.c
    query = (
        sa.select(c.source_id, c.since)
        .where(c.source_table == source_table, c.look_at <= now)
        .order_by(c.look_at)
        .limit(most)
    )
    return [(row.source_id, row.since) for row in transaction.execute(query)]


def silent_among(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> set[int]:
    """Return those of the rows that are open and have stated nothing yet."""
    c = open_rows.c
    within = in_list(c.source_id, source_ids, transaction.dialect.name)
    has_stated = (
        sa.exists().where(of.c.source_table == c.source_table, of.c.source_id == c.source_id) for of in (events, pruned)
    )
    query = sa.select(c.source_id).where(c.source_table == source_table, within)
    return set(transaction.scalars(query.where(*(~one for one in has_stated))))


def keep_open(transaction: Transaction, source_table: str, rows: Sequence[OpenRow]) -> None:
    """Remember rows as open, or when to look at them next."""
    if not rows:
        return
    insert = insert_into(transaction, open_rows)
    changed = {name: insert.excluded[name] for name in ("since", "look_at", "unknown_state")}
    statement = insert.on_conflict_do_update(index_elements=["source_table", "source_id"], set_=changed)
    transaction.execute(statement, [{"source_table": source_table, **row._asdict()} for row in rows])


def look_again(transaction: Transaction, source_table: str, looks: Iterable[tuple[int, datetime]]) -> None:
    """Set when open rows that did not change are looked at next."""
    parameters = [{"id": source_id, "next_look": look_at} for source_id, look_at in looks]
    if parameters:
        c = open_rows.c
        statement = sa.update(open_rows).where(c.source_table == source_table, c.source_id == sa.bindparam("id"))
        transaction.execute(statement.values(look_at=sa.bindparam("next_look")), parameters)


def close(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> None:
    """Forget rows that came to an outcome or disappeared."""
    if source_ids:
        within = in_list(open_rows.c.source_id, source_ids, transaction.dialect.name)
        transaction.execute(sa.delete(open_rows).where(open_rows.c.source_table == source_table, within))


def unknown_states(transaction: Transaction) -> list[tuple[str, str, int]]:
    """(source table, state as the LMS spells it, number of rows) of rows in a state that gives no event."""
    c = open_rows.c
    query = (
        sa.select(c.source_table, c.unknown_state, sa.func.count())
        .where(c.unknown_state.is_not(None))
        .group_by(c.source_table, c.unknown_state)
        .order_by(sa.func.count().desc())
    )
    return [(row[0], row[1], row[2]) for row in transaction.execute(query)]


def _position(cursor: Cursor) -> dict[str, Any]:
    position = asdict(cursor)
    for name in ("baseline_at", "sweep_started_at"):
        position[name] = position[name].isoformat() if position[name] else None
    return position


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def postpone_looks(
    transaction: Transaction,
    source_table: str,
    page: Page,
    observed: Observed,
    open_since: Mapping[int, datetime],
    now: datetime,
) -> None:
    """Set the next look at open rows that were looked at and have not changed."""
    handled = {row.source_id for row in observed.open_rows}.union(observed.closed, page.vanished)
    looks = [
        (source_id, detect.next_look(source_id, open_since[source_id], now))
        for source_id in page.looked_at
        if source_id not in handled
    ]
    look_again(transaction, source_table, looks)
