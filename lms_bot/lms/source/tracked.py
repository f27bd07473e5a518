"""A table of the LMS whose changed rows are found, and the queries by which they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lms_bot.db.lists import DIALECTS, in_bound_list, list_value
from lms_bot.lms.snapshot import XIDS, in_blocks, written_since
from lms_bot.lms.source.queries import Bound, Query

Expression = sa.ColumnElement[Any]
Field = str | Expression
"""Something of a row: a column of its table by name, or an expression over that table and those joined to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracked:
    """A table whose changed rows are found, and the fields of these rows.

    * `name` is its stable word in the store.
    * `joins` are other tables by what they are joined on, each row of which may be missing. Those of the `parts` hold a
      part of the row, under a `key` of their own: a change there is a change of the row. What other tables say is read
      along with a change, and is none by itself.
    * Rows of which `only` is not true are none of ours.
    * What `is_optional` may be missing from an installation.
    """

    name: str
    table: sa.Table
    key: str = "id"
    joins: Mapping[sa.FromClause, sa.ColumnElement[bool]] = field(default_factory=dict)
    parts: tuple[sa.Table, ...] = ()
    only: sa.ColumnElement[bool] | None = None
    is_optional: bool = False

    @property
    def key_column(self) -> sa.Column[int]:
        return self.table.c[self.key]

    @property
    def own_columns(self) -> list[sa.ColumnElement[Any]]:
        """Return the columns whose change is a change of the row: the table's, and those of its parts."""
        of_parts = (column.label(f"{part.name}.{column.name}") for part in self.parts for column in part.c)
        return [*self.table.c, *of_parts]

    @property
    def columns(self) -> list[sa.ColumnElement[Any]]:
        """Return all columns that are read, whether the row is ours as the last."""
        others = (expression.label(f"field_{place}") for place, expression in enumerate(self._expressions()))
        is_ours = [] if self.only is None else [self.only.label("is_ours")]
        return [*self.own_columns, *others, *is_ours]

    @property
    def fields(self) -> Sequence[Field | None]:
        """Return what is read of a row."""
        return ()

    @property
    def watches(self) -> list[Watch]:
        """Return what is watched for changes: the table, and each part."""
        parts = (Watch(f"{self.name}.{place}", self, part) for place, part in enumerate(self.parts, 1))
        return [Watch(self.name, self, self.table), *parts]

    def place(self, wanted: Field) -> int:
        """Return where a field is in a row with all columns. Raises KeyError and ValueError where it is in none."""
        if isinstance(wanted, str):
            return list(self.table.c).index(self.table.c[wanted])
        return len(self.own_columns) + [id(one) for one in self._expressions()].index(id(wanted))

    def _expressions(self) -> list[sa.ColumnElement[Any]]:
        """Return the fields that are no columns of the table, each once."""
        found = {id(one): one for one in self.fields if one is not None and not isinstance(one, str)}
        return list(found.values())


@dataclass(frozen=True, eq=False)
class Watch:
    """A table in which changes of a source's rows are looked for; `name` is that of its cursor in the store.

    Its queries are made once, since a poll asks little else: they come with the values to be bound.
    """

    name: str
    source: Tracked
    table: sa.Table

    @property
    def key_column(self) -> sa.Column[int]:
        return self.table.c[self.source.key]

    @property
    def is_part(self) -> bool:
        """It holds a part of each row only, under a key of its own."""
        return self.table is not self.source.table

    @cached_property
    def select(self) -> Query:
        """Return the query for all columns of the source's rows; where it is a part, its own key comes last."""
        source, joins = self.source, dict(self.source.joins)
        columns = [*source.columns, self.key_column.label("watched_key")] if self.is_part else source.columns
        joined: sa.FromClause = self.table
        if self.is_part:
            joined = joined.join(source.table, joins.pop(self.table))
        for table, on in joins.items():
            joined = joined.outerjoin(table, on)
        return sa.select(*columns).select_from(joined)

    def rows_above(self, key: int, most: int) -> Bound:
        """Return the query for the next rows above a key of the watched table."""
        return self._rows_above, {"above": key, "most": most}

    def rows_by_key(self, ids: Sequence[int], dialect: str) -> Bound:
        """Return the query for rows of the source by their own keys."""
        return self._rows_by_key[dialect], {"ids": list_value(ids, dialect)}

    def rows_in_blocks(self, first: int, end: int, since: int | None) -> Bound:
        """Return the query for rows in these blocks of the table, written by transaction `since` or a later one."""
        blocks = {"first": f"({first},0)", "end": f"({end},0)"}
        if since is None:
            return self._rows_in_blocks, blocks
        return self._rows_in_blocks_since, {**blocks, "since": since % XIDS}

    @cached_property
    def _rows_above(self) -> Query:
        above = self.select.where(self.key_column > sa.bindparam("above", type_=sa.BigInteger))
        return above.order_by(self.key_column).limit(sa.bindparam("most", type_=sa.Integer))

    @cached_property
    def _rows_by_key(self) -> dict[str, Query]:
        key = self.source.key_column
        return {dialect: self.select.where(in_bound_list(key, "ids", dialect)) for dialect in DIALECTS}

    @cached_property
    def _rows_in_blocks(self) -> Query:
        return self.select.where(in_blocks(self.table))

    @cached_property
    def _rows_in_blocks_since(self) -> Query:
        return self._rows_in_blocks.where(written_since(self.table))
