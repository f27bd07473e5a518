"""Asks PostgreSQL about itself, our role and its tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.lms.inspection.kinds import Column, Kind, Server, Table

_SERVER = sa.text(
    """
    SELECT current_setting('server_version') AS named,
           current_setting('server_version_num')::int AS version,
           current_user::text AS role,
           current_setting('transaction_read_only') AS read_only,
           pg_is_in_recovery() AS is_standby,
           (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout') AS milliseconds,
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
_TABLE = sa.text(
    """
    SELECT c.relkind NOT IN ('r', 'p') AS is_view,
           row_security_active(c.oid) AS hides_rows,
           has_table_privilege(c.oid, 'SELECT') AS is_whole,
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
_READABLE = sa.text(
    "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(:name)) "
    "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')"
)
_CATEGORIES = {"N": Kind.NUMBER, "S": Kind.TEXT, "E": Kind.TEXT, "B": Kind.NUMBER, "D": Kind.TIME}
_IS_INTEGER = ("smallint", "integer", "bigint")


def server(connection: sa.Connection) -> Server:
    """Return what the server says of itself and of our role."""
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
        is_standby=row.is_standby,
        time_limit=timedelta(milliseconds=row.milliseconds) if row.milliseconds else None,
    )


def table(connection: sa.Connection, name: str, key: str) -> Table | None:
    """Return a table as our role sees it, found by its column `key`; None where it is not there."""
    rows = connection.execute(_TABLE, {"name": name, "key": key}).all()
    if not rows:
        return None
    columns = {row.name: Column(_kind(row), row.declared, row.is_readable) for row in rows}
    return Table(rows[0].is_view, rows[0].has_index, rows[0].hides_rows, columns, rows[0].is_whole)


def readable(connection: sa.Connection, name: str) -> set[str]:
    """Return the columns of a table that are ours to read; none where it is not there."""
    return set(connection.scalars(_READABLE, {"name": name}))


def _kind(row: Any) -> Kind:
    if row.declared in _IS_INTEGER:
        return Kind.INTEGER
    if row.declared.startswith("time ") or row.declared == "time":
        return Kind.OTHER  # of no day
    return _CATEGORIES.get(row.category, Kind.OTHER)
