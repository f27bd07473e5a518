"""Asks the LMS's database about the server, our role, and the tables that are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.inspection import mysql, postgresql, sqlite
from lms_bot.lms.inspection.kinds import Column, Kind, Server, Table, Wanted
from lms_bot.lms.schemas.tables import Id, Seconds, Time
from lms_bot.lms.source import Schema, Tracked, Watch, columns_of

__all__ = ["Column", "Kind", "Server", "Table", "Wanted"]


class _Inspector(Protocol):
    """What is asked of each kind of server, by a module of its own."""

    def server(self, connection: sa.Connection) -> Server: ...
    def table(self, connection: sa.Connection, name: str, key: str) -> Table | None: ...
    def readable(self, connection: sa.Connection, name: str) -> set[str]: ...


_INSPECTORS: Mapping[str, _Inspector] = {"mysql": mysql, "postgresql": postgresql, "sqlite": sqlite}


def wanted(schema: Schema) -> dict[str, Wanted]:
    """Return the tables that are read, by name."""
    columns, required = schema.wanted(), {column.table for column in schema.required()}
    tables = sorted({column.table for column in columns}, key=lambda table: str(table.name))
    return {
        table.name: Wanted({c.name: _wanted_kind(c) for c in table.c if c in columns}, table not in required)
        for table in tables
    }


def installed(schema: Schema, read: Collection[str], there: Collection[str]) -> Schema:
    """Return what of a schema an installation has in which these sources are read, and these tables are there.

    Titles that only other sources have are left out, and titles from a table that is not there if others have such.
    """
    sources = tuple(source for source in schema.sources if source.name in read)
    texts = set[str]().union(*(source.catalogues for source in sources))
    catalogue = {
        name: tuple(query for query in queries if {c.table.name for c in columns_of(query)} <= set(there)) or queries
        for name, queries in schema.catalogue.items()
        if name in texts
    }
    return replace(schema, sources=sources, catalogue=catalogue)


def server(engine: sa.Engine) -> Server:
    """Ask the server about itself. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        return _INSPECTORS[engine.dialect.name].server(connection)


def found(engine: sa.Engine, schema: Schema) -> dict[str, Table]:
    """Return those of the wanted tables that are there, as our role sees them. Raises LmsUnavailable."""
    keys = {watch.table.name: watch.key_column.name for watch in schema.watches}
    look = _INSPECTORS[engine.dialect.name].table
    with _reading(engine) as connection:
        seen = {name: look(connection, name, keys.get(name, "id")) for name in wanted(schema)}
    return {name: table for name, table in seen.items() if table is not None}


def names(engine: sa.Engine) -> set[str]:
    """Return the names of all tables and views that are shown to us. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        inspector = sa.inspect(connection)
        return {*inspector.get_table_names(), *inspector.get_view_names()}


def watched(engine: sa.Engine, tracked: Sequence[Tracked]) -> list[Watch]:
    """Return what is watched for changes, without what is optional and cannot be read. Raises LmsUnavailable."""
    optional = [one for one in tracked if one.is_optional]
    with _reading(engine) as connection:
        missing = {one.name for one in optional if not can_read(connection, one.watches[0].select)}
    return [watch for one in tracked if one.name not in missing for watch in one.watches]


def missing_extras(engine: sa.Engine, schema: Schema) -> list[str]:
    """Return the columns that are read only where they are ours to read, and are not. Raises LmsUnavailable."""
    with _reading(engine) as connection:
        missing = [query for query in schema.extras if not can_read(connection, query)]
        alone = [[sa.select(column) for column in query.selected_columns] for query in missing]
        unread = [[one for one in columns if not can_read(connection, one)] or columns for columns in alone]
    last = [columns_of(columns[-1]) for columns in unread]
    return list(dict.fromkeys(f"{column.table.name}.{column.name}" for columns in last for column in columns))


def missing_academics(engine: sa.Engine, schema: Schema) -> list[str]:
    """Return the tables of details and of what is studied that are not there for us to read. Raises LmsUnavailable."""
    details = {detail.table.name: detail.watches[0].select for detail in schema.details}
    with _reading(engine) as connection:
        missing = [name for name, query in details.items() if not can_read(connection, query)]
        for query in schema.academics.named.values():
            if not can_read(connection, query):
                missing += sorted({column.table.name for column in columns_of(query)})
    return list(dict.fromkeys(missing))


def read_if_there(connection: sa.Connection, query: sa.Select[Any]) -> list[Any]:
    """Return the rows of a query; none where something of it is not there, or not for our role to read."""
    return list(connection.execute(query)) if can_read(connection, query) else []


def can_read(connection: sa.Connection, query: sa.Select[Any]) -> bool:
    """Return whether all columns of a query are there, and ours to read."""
    wanted_columns: dict[str, set[str]] = defaultdict(set)
    for column in columns_of(query):
        wanted_columns[column.table.name].add(column.name)
    readable = _INSPECTORS[connection.dialect.name].readable
    return all(names <= readable(connection, table) for table, names in sorted(wanted_columns.items()))


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
