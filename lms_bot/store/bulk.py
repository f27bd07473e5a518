"""Inserts that leave what is there already as it is, one row or thousands at a time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lms_bot.db.engine import UtcDateTime, to_json
from lms_bot.db.lists import in_list
from lms_bot.store.session import Transaction

# The sequence is looked up in a query of its own, which runs once.
_NEW_IDS = sa.text(
    "SELECT nextval((SELECT pg_get_serial_sequence(:table, :key))::regclass) FROM generate_series(1, :count)"
)
_LAST_ID = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_into(transaction: Transaction, table: sa.Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy keeps apart for each database."""
    return insert_on(transaction.dialect.name, table)


def insert_on(dialect: str, table: sa.Table) -> Any:
    """Return the same for a statement that is made once for each dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_all(transaction: Transaction, table: sa.Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows (at least one) of which none is there: all columns in the table's order, JSON as its text."""
    columns = [column.name for column in table.columns]
    names = [transaction.dialect.identifier_preparer.quote(name) for name in columns]
    if transaction.dialect.name == "postgresql":
        lines = map("\t".join, _converted(table, columns, rows, _COPY_AS_TEXT))
        _copy(transaction, table.name, names, lines)
        return
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    transaction.exec_driver_sql(statement, _converted(table, columns, rows, _SQLITE_AS_TEXT))


def insert_new(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    natural_key: Sequence[str],
) -> list[int | None]:
    """Insert those of the rows (at least one) that are new by all unique keys; return each row's id, or None.

    Values come in the order of `columns`, as the columns' Python types; `natural_key`, unique among the rows, tells
    them apart. Almost always every row is new, so that is tried first. The statements are the drivers' own, since one
    page holds thousands of rows: executemany on SQLite, COPY on PostgreSQL.
    """
    insert = _insert_sqlite if transaction.dialect.name == "sqlite" else _insert_postgresql
    found = insert(transaction, table, columns, rows, natural_key)
    if not isinstance(found, dict):
        return list(found)
    positions = [columns.index(name) for name in natural_key]
    return [found.get(tuple(row[position] for position in positions)) for row in rows]


def _insert_sqlite(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    natural_key: Sequence[str],
) -> Sequence[int] | dict[tuple[Any, ...], int]:
    (key,) = table.primary_key
    # Nobody else can insert in between (the transaction began IMMEDIATE), and SQLite counts ids up from the last given.
    before = transaction.scalar(_LAST_ID, {"table": table.name}) or 0
    marks = ", ".join("?" * len(columns))
    inserted = transaction.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
        _converted(table, columns, rows, _SQLITE),
    )
    if inserted.rowcount == len(rows):
        return range(before + 1, before + 1 + len(rows))
    query = sa.select(key, *(table.c[name] for name in natural_key)).where(key > before)
    return {tuple(natural): new_id for new_id, *natural in transaction.execute(query).all()}


def _insert_postgresql(
    transaction: Transaction,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    natural_key: Sequence[str],
) -> Sequence[int] | dict[tuple[Any, ...], int]:
    (key,) = table.primary_key
    lines = ["\t".join(row) for row in _converted(table, columns, rows, _COPY)]
    new_ids = transaction.scalars(_NEW_IDS, {"table": table.name, "key": key.name, "count": len(rows)}).all()
    try:
        with transaction.begin_nested():
            _copy(transaction, table.name, [key.name, *columns], map("{}\t{}".format, new_ids, lines))
    except sa.exc.IntegrityError:
        return _insert_beside(transaction, table, columns, lines, natural_key)
    return new_ids


