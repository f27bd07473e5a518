"""The moment a transaction sees, and what may be asked of a table there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bot.errors import LmsUnavailable

ROWS_PER_BLOCK = 60  # of a table that was never analysed; an attempt takes about 130 bytes of an 8 KiB block
XIDS = 2**32  # a row carries the low 32 bits of its transaction id
BY_CLOCK = "clock"
TID_RANGES = 140_000  # the first PostgreSQL that reads a range of ctid without reading the rest

_POSTGRESQL = sa.text(
    """
    SELECT s::text AS snapshot,
           pg_snapshot_xmin(s)::text::bigint AS xmin,
           pg_snapshot_xmax(s)::text::bigint + age(pg_snapshot_xmax(s)::xid) AS next_xid,
           c.oid IS NOT NULL AS found,
           c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT') AND NOT pg_is_in_recovery() AS has_xmin,
           current_setting('server_version_num')::int AS version,
           pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
           CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages END AS rows_per_block,
           concat_ws(' ', d.oid, c.oid, pg_relation_filenode(c.oid)) AS home,
           extract(epoch FROM pg_postmaster_start_time())::text AS started
    FROM pg_current_snapshot() AS s
    JOIN pg_database AS d ON d.datname = current_database()
    LEFT JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(:table))
    """
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a transaction sees of one table.

    `xmin`: the oldest transaction id still open; `next_xid`: the first not yet given out. PostgreSQL's own snapshot
    xmax is lower than that where the youngest transactions are open: it is one above the last that ended. Both are 0
    on SQLite, where one writer at a time makes commits come in order; where a server does not tell, they are moments
    instead, in seconds: this one, and that at which the longest transaction still open may have begun. `home` changes
    when the table is another one or was rewritten, `started` when the server was restarted. `blocks` is 0 where slices
    of ctid cannot be read.
    """

    text: str | None = None
    xmin: int = 0
    next_xid: int = 0
    has_xmin: bool = False
    blocks: int = 0
    rows_per_block: float = ROWS_PER_BLOCK
    home: str | None = None
    started: str | None = None
    is_by_clock: bool = False

    @property
    def server(self) -> str | None:
        if self.is_by_clock:
            return BY_CLOCK
        return f"{self.home} {self.started}" if self.home else None


def take(connection: sa.Connection, table: str, now: datetime, longest: timedelta) -> Snapshot:
    """Read the snapshot of the open transaction; none is open for longer than `longest`, where that must be known.

    Raises LmsUnavailable when the table cannot be seen.
    """
    if connection.dialect.name == "sqlite":
        return Snapshot()
    seconds, before = int(now.timestamp()), int((now - longest).timestamp())
    by_clock = Snapshot(xmin=before, next_xid=seconds, is_by_clock=True)
    if connection.dialect.name != "postgresql":
        return by_clock
    row = connection.execute(_POSTGRESQL, {"table": table}).one()
    if not row.found:
        raise LmsUnavailable(f"the LMS has no table {table} that our login can see")
    if not row.has_xmin:
        return by_clock
    return Snapshot(
        text=row.snapshot,
        xmin=row.xmin,
        next_xid=row.next_xid,
        has_xmin=True,
        blocks=max(1, row.blocks) if row.version >= TID_RANGES else 0,
        rows_per_block=row.rows_per_block or ROWS_PER_BLOCK,
        home=row.home,
        started=row.started,
    )


def was_visible(xid: int, snapshot: str, committed: Collection[int] | None) -> bool:
    """Whether a row written by transaction `xid` (its low 32 bits) was visible in `snapshot` ("xmin:xmax:xip,...").

    `committed` are those of the ids from the snapshot's xmin on that were seen in rows then. A snapshot names open
    transactions alone, and not the transactions inside them whose ids such rows carry; where it was not looked up (as
    in stores of 1.0), these pass for ended. Source: PostgreSQL's rules for pg_visible_in_snapshot, with ids compared
    modulo 2^32; ids below 3 are permanent.
    """
    if xid < 3:
        return True
    lowest, highest, open_ids = snapshot.split(":")
    xmax = int(highest)
    if committed is not None:
        return (xid - int(lowest)) % XIDS >= XIDS // 2 or xid in committed
    behind = (xmax - xid) % XIDS
    if behind == 0 or behind >= XIDS // 2:
        return False
    full = xmax - behind
    return full < int(lowest) or str(full) not in open_ids.split(",")


def xmin_of(table: sa.Table) -> sa.ColumnElement[int]:
    """Return the low 32 bits of the transaction that wrote a row, which may be one inside another."""
    return sa.literal_column(f"{_system(table, 'xmin')}::text::bigint", sa.BigInteger)


def written_since(table: sa.Table) -> sa.TextClause:
    """Return the condition that a row was written by a transaction or a later one, compared modulo 2^32.

    The low 32 bits of the transaction's id are bound to `since`.
    """
    xmin = _system(table, "xmin")
    return sa.text(f"(({xmin}::text::bigint - CAST(:since AS bigint) + {XIDS}) % {XIDS}) < {XIDS // 2}")


def in_blocks(table: sa.Table) -> sa.TextClause:
    """Return the condition that a row lies in some blocks of its table, from the place `first` to before `end`."""
    ctid = _system(table, "ctid")
    return sa.text(f"{ctid} >= CAST(:first AS tid) AND {ctid} < CAST(:end AS tid)")


def _system(table: sa.Table, column: str) -> str:
    return f'"{table.name}".{column}'
