"""What the catalog of the LMS says about the server, our role, and the tables that are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.schemas.classic import tables

OF_TITLES = frozenset({"exams", "courses", "chapters", "ChapterContent"})  # without them titles are missing, no more


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


def wanted() -> dict[str, dict[str, Kind]]:
    """The tables and columns that are read, and what each should hold."""
    return {t.name: {column.name: _wanted_kind(column) for column in t.c} for t in tables.metadata.sorted_tables}


def server(engine: sa.Engine) -> Server:
    """Ask the server about itself. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        if connection.dialect.name == "sqlite":
            version = connection.scalar(sa.text("SELECT sqlite_version()"))
            # Opened with mode=ro; see lms_bot.db.lms_engine.
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


def found(engine: sa.Engine) -> dict[str, Table]:
    """Those of the wanted tables that are there, as our role sees them. Raises LmsUnavailable."""
    names = list(wanted())
    with _reading(engine) as connection:
        look = _sqlite_table if connection.dialect.name == "sqlite" else _postgresql_table
        seen = {name: look(connection, name) for name in names}
    return {name: table for name, table in seen.items() if table is not None}


def readable(engine: sa.Engine, wanted_too: sa.MetaData) -> set[str]:
    """Those of these tables that are there with all their columns, and ours to read. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        look = _sqlite_table if connection.dialect.name == "sqlite" else _postgresql_table
        seen = {table: look(connection, table.name) for table in wanted_too.sorted_tables}
    return {
        table.name
        for table, there in seen.items()
        if there and all(c.name in there.columns and there.columns[c.name].is_readable for c in table.c)
    }


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
                   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND k.attname = 'id') AS has_index,
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


def _postgresql_table(connection: sa.Connection, name: str) -> Table | None:
    rows = connection.execute(_POSTGRESQL_TABLE, {"name": name}).all()
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


def _sqlite_table(connection: sa.Connection, name: str) -> Table | None:
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
    has_index = "id" in indexed or any(column.name == "id" and column.pk for column in columns)
    shown = {column.name: Column(_sqlite_kind(column.type), column.type, True) for column in columns}
    return Table(kind == "view", has_index, False, shown)


def _sqlite_kind(declared: str) -> Kind:
    """What a declared type promises, after SQLite's rules of affinity; it keeps nobody from anything."""
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
    if isinstance(column.type, tables.Time):
        return Kind.TIME
    if isinstance(column.type, sa.Text):
        return Kind.TEXT
    name = column.name
    return Kind.INTEGER if name in ("id", "A", "B", "examId") or name.endswith("_id") else Kind.NUMBER


@contextmanager
def _reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(reason(error)) from error
