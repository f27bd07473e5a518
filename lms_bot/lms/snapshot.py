"""The moment a transaction sees, and what may be asked of a table there."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bot.errors import LmsUnavailable

ROWS_PER_BLOCK = 60  # of a table that was never analysed; an attempt takes about 130 bytes of an 8 KiB block
XIDS = 2**32  # a row carries the low 32 bits of its transaction id
TID_RANGES = 140_000  # the first PostgreSQL that reads a range of ctid without reading the rest

_POSTGRESQL = sa.text(
    """
    SELECT s::text AS snapshot,
           pg_snapshot_xmin(s)::text::bigint AS xmin,
           pg_snapshot_xmax(s)::text::bigint + age(pg_snapshot_xmax(s)::xid) AS next_xid,
           c.oid IS NOT NULL AS found,
           c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT') AS has_xmin,
           current_setting('server_version_num')::int AS version,
           pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
           CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages END AS rows_per_block,
           concat_ws(' ', d.oid, c.oid, pg_relation_filenode(c.oid)) AS home,
           extract(epoch FROM pg_postmaster_start_time())::text AS started
    FROM pg_current_snapshot() AS s
    JOIN pg_database AS d ON d.datname = current_database()
    LEFT JOIN pg_class AS c ON c.oid = to_regclass(:table)
    """
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a transaction sees of one table.

    `xmin`: the oldest transaction id still open; `next_xid`: the first not yet given out. PostgreSQL's own snapshot
    xmax is lower than that where the youngest transactions are open: it is one above the last that ended. Both are 0
    on SQLite, where one writer at a time makes commits come in order. `home` changes when the table is another one or
    was rewritten, `started` when the server was restarted. `blocks` is 0 where slices of ctid cannot be read.
    """

    text: str | None = None
    xmin: int = 0
    next_xid: int = 0
    has_xmin: bool = False
    blocks: int = 0
    rows_per_block: float = ROWS_PER_BLOCK
    home: str | None = None
    started: str | None = None

    @property
    def server(self) -> str | None:
        return f"{self.home} {self.started}" if self.home else None


def take(connection: sa.Connection, table: str) -> Snapshot:
    """Read the snapshot of the open transaction. Raises LmsUnavailable when the table cannot be seen."""
    if connection.dialect.name == "sqlite":
        return Snapshot()
    row = connection.execute(_POSTGRESQL, {"table": table}).one()
    if not row.found:
        raise LmsUnavailable(f"the LMS has no table {table} that our login can see")
    by_ctid = bool(row.has_xmin) and row.version >= TID_RANGES
    return Snapshot(
        text=row.snapshot,
        xmin=row.xmin,
        next_xid=row.next_xid,
        has_xmin=bool(row.has_xmin),
        blocks=max(1, row.blocks) if by_ctid else 0,
        rows_per_block=row.rows_per_block or ROWS_PER_BLOCK,
        home=row.home,
        started=row.started,
    )


def was_visible(xid: int, snapshot: str) -> bool:
    """Whether a row written by transaction `xid` (its low 32 bits) was visible in `snapshot` ("xmin:xmax:xip,...").

    Source: PostgreSQL's rules for pg_visible_in_snapshot, with ids compared modulo 2^32; ids below 3 are permanent.
    """
    if xid < 3:
        return True
    lowest, highest, open_ids = snapshot.split(":")
    xmax = int(highest)
    behind = (xmax - xid) % XIDS
    if behind == 0 or behind >= XIDS // 2:
        return False
    full = xmax - behind
    return full < int(lowest) or str(full) not in open_ids.split(",")


def written_since(xid: int) -> sa.TextClause:
    """Return the condition that a row was written by transaction `xid` or a later one, compared modulo 2^32."""
    return sa.text(f"((xmin::text::bigint - {xid % XIDS} + {XIDS}) % {XIDS}) < {XIDS // 2}")
