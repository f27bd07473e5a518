"""What changed in the LMS: new rows above a safe cursor, open rows by key, and a sweep that finds the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from lms_bot.core.cursor import Cursor, Page, Seen
from lms_bot.core.events import Activity
from lms_bot.db.engine import reason
from lms_bot.db.lists import in_list
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import values
from lms_bot.lms.schemas.classic import rows, tables
from lms_bot.lms.schemas.classic.catalog import Catalog, read_catalog
from lms_bot.lms.snapshot import Snapshot, take, was_visible, written_since
from lms_bot.lms.sqlite_stamp import Stamp, Stillness

PAGE_ROWS = 5_000
LOWEST_ID = -(2**31) - 1  # below any id; a lower number would not be an integer to PostgreSQL, nor use the index
TITLES_AGE = timedelta(minutes=5)

TABLES = {table.name: table for table in (tables.attempts, tables.content_attempts)}


class ChangeReader:
    """Reads pages of changes; holds no transaction between them, and remembers only titles and what lies still."""

    def __init__(self, engine: sa.Engine, zone: tzinfo, sweep_rows: int) -> None:
        self._engine = engine
        self._zone = zone
        self._sweep_rows = sweep_rows
        self._page_rows = min(PAGE_ROWS, sweep_rows)
        self._catalog = Catalog()
        self._titles_read_at: datetime | None = None
        self._stillness = Stillness(engine)

    def close(self) -> None:
        self._stillness.close()

    def mark_baseline(self, source_table: str, now: datetime) -> Cursor:
        """The mark that decides what is history: the snapshot and the highest id of this moment."""
        table = TABLES[source_table]
        with self._transaction() as connection:
            snapshot = take(connection, source_table)
            highest = connection.scalar(sa.select(sa.func.max(table.c.id)))
        return Cursor(
            source_table=source_table,
            baseline_at=now,
            baseline_snapshot=snapshot.text if snapshot.has_xmin else None,
            baseline_id=highest or 0,
            history_id=LOWEST_ID,
            history_done=highest is None,
            last_id=highest or 0,
            safe_id=LOWEST_ID,
            sweep_next_since=snapshot.xmin if snapshot.has_xmin else None,
            server=snapshot.server,
            next_xid=snapshot.next_xid,
            seen=(Seen(snapshot.next_xid, highest or 0, 0),),
        )

    def history(self, cursor: Cursor) -> Page:
        """The next page of what was there at the baseline, by primary key."""
        table = TABLES[cursor.source_table]
        visible_then = cursor.baseline_snapshot
        if cursor.history_id == LOWEST_ID:
            self._stillness.begins((table.name, "history"), self._stillness.stamp())
        query = (
            sa.select(*table.c)
            .where(table.c.id > cursor.history_id, table.c.id <= cursor.baseline_id)
            .order_by(table.c.id)
            .limit(self._page_rows)
        )
        if visible_then is not None:
            query = query.add_columns(sa.literal_column("xmin::text::bigint"))
        with self._transaction() as connection:
            read = connection.execute(query).all()
        history = [row.id for row in read if visible_then is None or was_visible(row[-1], visible_then)]
        done = len(read) < self._page_rows
        position = cursor.baseline_id if done else read[-1].id
        after = replace(
            cursor,
            history_id=position,
            history_done=done,
            safe_id=cursor.history_id,
            seen=(Seen(cursor.seen[0].next_xid, cursor.baseline_id, len(read)),),
        )
        return _page(after, table, {row.id: row for row in read}, new_above=cursor.history_id, history=history)

    def changes(self, cursor: Cursor, open_ids: Sequence[int], now: datetime) -> Iterator[Page]:
        """Pages of everything that may have changed since `cursor`; each must be stored before the next is read.

        Full pages of new rows come first; the last page brings the rest of them, the open rows and a slice of the
        sweep. Raises LmsUnavailable; what was stored before that stays right.
        """
        table = TABLES[cursor.source_table]
        position, settled, passed = cursor.safe_id, cursor.seen, 0
        oldest_open: int | None = None
        if cursor.sweep_started_at is None:
            self._stillness.ended((table.name, "history"))
        while True:
            stamp = self._stillness.stamp()
            with self._transaction() as connection:
                snapshot = take(connection, cursor.source_table)
                replaced = _is_replaced(cursor, snapshot)
                if snapshot.server != cursor.server or replaced:
                    cursor, settled = _forget_snapshots(cursor, snapshot), ()
                oldest_open = snapshot.xmin if oldest_open is None else min(oldest_open, snapshot.xmin)
                read = self._above(connection, table, position)
                found = {row.id: row for row in read}
                new_above = cursor.last_id
                is_last = len(read) < self._page_rows
                new = sum(source_id > new_above for source_id in found)
                passed += len(found) - new
                position = read[-1].id if read else position
                cursor = _advance(cursor, snapshot, settled, oldest_open, position, is_last, new)
                cursor = _trim(cursor, self._sweep_rows)
                if is_last:
                    found.update(self._by_key(connection, table, open_ids))
                    left = self._sweep_rows - passed
                    swept, cursor = self._slice(connection, table, cursor, snapshot, stamp, left, now)
                    found.update(swept)
            looked_at = open_ids if is_last else ()
            yield _page(cursor, table, found, new_above=new_above, looked_at=looked_at, server_replaced=replaced)
            if is_last:
                if cursor.sweep_position is None:
                    self._stillness.ended((table.name, "sweep"))  # what was found is stored by now
                return

    def activities(self, page: Page, ids: Collection[int], now: datetime) -> list[Activity]:
        """What the named rows of a page state; re-reads the titles when they are old or one is missing."""
        picked = {source_id: page.found[source_id] for source_id in ids}
        read_at = self._titles_read_at
        is_old = read_at is None or now - read_at >= TITLES_AGE
        if is_old or (read_at != now and any(self._lacks_title(row) for row in picked.values())):
            self._read_titles(now)
        name = page.cursor.source_table
        return [
            rows.activity(name, row, page.fingerprints[source_id], self._catalog, self._zone)
            for source_id, row in picked.items()
        ]

    def _lacks_title(self, row: Any) -> bool:
        if "exam_id" in row._fields:
            return row.exam_id is not None and row.exam_id not in self._catalog.exams
        return row.chapter_content_id is not None and row.chapter_content_id not in self._catalog.contents

    def _read_titles(self, now: datetime) -> None:
        with self._transaction() as connection:
            self._catalog = read_catalog(connection)
        self._titles_read_at = now

    def _above(self, connection: sa.Connection, table: sa.Table, position: int) -> Sequence[Any]:
        query = sa.select(*table.c).where(table.c.id > position).order_by(table.c.id).limit(self._page_rows)
        return connection.execute(query).all()

    def _by_key(self, connection: sa.Connection, table: sa.Table, ids: Sequence[int]) -> dict[int, Any]:
        if not ids:
            return {}
        query = sa.select(*table.c).where(in_list(table.c.id, ids, connection.dialect.name))
        return {row.id: row for row in connection.execute(query)}

    def _slice(
        self,
        connection: sa.Connection,
        table: sa.Table,
        cursor: Cursor,
        snapshot: Snapshot,
        stamp: Stamp,
        budget: int,
        now: datetime,
    ) -> tuple[dict[int, Any], Cursor]:
        """The next slice of the sweep, by ctid or primary key; no round begins in a file that lies still since one."""
        if cursor.sweep_position is None:
            if self._stillness.all_seen(table.name, stamp):
                return {}, cursor
            self._stillness.begins((table.name, "sweep"), stamp)
            cursor = replace(
                cursor,
                sweep_since=cursor.sweep_next_since,
                sweep_next_since=snapshot.xmin if snapshot.has_xmin else None,
                sweep_started_at=now,
            )
        query = sa.select(*table.c)
        position = cursor.sweep_position or 0
        if snapshot.blocks:
            blocks = max(1, int(max(budget, 1) / snapshot.rows_per_block))
            query = query.where(sa.text(f"ctid >= '({position},0)'::tid AND ctid < '({position + blocks},0)'::tid"))
            if cursor.sweep_since is not None:
                query = query.where(written_since(cursor.sweep_since))
            read = connection.execute(query).all()
            position += blocks
            done = position >= snapshot.blocks
        else:
            limit = max(budget, 1)
            above = LOWEST_ID if cursor.sweep_position is None else position
            read = connection.execute(query.where(table.c.id > above).order_by(table.c.id).limit(limit)).all()
            position = read[-1].id if read else position
            done = len(read) < limit
        return {row.id: row for row in read}, _end_of_slice(cursor, position, done, now)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise LmsUnavailable(f"the LMS cannot be read: {reason(error)}") from error


def _page(cursor: Cursor, table: sa.Table, found: dict[int, Any], **rest: Any) -> Page:
    width = len(table.c)
    marks = {source_id: values.fingerprint(row[:width]) for source_id, row in found.items()}
    return Page(cursor=cursor, found=found, fingerprints=marks, **rest)


def _is_replaced(cursor: Cursor, snapshot: Snapshot) -> bool:
    """Transaction ids went backwards, or the table is another one: a restored or replaced server."""
    if cursor.server is None or snapshot.home is None:
        return False
    oids = cursor.server.split()[:2]
    return snapshot.next_xid < cursor.next_xid or snapshot.home.split()[:2] != oids


def _forget_snapshots(cursor: Cursor, snapshot: Snapshot) -> Cursor:
    """What transaction ids said no longer holds: read again from the safe cursor, compare whole slices for a round."""
    return replace(
        cursor,
        seen=(),
        sweep_position=None,
        sweep_since=None,
        sweep_next_since=None,
        server=snapshot.server,
        next_xid=snapshot.next_xid,
    )


def _advance(
    cursor: Cursor,
    snapshot: Snapshot,
    settled: tuple[Seen, ...],
    oldest_open: int,
    position: int,
    is_last: bool,
    new_rows: int,
) -> Cursor:
    """Move the safe cursor over what this poll has read again, and remember the page just read.

    A page seen by an earlier poll is safe once every transaction that was open then has ended before this poll's
    oldest snapshot, and everything up to it has been read since: first read, then advance.
    """
    again = [s for s in settled if s.next_xid <= oldest_open and (is_last or s.last_id <= position)]
    safe_id = max([cursor.safe_id, *(s.last_id for s in again)])
    last_id = max(cursor.last_id, position)
    seen = tuple(s for s in cursor.seen if s.last_id > safe_id)
    if last_id > max([safe_id, *(s.last_id for s in seen)]):
        seen = (*seen, Seen(snapshot.next_xid, last_id, new_rows))
    return replace(
        cursor, safe_id=safe_id, last_id=last_id, seen=seen, next_xid=max(cursor.next_xid, snapshot.next_xid)
    )


def _trim(cursor: Cursor, most_rows: int) -> Cursor:
    """Leave to the sweep what lies too far back to be read again in every poll."""
    seen, safe_id = list(cursor.seen), cursor.safe_id
    while seen and sum(s.rows for s in seen) > most_rows:
        safe_id = seen.pop(0).last_id
    return replace(cursor, seen=tuple(seen), safe_id=safe_id)


def _end_of_slice(cursor: Cursor, position: int, done: bool, now: datetime) -> Cursor:
    if not done:
        return replace(cursor, sweep_position=position)
    started = cursor.sweep_started_at or now
    return replace(cursor, sweep_position=None, sweep_seconds=(now - started).total_seconds())
