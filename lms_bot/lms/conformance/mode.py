"""Says in which mode changes of each table are found, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from lms_bot.core.reports.findings import Finding, ok, some, warning
from lms_bot.lms import inspection
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.snapshot import Snapshot, take

BY_CLOCK = "by the clock and slices of primary keys"
BY_GRANT = "our login may read columns of it only, not the table"
_WHY = sa.text(
    """
    SELECT pg_is_in_recovery() AS is_standby, c.relkind <> 'r' AS is_view
    FROM pg_class AS c WHERE c.oid = to_regclass(quote_ident(:table))
    """
)


def check(installation: Installation, now: datetime) -> Iterator[Finding]:
    """Say how changes are found in which tables."""
    by_mode: dict[tuple[str, str], list[str]] = defaultdict(list)
    for watch in (*installation.schema.watches, *installation.schema.detail_watches):
        with installation.reading() as connection:
            if inspection.can_read(connection, sa.select(watch.key_column)):
                snapshot = take(connection, watch.table.name, now, installation.longest)
                by_mode[_mode(connection, watch.table.name, snapshot)].append(watch.name)
    for (how, why), names in by_mode.items():
        message = f"changes in {some(names)} are found {how}: {why}"
        advice = "grant SELECT on the whole table, so that transaction ids tell sooner"
        yield warning("schema mode", message, advice) if why == BY_GRANT else ok("schema mode", message)


def _mode(connection: sa.Connection, table: str, snapshot: Snapshot) -> tuple[str, str]:
    """Return how changes of a table are found, and why so."""
    if connection.dialect.name == "sqlite":
        return "in the order of commits, late ones by slices of primary keys", "SQLite has one writer at a time"
    if snapshot.blocks:
        return "by transaction ids", "PostgreSQL shows them, and reads a range of blocks by itself"
    if snapshot.has_xmin:
        return "by transaction ids, late ones by slices of primary keys", "PostgreSQL is older than 14"
    if connection.dialect.name != "postgresql":
        return BY_CLOCK, "this server does not tell which transactions are open"
    is_standby, is_view = connection.execute(_WHY, {"table": table}).one()
    if is_standby:
        return BY_CLOCK, "this server is a standby, which gives out no transaction ids"
    return BY_CLOCK, "it is a view" if is_view else BY_GRANT
