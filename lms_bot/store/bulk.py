"""Inserts that leave what is there already as it is, one row or thousands at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lms_bot.db import UtcDateTime
from lms_bot.store import Transaction

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_into(transaction: Transaction, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, which both databases spell alike but SQLAlchemy keeps apart."""
    return postgresql.insert(table) if transaction.dialect.name == "postgresql" else sqlite.insert(table)


def insert_new(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    returning: Sequence[str] = (),
) -> list[Any]:
    """Insert the rows (at least one) that violate no unique key, and give the `returning` columns of those.

    Values come in the order of `columns`, as the columns' Python types. The statements are the drivers' own, since one
    page holds thousands of rows: executemany on SQLite, COPY on PostgreSQL.
    """
    insert = _insert_sqlite if transaction.dialect.name == "sqlite" else _insert_postgresql
    return insert(transaction, table, columns, rows, returning)


def _insert_sqlite(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    returning: Sequence[str],
) -> list[Any]:
    (key,) = table.primary_key
    # Nobody else can insert in between: the transaction began IMMEDIATE.
    before = transaction.scalar(sa.select(sa.func.max(key))) or 0
    marks = ", ".join("?" * len(columns))
    transaction.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
        _converted(table, columns, rows, _SQLITE),
    )
    if not returning:
        return []
    return list(transaction.execute(sa.select(*(table.c[name] for name in returning)).where(key > before)).all())


def _insert_postgresql(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    returning: Sequence[str],
) -> list[Any]:
    names = ", ".join(columns)
    staging = f"incoming_{table.name}"
    transaction.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS "  # noqa: S608
        f"AS SELECT {names} FROM {table.name} WITH NO DATA"
    )
    text = "".join("\t".join(row) + "\n" for row in _converted(table, columns, rows, _COPY))
    cursor = transaction.connection.cursor()
    try:
        cursor.copy_expert(f"COPY {staging} ({names}) FROM STDIN", io.StringIO(text))
    except psycopg2.Error as error:
        raise sa.exc.OperationalError("COPY", None, error) from error
    finally:
        cursor.close()
    give = f" RETURNING {', '.join(returning)}" if returning else ""
    inserted = transaction.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staging} ON CONFLICT DO NOTHING{give}"  # noqa: S608
    )
    return list(inserted.all()) if returning else []


def _converted(
    table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]], convert: dict[type, Callable[[Any], Any]]
) -> list[tuple[Any, ...]]:
    """The rows column by column in the driver's terms: a column's values are all of one kind."""
    by_column = list(zip(*rows, strict=True))
    for position, name in enumerate(columns):
        conversion = convert.get(type(table.c[name].type))
        if conversion:
            by_column[position] = _each(conversion, by_column[position])
    return list(zip(*by_column, strict=True))


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if not text.isprintable() or "\\" in text else text


def _each(conversion: Callable[[Any], Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
    first = values[0]
    if all(value is first for value in values):  # as the moment of the poll is in every row
        return (conversion(first),) * len(values)
    return tuple(map(conversion, values))


def _sqlite_moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def _copy_number(value: float | None) -> str:
    return "\\N" if value is None else str(value)


def _copy_boolean(value: bool | None) -> str:
    return "\\N" if value is None else "t" if value else "f"


def _copy_text(value: str | None) -> str:
    return "\\N" if value is None else _escaped(value)


def _copy_moment(value: datetime | None) -> str:
    return "\\N" if value is None else value.isoformat()


def _copy_json(value: Any) -> str:
    return _escaped(_encode(value))


_SQLITE: dict[type, Callable[[Any], Any]] = {UtcDateTime: _sqlite_moment, sa.JSON: _encode}
_COPY: dict[type, Callable[[Any], Any]] = {
    UtcDateTime: _copy_moment,
    sa.JSON: _copy_json,
    sa.BigInteger: _copy_number,
    sa.Integer: _copy_number,
    sa.Double: _copy_number,
    sa.Boolean: _copy_boolean,
    sa.String: _copy_text,
    sa.Text: _copy_text,
}
