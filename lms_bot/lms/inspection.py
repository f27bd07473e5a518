"""Asks the LMS's database about the server, our role, and the tables that are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.source import Id, Schema, Seconds, Time, Watch, columns_of


class Kind(StrEnum):
    """What a column holds, as far as reading it goes."""

    INTEGER = "an integer"
    NUMBER = "a number"
    TEXT = "text"
    TIME = "a time"
    OTHER = "something else"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Server:
    """A database server and the role that we have there; `version` is PostgreSQL's number, 0 for SQLite.

    `is_read_only`: our transactions refuse to write. `writable`: tables that the role may write to by itself.
    `ahead`: how far its clock is ahead of ours; None where it has none of its own.
    """

    product: str
    version: int
    role: str
    is_read_only: bool
    is_superuser: bool
    writable: tuple[str, ...]
    ahead: timedelta | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is declared, and whether our role may read it."""

    kind: Kind
    declared: str
    is_readable: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view: `has_index` says that a row is found by its id, `hides_rows` that row security applies."""

    is_view: bool
    has_index: bool
    hides_rows: bool
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table that is read: what each of its columns should hold; without one `of_titles` only titles are missing."""

    columns: Mapping[str, Kind]
    of_titles: bool


def wanted(schema: Schema) -> dict[str, Wanted]:
    """Return the tables that are read, by name."""
    columns, required = schema.wanted(), {column.table for column in schema.required()}
    tables = sorted({column.table for column in columns}, key=lambda table: str(table.name))
    return {
        table.name: Wanted({c.name: _wanted_kind(c) for c in table.c if c in columns}, table not in required)
        for table in tables
    }


def server(engine: sa.Engine) -> Server:
    """Ask the server about itself. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        if connection.dialect.name == "sqlite":
            version = connection.scalar(sa.text("SELECT sqlite_version()"))
            # Opened with mode=ro; see lms_bot.db.engine.lms_engine.
            return Server(f"SQLite {version}", 0, "", True, False, (), None)
        row = connection.execute(_SERVER).one()
        writable = tuple(connection.scalars(_WRITABLE))
        now = datetime.now(UTC)
    return Server(
        product=f"PostgreSQL {row.named}",
        version=row.version,
        role=row.role,
        is_read_only=row.read_only == "on",
        is_superuser=row.is_superuser,
        writable=writable,
        ahead=timedelta(seconds=float(row.epoch)) - (now - datetime.fromtimestamp(0, UTC)),
    )


def found(engine: sa.Engine, schema: Schema) -> dict[str, Table]:
    """Return those of the wanted tables that are there, as our role sees them. Raises LmsUnavailable."""
    keys = {watch.table.name: watch.key_column.name for watch in schema.watches}
    with _reading(engine) as connection:
        look = _sqlite_table if connection.dialect.name == "sqlite" else _postgresql_table
        seen = {name: look(connection, name, keys.get(name, "id")) for name in wanted(schema)}
    return {name: table for name, table in seen.items() if table is not None}


def readable(engine: sa.Engine, schema: Schema) -> list[Watch]:
    """Return what is watched for changes, without optional sources that cannot be read. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        missing = {
            source.name
            for source in schema.sources
            if source.is_optional and not can_read(connection, source.watches[0].select())
        }
    return [watch for watch in schema.watches if watch.source.name not in missing]


