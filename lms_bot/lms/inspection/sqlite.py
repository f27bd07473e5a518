"""Asks SQLite about itself and its tables."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.lms.inspection.kinds import Column, Kind, Server, Table

_INDEXED = sa.text(
    "SELECT c.name FROM pragma_index_list(:name) AS i JOIN pragma_index_info(i.name) AS c"
    " WHERE c.seqno = 0 AND i.partial = 0"
)


def server(connection: sa.Connection) -> Server:
    """Return the library as a server, which is opened with mode=ro; see lms_bot.db.engine.lms_engine."""
    version = connection.scalar(sa.text("SELECT sqlite_version()"))
    return Server(f"SQLite {version}", 0, "", True, False, (), None)


def table(connection: sa.Connection, name: str, key: str) -> Table | None:
    """Return a table that is found by its column `key`; None where it is not there."""
    columns = connection.execute(sa.text("SELECT name, type, pk FROM pragma_table_info(:name)"), {"name": name}).all()
    if not columns:
        return None
    kind = connection.scalar(sa.text("SELECT type FROM sqlite_master WHERE name = :name"), {"name": name})
    indexed = connection.scalars(_INDEXED, {"name": name}).all()
    has_index = key in indexed or any(column.name == key and column.pk for column in columns)
    shown = {column.name: Column(_kind(column.type), column.type, True) for column in columns}
    return Table(kind == "view", has_index, False, shown)


def readable(connection: sa.Connection, name: str) -> set[str]:
    """Return the columns of a table, which are all ours to read."""
    return set(connection.scalars(sa.text("SELECT name FROM pragma_table_info(:name)"), {"name": name}))


def _kind(declared: str) -> Kind:
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
