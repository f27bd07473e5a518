"""Passes lists of integers to databases as one bound value."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa

from lms_bot.db.engine import to_json

DIALECTS = ("sqlite", "postgresql", "mysql")
_LIST_TYPES: dict[str, Any] = {"sqlite": sa.Text(), "postgresql": sa.ARRAY(sa.BigInteger)}


def in_list(column: sa.ColumnElement[Any], values: Any, dialect: str) -> sa.ColumnElement[bool]:
    """Return that `column` is one of `values` (integers), as one bound value however many there are.

    MySQL and MariaDB, which have no lists, get them one by one.
    """
    if dialect == "mysql":
        return column.in_(list(values))
    return _in(column, sa.literal(list_value(values, dialect), _LIST_TYPES.get(dialect)), dialect)


def in_bound_list(column: sa.ColumnElement[Any], name: str, dialect: str) -> sa.ColumnElement[bool]:
    """Return the same for a statement that is made once: `name` is bound to a `list_value` when it runs."""
    if dialect == "mysql":
        return column.in_(sa.bindparam(name, expanding=True))
    return _in(column, sa.bindparam(name, type_=_LIST_TYPES.get(dialect)), dialect)


def list_value(values: Any, dialect: str) -> Any:
    """Return integers as the one value that `in_bound_list` takes."""
    return to_json(list(values)) if dialect == "sqlite" else list(values)


def _in(column: sa.ColumnElement[Any], bound: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[bool]:
    if dialect == "sqlite":
        return column.in_(sa.select(sa.func.json_each(bound).table_valued("value").c.value))
    return column == sa.func.any(bound)


def each_id(connection: sa.Connection, ids: Collection[int]) -> sa.TableValuedAlias:
    """Return the ids as a table with one column `value`, to join with: one bound value however many there are."""
    if connection.dialect.name == "sqlite":
        return sa.func.json_each(json.dumps(list(ids))).table_valued("value")
    return sa.func.unnest(sa.literal(list(ids), sa.ARRAY(sa.BigInteger))).table_valued("value").render_derived()


def each_bound_id(name: str, dialect: str) -> sa.TableValuedAlias:
    """Return the same for a statement that is made once: `name` is bound to a `list_value` when it runs."""
    bound = sa.bindparam(name, type_=_LIST_TYPES[dialect])
    if dialect == "sqlite":
        return sa.func.json_each(bound).table_valued("value")
    return sa.func.unnest(bound).table_valued("value").render_derived()


def run_with_ids(
    connection: sa.Connection, query: Callable[[str], sa.Select[Any]], ids: Collection[int], **given: object
) -> Any:
    """Run a statement that is made once for each dialect, with a list bound to `ids` and what else is given."""
    dialect = connection.dialect.name
    return connection.execute(query(dialect), {"ids": list_value(ids, dialect), **given})
