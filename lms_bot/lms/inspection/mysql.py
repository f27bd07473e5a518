"""Asks MySQL or MariaDB about itself, our role and its tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lms_bot.lms.inspection.kinds import Column, Kind, Server, Table

_SERVER = sa.text("SELECT version() AS version, current_user() AS role, unix_timestamp(sysdate(6)) AS epoch")
_VARIABLES = sa.text(
    "SHOW SESSION VARIABLES WHERE Variable_name IN"
    " ('transaction_read_only', 'tx_read_only', 'read_only', 'super_read_only', 'max_statement_time',"
    " 'max_execution_time')"
)
# The database in which a right holds is a pattern, and a right of the server holds in every table.
_RIGHTS = sa.text(
    """
    SELECT privilege_type AS name, NULL AS in_table
    FROM information_schema.user_privileges WHERE grantee = :grantee
    UNION ALL
    SELECT privilege_type, NULL
    FROM information_schema.schema_privileges WHERE grantee = :grantee AND DATABASE() LIKE table_schema
    UNION ALL
    SELECT privilege_type, table_name
    FROM information_schema.table_privileges WHERE grantee = :grantee AND table_schema = DATABASE()
    UNION ALL
    SELECT DISTINCT 'UPDATE', table_name
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND (FIND_IN_SET('insert', privileges) OR FIND_IN_SET('update', privileges))
    """
)
_TABLES = sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
_COLUMNS = sa.text(
    """
    SELECT c.column_name AS name, c.data_type AS type, c.column_type AS declared,
           FIND_IN_SET('select', c.privileges) > 0 AS is_readable, t.table_type <> 'BASE TABLE' AS is_view
    FROM information_schema.columns AS c
    JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = DATABASE() AND c.table_name = :name
    """
)
_INDEXED = sa.text(
    "SELECT column_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND table_name = :name AND seq_in_index = 1"
)
_READABLE = sa.text(
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = :name AND FIND_IN_SET('select', privileges)"
)
_WRITING = {"INSERT", "UPDATE", "DELETE", "DROP", "ALTER"}
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), Kind.INTEGER),
    **dict.fromkeys(("decimal", "float", "double", "bit"), Kind.NUMBER),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"), Kind.TEXT),
    **dict.fromkeys(("date", "datetime", "timestamp"), Kind.TIME),
}


def server(connection: sa.Connection) -> Server:
    """Return what the server says of itself, and of our role the rights that it has by itself."""
    row = connection.execute(_SERVER).one()
    now = datetime.now(UTC)
    variables = {name.lower(): value for name, value in connection.execute(_VARIABLES)}
    user, _, host = row.role.rpartition("@")
    rights = connection.execute(_RIGHTS, {"grantee": f"'{user}'@'{host}'"}).all()
    limits = (float(variables.get("max_statement_time", 0)), float(variables.get("max_execution_time", 0)) / 1000)
    return Server(
        product=f"{'MariaDB' if 'mariadb' in row.version.lower() else 'MySQL'} {row.version.partition('-')[0]}",
        version=0,
        role=row.role,
        is_read_only=variables.get("transaction_read_only", variables.get("tx_read_only")) == "ON",
        is_superuser=any(right.name == "SUPER" for right in rights),
        writable=_writable(connection, {right.in_table for right in rights if right.name in _WRITING}),
        ahead=timedelta(seconds=float(row.epoch)) - (now - datetime.fromtimestamp(0, UTC)),
        is_standby="ON" in (variables.get("read_only"), variables.get("super_read_only")),
        time_limit=timedelta(seconds=max(limits)) if any(limits) else None,
    )


def table(connection: sa.Connection, name: str, key: str) -> Table | None:
    """Return a table with what is shown to our role, found by its column `key`; None where nothing is."""
    columns = connection.execute(_COLUMNS, {"name": name}).all()
    if not columns:
        return None
    indexed = connection.scalars(_INDEXED, {"name": name}).all()
    shown = {c.name: Column(_KINDS.get(c.type, Kind.OTHER), c.declared, bool(c.is_readable)) for c in columns}
    return Table(bool(columns[0].is_view), key in indexed, False, shown)


def readable(connection: sa.Connection, name: str) -> set[str]:
    """Return the columns of a table that are ours to read; none where it is not there."""
    return set(connection.scalars(_READABLE, {"name": name}))


def _writable(connection: sa.Connection, tables: set[str | None]) -> tuple[str, ...]:
    """Return the tables by name; all that there are where None is among them."""
    return tuple(sorted(connection.scalars(_TABLES) if None in tables else {name for name in tables if name}))