def _insert_beside(
    transaction: Transaction, table: sa.Table, columns: Sequence[str], lines: Sequence[str], natural_key: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Insert what is new of rows in COPY's format, of which some are there already."""
    names, staging = ", ".join(columns), f"incoming_{table.name}"
    transaction.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP "  # noqa: S608
        f"AS SELECT {names} FROM {table.name} WITH NO DATA"
    )
    _copy(transaction, staging, columns, lines)
    give = ", ".join([*(key.name for key in table.primary_key), *natural_key])
    inserted = transaction.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staging} ON CONFLICT DO NOTHING "  # noqa: S608
        f"RETURNING {give}"
    )
    found = {tuple(natural): new_id for new_id, *natural in inserted.all()}
    transaction.exec_driver_sql(f"DROP TABLE {staging}")  # there may be another page in this transaction
    return found


def _copy(transaction: Transaction, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    cursor = transaction.connection.cursor()
    try:
        text = io.StringIO("".join(f"{line}\n" for line in lines))
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", text)
    except psycopg2.IntegrityError as error:
        raise sa.exc.IntegrityError("COPY", None, error) from error
    except psycopg2.Error as error:
        raise sa.exc.OperationalError("COPY", None, error) from error
    finally:
        cursor.close()


def _converted(
    table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]], convert: dict[type, Callable[[Any], Any]]
) -> list[tuple[Any, ...]]:
    """Return the rows column by column as the driver wants them: a column's values are all of one kind."""
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


def _copy_moment(value: date | None) -> str:
    return "\\N" if value is None else value.isoformat()


def _copy_bytes(value: bytes | None) -> str:
    return "\\N" if value is None else f"\\\\x{value.hex()}"


def _sqlite_day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _copy_json(value: Any) -> str:
    return _escaped(to_json(value))


_SQLITE_AS_TEXT: dict[type, Callable[[Any], Any]] = {UtcDateTime: _sqlite_moment, sa.Date: _sqlite_day}
_SQLITE: dict[type, Callable[[Any], Any]] = {**_SQLITE_AS_TEXT, sa.JSON: to_json}
_COPY: dict[type, Callable[[Any], Any]] = {
    UtcDateTime: _copy_moment,
    sa.Date: _copy_moment,
    sa.LargeBinary: _copy_bytes,
    sa.JSON: _copy_json,
    sa.BigInteger: _copy_number,
    sa.Integer: _copy_number,
    sa.Double: _copy_number,
    sa.Boolean: _copy_boolean,
    sa.String: _copy_text,
    sa.Text: _copy_text,
}
_COPY_AS_TEXT: dict[type, Callable[[Any], Any]] = {**_COPY, sa.JSON: _copy_text}


class Replaced(NamedTuple):
    """The keys of rows that were added, changed and removed."""

    added: list[int]
    changed: list[int]
    removed: list[int]


def replace_rows(transaction: Transaction, table: sa.Table, key: str, rows: list[dict[str, Any]]) -> Replaced:
    """Make a table hold these rows, writing only what differs.

    In the order of the keys, and a row that another process has put there meanwhile is made this one.
    """
    rows = sorted(rows, key=itemgetter(key))
    names = [key, *(name for name in (rows[0] if rows else ()) if name != key)]
    query = sa.select(*(table.c[name] for name in names))
    before = {row[0]: tuple(row) for row in transaction.execute(query)}
    after = {row[key]: row for row in rows}
    gone = [value for value in before if value not in after]
    if gone:
        transaction.execute(sa.delete(table).where(in_list(table.c[key], gone, transaction.dialect.name)))
    if new := [row for value, row in after.items() if value not in before]:
        insert = insert_into(transaction, table)
        there = {name: insert.excluded[name] for name in names if name != key}
        transaction.execute(insert.on_conflict_do_update(index_elements=[key], set_=there), new)
    changed = [row for value, row in after.items() if value in before and before[value] != _values(row, names)]
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names if name != key}
        statement = sa.update(table).where(table.c[key] == sa.bindparam(f"new_{key}")).values(values)
        transaction.execute(statement, [{f"new_{name}": row[name] for name in names} for row in changed])
    return Replaced([row[key] for row in new], [row[key] for row in changed], gone)


def _values(row: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
