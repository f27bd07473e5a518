"""Makes the tables that a declaration reads, with more in them that nobody may read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from lms_bot.lms import schemas
from lms_bot.lms.schemas.tables import Id, Seconds, Time
from lms_bot.lms.source import Schema, columns_of

HIDDEN = ("password", "secret", "phone1", "address", "description")
"""Columns that every table has beside those that are read."""

_TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], sa.types.TypeEngine[Any]], ...] = (
    (Id, sa.BigInteger()),
    (Seconds, sa.BigInteger()),
    (Time, sa.DateTime(timezone=True)),
    (sa.Text, sa.String(200)),
)
_TRUTHS = {"completed", "passed", "is_staff", "is_superuser", "is_active", "is_leaf", "is_required"}


def columns_read(schema: Schema) -> set[sa.Column[object]]:
    """The columns that a schema reads, with what it can do without."""
    details = (watch.select for watch in schema.detail_watches)
    return schema.wanted().union(*map(columns_of, (*schema.extras, *schema.academics.named.values(), *details)))


def read_columns(schema: Schema) -> set[tuple[str, str]]:
    """The same by the names of tables and columns."""
    return {(column.table.name, column.name) for column in columns_read(schema)}


def make_tables(url: str, name: str, prefix: str | None = None, without: Collection[str] = ()) -> None:
    """Make the tables of a schema, but for those in `without`, and one named config."""
    schema, metadata = schemas.load(name, prefix), sa.MetaData()
    for table in {column.table for column in columns_read(schema)}:
        if table.name not in without:
            own = [_column(column) for column in table.c if column.name != "id"]
            more = [sa.Column(hidden, sa.String(200)) for hidden in HIDDEN]
            sa.Table(table.name, metadata, sa.Column("id", sa.BigInteger, primary_key=True), *own, *more)
    sa.Table("config", metadata, sa.Column("name", sa.String(200)), sa.Column("value", sa.String(200)))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata.create_all(engine)


def add_rows(url: str, **rows: list[dict[str, Any]]) -> None:
    """Insert rows into tables by their names."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for name, values in rows.items():
            connection.execute(sa.table(name, *map(sa.column, values[0])).insert(), values)


def execute(url: str, *statements: str) -> None:
    """Execute statements, each in a transaction of its own."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def _column(column: sa.Column[Any]) -> sa.Column[Any]:
    if column.name in _TRUTHS:
        return sa.Column(column.name, sa.Boolean)
    kinds = (made for declared, made in _TYPES if isinstance(column.type, declared))
    return sa.Column(column.name, next(kinds, sa.Numeric(10, 5)))
