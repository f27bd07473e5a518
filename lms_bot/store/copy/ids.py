"""The ids that a database gives next: none that was given before is given again."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.store.copy.rows import tables
from lms_bot.store.session import Transaction

_SEQUENCE = sa.text("SELECT pg_get_serial_sequence(:table, :key)")


def highest_given(transaction: Transaction) -> dict[str, int]:
    """Return by table the highest id that was ever given, as far as the database remembers."""
    given = {table.name: _given(transaction, table) for table in _numbered()}
    for table in _numbered():
        (key,) = table.primary_key
        given[table.name] = max(given[table.name], transaction.scalar(sa.select(sa.func.max(key))) or 0)
    return given


def go_on_above(transaction: Transaction, given: dict[str, int]) -> None:
    """Have the database give ids above these."""
    for table in _numbered():
        highest = given[table.name]
        if transaction.dialect.name == "postgresql":
            values = {"sequence": _sequence(transaction, table), "to": max(highest, 1), "is_used": highest > 0}
            transaction.execute(sa.text("SELECT setval(CAST(:sequence AS regclass), :to, :is_used)"), values)
        elif table.dialect_options["sqlite"]["autoincrement"] and highest:
            # The database keeps such a row for each table that ever had one, but forbids a unique key on it.
            transaction.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            values = {"name": table.name, "to": highest}
            transaction.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :to)"), values)


def _numbered() -> list[sa.Table]:
    """Return the tables whose ids the database gives."""
    return [table for table in tables() if table.autoincrement_column is not None]


def _given(transaction: Transaction, table: sa.Table) -> int:
    if transaction.dialect.name == "postgresql":
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {_sequence(transaction, table)}"  # noqa: S608
        return transaction.scalar(sa.text(query)) or 0
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return 0
    query = "SELECT max(seq) FROM sqlite_sequence WHERE name = :name"
    return transaction.scalar(sa.text(query), {"name": table.name}) or 0


def _sequence(transaction: Transaction, table: sa.Table) -> str:
    (key,) = table.primary_key
    return str(transaction.scalar(_SEQUENCE, {"table": table.name, "key": key.name}))