def missing_extras(engine: sa.Engine, schema: Schema) -> list[str]:
    """Return the columns that are read only where they are ours to read, and are not. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        missing = [query for query in schema.extras if not can_read(connection, query)]
    wanted_last = [list(query.selected_columns)[-1] for query in missing]
    return [f"{column.table.name}.{column.name}" for column in wanted_last]


def read_if_there(connection: sa.Connection, query: sa.Select[Any]) -> list[Any]:
    """Return the rows of a query; none where something of it is not there, or not for our role to read."""
    return list(connection.execute(query)) if can_read(connection, query) else []


def can_read(connection: sa.Connection, query: sa.Select[Any]) -> bool:
    """Return whether all columns of a query are there, and ours to read."""
    wanted_columns: dict[str, set[str]] = defaultdict(set)
    for column in columns_of(query):
        wanted_columns[column.table.name].add(column.name)
    shown = _SQLITE_COLUMNS if connection.dialect.name == "sqlite" else _POSTGRESQL_COLUMNS
    return all(
        names <= set(connection.scalars(shown, {"table": table})) for table, names in sorted(wanted_columns.items())
    )


_SQLITE_COLUMNS = sa.text("SELECT name FROM pragma_table_info(:table)")
_POSTGRESQL_COLUMNS = sa.text(
    "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(:table)) "
    "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')"
)
_SERVER = sa.text(
    """
    SELECT current_setting('server_version') AS named,
           current_setting('server_version_num')::int AS version,
           current_user::text AS role,
           current_setting('transaction_read_only') AS read_only,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
           extract(epoch FROM clock_timestamp()) AS epoch
    """
)
_WRITABLE = sa.text(
    """
    SELECT c.relname::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
    ORDER BY 1
    """
)
_POSTGRESQL_TABLE = sa.text(
    """
    SELECT c.relkind NOT IN ('r', 'p') AS is_view,
           row_security_active(c.oid) AS hides_rows,
           EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
                   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND k.attname = :key) AS has_index,
           a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared, t.typcategory::text AS category,
           has_column_privilege(c.oid, a.attnum, 'SELECT') AS is_readable
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE c.oid = to_regclass(quote_ident(:name))
    """
)
_CATEGORIES = {"N": Kind.NUMBER, "S": Kind.TEXT, "E": Kind.TEXT, "B": Kind.NUMBER, "D": Kind.TIME}
_IS_INTEGER = ("smallint", "integer", "bigint")


def _postgresql_table(connection: sa.Connection, name: str, key: str) -> Table | None:
    rows = connection.execute(_POSTGRESQL_TABLE, {"name": name, "key": key}).all()
    if not rows:
        return None
    columns = {row.name: Column(_postgresql_kind(row), row.declared, row.is_readable) for row in rows}
    return Table(rows[0].is_view, rows[0].has_index, rows[0].hides_rows, columns)


def _postgresql_kind(row: Any) -> Kind:
    if row.declared in _IS_INTEGER:
        return Kind.INTEGER
    if row.declared.startswith("time ") or row.declared == "time":
        return Kind.OTHER  # of no day
    return _CATEGORIES.get(row.category, Kind.OTHER)


def _sqlite_table(connection: sa.Connection, name: str, key: str) -> Table | None:
    columns = connection.execute(sa.text("SELECT name, type, pk FROM pragma_table_info(:name)"), {"name": name}).all()
    if not columns:
        return None
    kind = connection.scalar(sa.text("SELECT type FROM sqlite_master WHERE name = :name"), {"name": name})
    indexed = connection.scalars(
        sa.text(
            "SELECT c.name FROM pragma_index_list(:name) AS i JOIN pragma_index_info(i.name) AS c"
            " WHERE c.seqno = 0 AND i.partial = 0"
        ),
        {"name": name},
    ).all()
    has_index = key in indexed or any(column.name == key and column.pk for column in columns)
    shown = {column.name: Column(_sqlite_kind(column.type), column.type, True) for column in columns}
    return Table(kind == "view", has_index, False, shown)


def _sqlite_kind(declared: str) -> Kind:
    """Return what a declared type promises by SQLite's rules of affinity, which keep no value out."""
    word = declared.upper()
    if "INT" in word or "BOOL" in word:
        return Kind.INTEGER
    if any(part in word for part in ("DATE", "TIME")):
        return Kind.TIME
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return Kind.TEXT
    if any(part in word for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return Kind.NUMBER
    return Kind.ANYTHING


def _wanted_kind(column: sa.Column[Any]) -> Kind:
    kinds = ((Id, Kind.INTEGER), (Seconds, Kind.INTEGER), (Time, Kind.TIME), (sa.Text, Kind.TEXT))
    return next((kind for declared, kind in kinds if isinstance(column.type, declared)), Kind.NUMBER)


@contextmanager
def _reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(reason(error)) from error
