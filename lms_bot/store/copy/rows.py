"""Rows of any table of the store: read in pages by primary key, inserted in bulk, and summed up to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from lms_bot.db.engine import reading
from lms_bot.store.session import Transaction
from lms_bot.store.tables import facts, metadata

PAGE = 2_000  # rows of which the longest, with a file each, fit into memory
COPYING = "copying"  # the fact in the target: how far the copy has come; the only row that is not copied
Row = tuple[Any, ...]
_BYTES = 16  # of a row's digest


class Sum(NamedTuple):
    """How many rows a table has, and the sum of their digests in hexadecimal, which no order changes."""

    rows: int
    checksum: str


def tables() -> list[sa.Table]:
    """Return all tables of the store, each after those that it refers to."""
    return list(metadata.sorted_tables)


def pages(engine: sa.Engine, table: sa.Table, after: Sequence[Any] | None = None) -> Iterator[list[Row]]:
    """Give the rows of a table that follow the key `after`, a page in each transaction.

    Values come as the columns' Python types, but JSON as its text, so that it stays the same to the letter.
    """
    position = None if after is None else _from_json(table, after)
    while True:
        with reading(engine) as transaction:
            page = [tuple(row) for row in transaction.execute(_query(table, position))]
        if page:
            yield page
        if len(page) < PAGE:
            return
        position = key_of(table, page[-1])


def key_of(table: sa.Table, row: Row) -> Row:
    """Return the primary key of a row."""
    names = [column.name for column in table.columns]
    return tuple(row[names.index(column.name)] for column in table.primary_key)


def count(transaction: Transaction, table: sa.Table) -> int:
    """Return how many rows of the table are to be copied."""
    return transaction.scalar(sa.select(sa.func.count()).select_from(table).where(_is_copied(table))) or 0


def sum_of(page: Sequence[Row]) -> int:
    """Return the sum of the digests of some rows."""
    return sum(int.from_bytes(blake2b(_canonical(row), digest_size=_BYTES).digest()) for row in page)


def as_sum(count: int, total: int) -> Sum:
    """Return the sum of a table from the number of its rows and the sum of their digests."""
    return Sum(count, f"{total % 256**_BYTES:0{2 * _BYTES}x}")


def _query(table: sa.Table, after: Row | None) -> sa.Select[Any]:
    columns = [sa.cast(c, sa.Text) if isinstance(c.type, sa.JSON) else c for c in table.columns]
    key = list(table.primary_key)
    query = sa.select(*columns).where(_is_copied(table)).order_by(*key).limit(PAGE)
    if after is None:
        return query
    return query.where(key[0] > after[0] if len(key) == 1 else sa.tuple_(*key) > after)


def _is_copied(table: sa.Table) -> sa.ColumnElement[bool]:
    return facts.c.name != COPYING if table is facts else sa.true()


def _canonical(row: Row) -> bytes:
    return orjson.dumps(row, default=bytes.hex)


def _from_json(table: sa.Table, key: Sequence[Any]) -> Row:
    """Return a key that was kept as JSON."""
    return tuple(
        date.fromisoformat(value) if isinstance(column.type, sa.Date) else value
        for column, value in zip(table.primary_key, key, strict=True)
    )
