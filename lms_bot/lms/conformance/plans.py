"""Asks the server how it would execute what a poll asks, and names the tables that it would read as a whole."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler

from lms_bot.core.reports.findings import Finding, ok, warning
from lms_bot.lms import inspection
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.snapshot import take
from lms_bot.lms.source import Bound, Query, Watch, columns_of

MANY = 5_000  # rows of a table that may be read as a whole in every poll
_EXPLAIN = {
    "mysql": "EXPLAIN FORMAT=JSON ",
    "postgresql": "EXPLAIN (FORMAT JSON) ",
    "sqlite": "EXPLAIN QUERY PLAN ",
}
# A server may read all of a table although an index would do; what counts is that one would.
_PREFER_INDEXES = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL enable_material = off"
)
_STEP = re.compile(r"(SCAN|SEARCH) (?:TABLE )?(\S+)(?: AS (\S+))?(?: (.*))?")


class _Explain(sa.Executable, sa.ClauseElement):
    """A statement that is not executed: the server tells how it would be."""

    inherit_cache = False

    def __init__(self, query: Query) -> None:
        self.query = query


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return _EXPLAIN[compiler.dialect.name] + compiler.process(element.query, **options)


def check(installation: Installation, watch: Watch, now: datetime) -> Iterator[Finding]:
    """Say which large tables a poll would read as a whole, for changes in a watched one that can be read."""
    with installation.reading() as connection:
        if not inspection.can_read(connection, watch.select):
            return
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_PREFER_INDEXES)
        asked: dict[str, list[str]] = defaultdict(list)
        columns: dict[str, list[str]] = {}
        for name, (query, values) in _asked(connection, installation, watch, now):
            for table in sorted(scanned(connection, query, values)):
                asked[table].append(name)
                columns[table] = _wanting_index(watch, query, table)
        large = [table for table in asked if _is_large(connection, watch, table)]
    for table in large:
        message = f"{watch.name}: all of {table}, over {MANY:,} rows, is read for {', '.join(asked[table])}"
        advice = f"have the LMS make an index on {table} ({', '.join(columns[table])})"
        yield warning("schema polls", message, advice)
    if not large:
        yield ok("schema polls", f"{watch.name}: no poll reads a large table as a whole")


def scanned(connection: sa.Connection, query: Query, values: Mapping[str, Any]) -> set[str]:
    """Return the tables and views of which the server would read all rows, by the names that they have there."""
    read = connection.execute(_Explain(query), values).all()
    named = {one.name: str(one.element) for one in visitors.iterate(query) if isinstance(one, sa.Alias)}
    if connection.dialect.name == "sqlite":
        return {named.get(name, name) for name in in_steps(row[-1] for row in read)}
    plan = json.loads(read[0][0]) if isinstance(read[0][0], str) else read[0][0]
    return {named.get(name, name) for name in in_plan(plan)}


def in_steps(steps: Iterable[str]) -> Iterator[str]:
    """Give what is read as a whole in a plan of SQLite, which also makes an index of its own for one statement."""
    for step in steps:
        found = _STEP.fullmatch(step)
        if found and "VIRTUAL TABLE" not in step and (found[1] == "SCAN" or "AUTOMATIC" in (found[4] or "")):
            yield found[3] or found[2]


def in_plan(plan: Any) -> Iterator[str]:
    """Give what is read as a whole in a plan in JSON, of PostgreSQL, MySQL or MariaDB."""
    if isinstance(plan, list):
        for part in plan:
            yield from in_plan(part)
    elif isinstance(plan, dict):
        name = plan.get("Relation Name", plan.get("table_name"))
        if name is not None and (_postgresql_scans if "Node Type" in plan else _mysql_scans)(plan):
            yield name
        yield from in_plan(list(plan.values()))


def _postgresql_scans(step: Mapping[str, Any]) -> bool:
    is_by_index = step["Node Type"] in ("Index Scan", "Index Only Scan")
    return step["Node Type"] == "Seq Scan" or (is_by_index and "Index Cond" not in step)


def _mysql_scans(step: Mapping[str, Any]) -> bool:
    return step.get("access_type") in ("ALL", "index") and not step.get("possible_keys")


def _asked(
    connection: sa.Connection, installation: Installation, watch: Watch, now: datetime
) -> Iterator[tuple[str, Bound]]:
    """Give what a poll asks of a watched table: new rows, open ones, and a slice of the sweep."""
    highest = connection.scalar(sa.select(sa.func.max(watch.key_column))) or 0
    yield "new rows", watch.rows_above(highest, installation.sweep_rows)
    if not watch.is_part:
        yield "open rows", watch.rows_by_key([highest, highest - 1], connection.dialect.name)
    snapshot = take(connection, watch.table.name, now, installation.longest)
    if snapshot.blocks:
        blocks = max(1, int(installation.sweep_rows / snapshot.rows_per_block))
        yield "the sweep", watch.rows_in_blocks(0, blocks, snapshot.xmin)
    else:
        yield "the sweep", watch.rows_above(0, installation.sweep_rows)


def _wanting_index(watch: Watch, query: Query, table: str) -> list[str]:
    """Return the columns by which rows of a table are looked for: its key, or what joins it."""
    equal = (one for one in visitors.iterate(query) if getattr(one, "operator", None) is operators.eq)
    sides = [side for one in equal for side in ((one.left, one.right), (one.right, one.left))]  # type: ignore[attr-defined]
    joined = [
        column.name
        for column, other in sides
        if isinstance(column, sa.Column) and isinstance(other, sa.Column) and column.table is not other.table
        if _name(column) == table
    ]
    is_watched = table == watch.table.name or not joined
    return [watch.key_column.name] if is_watched else list(dict.fromkeys(joined))


def _name(column: sa.Column[Any]) -> str:
    """Return the name of a column's table, whatever a query calls it."""
    return str(getattr(column.table, "element", column.table))


def _is_large(connection: sa.Connection, watch: Watch, table: str) -> bool:
    """Return whether a table has many rows; what is behind a view of ours is not ours to count, so the view is."""
    ours = {_name(column) for column in columns_of(watch.select)}
    few = sa.select(sa.literal(1)).select_from(sa.table(table if table in ours else watch.table.name)).limit(MANY + 1)
    return (connection.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0) > MANY
