"""Finds what changed in the LMS: new rows above a safe cursor, open rows by key, and a sweep that finds the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from lms_bot.core.cursor import Cursor, Page, Seen
from lms_bot.core.events import Activity
from lms_bot.db.engine import refusal
from lms_bot.lms.academics.details import Stated, detail_reader
from lms_bot.lms.catalogue import Catalogue, read_catalogue
from lms_bot.lms.rows import Row, RowReader
from lms_bot.lms.safe_cursor import Read, advance, end_of_slice, forget_snapshots, is_replaced, trim
from lms_bot.lms.snapshot import XIDS, Snapshot, take, was_visible, written_since, xmin_of
from lms_bot.lms.source import Detail, Schema, Source, Tracked, Watch
from lms_bot.lms.sqlite_stamp import SqliteStamps, Stamp

PAGE_ROWS = 5_000
LOWEST_ID = -(2**31) - 1  # below any id; a lower number would not be an integer to PostgreSQL, nor use the index
HIGHEST_ID = 2**63 - 1
TITLES_AGE = timedelta(minutes=5)

Recorded = Callable[[str, Collection[int]], Mapping[int, int]]
"""Gives the fingerprints that rows of a source had when they were recorded last, by id, of those that were."""


@dataclass(frozen=True, slots=True)
class _View:
    """A watched table as one transaction sees it, and the stamp taken before."""

    watch: Watch
    connection: sa.Connection
    snapshot: Snapshot
    stamp: Stamp


class ChangeReader:
    """Reads pages of changes; holds no transaction between them, and remembers only titles and stamps.

    No transaction in the LMS takes longer than `longest`, where the server does not tell which are open.
    """

    def __init__(self, engine: sa.Engine, schema: Schema, zone: tzinfo, sweep_rows: int, longest: timedelta) -> None:
        self._engine = engine
        self._schema = schema
        self._readers = {source.name: RowReader(source, zone) for source in schema.sources}
        self._details = {detail.name: detail_reader(detail) for detail in schema.details}
        self._sweep_rows = sweep_rows
        self._longest = longest
        self._page_rows = min(PAGE_ROWS, sweep_rows)
        self._catalogue: Catalogue = {}
        self._titles_read_at: datetime | None = None
        self._stamps = SqliteStamps(engine)

    def close(self) -> None:
        self._stamps.close()

    def mark_baseline(self, watch: Watch, now: datetime) -> Cursor:
        """Return the mark that decides what is history: the snapshot and the highest id of this moment.

        A table with parts of rows has no history of its own: it is read with the rows.
        """
        with self._transaction() as connection:
            snapshot = take(connection, watch.table.name, now, self._longest)
            highest = connection.scalar(sa.select(sa.func.max(watch.key_column)))
            is_exact = snapshot.has_xmin and not watch.is_part
            xids = _youngest_xids(connection, watch.table, snapshot.xmin) if is_exact else None
        return Cursor(
            source_table=watch.name,
            baseline_at=now,
            baseline_snapshot=snapshot.text if snapshot.has_xmin else None,
            baseline_id=highest or 0,
            history_id=LOWEST_ID,
            history_done=highest is None or watch.is_part,
            last_id=highest or 0,
            safe_id=(highest or LOWEST_ID) if watch.is_part else LOWEST_ID,
            sweep_next_since=snapshot.xmin if snapshot.has_xmin else None,
            server=snapshot.server,
            next_xid=snapshot.next_xid,
            seen=(Seen(snapshot.next_xid, highest or 0, 0),),
            baseline_xids=xids,
        )

    def history(self, watch: Watch, cursor: Cursor, now: datetime) -> Page:
        """Return the next page of what was there at the baseline, by primary key."""
        key, visible_then = watch.key_column, cursor.baseline_snapshot
        if cursor.history_id == LOWEST_ID:
            self._stamps.begin((watch.name, "history"), self._stamps.take())
        query, values = watch.rows_above(cursor.history_id, self._page_rows)
        query = query.where(key <= cursor.baseline_id)
        if visible_then is not None:
            query = query.add_columns(xmin_of(watch.table))
        with self._transaction() as connection:
            read = connection.execute(query, values).all()
        place, committed = _key_place(watch), None if cursor.baseline_xids is None else frozenset(cursor.baseline_xids)
        was_there = {
            row[place] for row in read if visible_then is None or was_visible(row[-1], visible_then, committed)
        }
        done = len(read) < self._page_rows
        after = replace(
            cursor,
            history_id=cursor.baseline_id if done else read[-1][place],
            history_done=done,
            safe_id=cursor.history_id,
            seen=(Seen(cursor.seen[0].next_xid, cursor.baseline_id, len(read)),),
            baseline_xids=None if done else cursor.baseline_xids,
        )
        page = Page(after, watch.source.name, (), len(read), cursor.history_id, history=frozenset(was_there))
        return self._filled(page, watch.source, read, _nothing_recorded, now)

    def changes(
        self, watch: Watch, cursor: Cursor, open_ids: Sequence[int], recorded: Recorded, now: datetime
    ) -> Iterator[Page]:
        """Give pages of everything that may have changed since `cursor`; store each before the next is read.

        Full pages of new rows come first; the last page brings the rest of them, the open rows and a slice of the
        sweep. `recorded` is asked between two transactions. Raises LmsUnavailable; what was stored before that stays
        right.
        """
        source = watch.source
        position, settled, passed, place = cursor.safe_id, cursor.seen, 0, _key_place(watch)
        oldest_open: int | None = None
        if cursor.sweep_started_at is None:
            self._stamps.end((watch.name, "history"))
        is_last = False
        while not is_last:
            stamp = self._stamps.take()
            with self._transaction() as connection:
                snapshot = take(connection, watch.table.name, now, self._longest)
                view = _View(watch, connection, snapshot, stamp)
                replaced = is_replaced(cursor, snapshot)
                if snapshot.server != cursor.server or replaced:
                    cursor, settled = forget_snapshots(cursor, snapshot), ()
                oldest_open = snapshot.xmin if oldest_open is None else min(oldest_open, snapshot.xmin)
                read = self._above(view, position)
                keys = [row[place] for row in read]
                last_before, is_last = cursor.last_id, len(read) < self._page_rows
                new = sum(key > last_before for key in keys)
                passed += len(read) - new
                position = keys[-1] if keys else position
                cursor = advance(cursor, snapshot.next_xid, settled, Read(position, is_last, new, oldest_open))
                cursor = trim(cursor, self._sweep_rows)
                if is_last:
                    read += self._by_key(view, open_ids)
                    swept, cursor = self._sweep(view, cursor, self._sweep_rows - passed, now)
                    read += swept
            new_above = HIGHEST_ID if watch.is_part else last_before
            looked_at = tuple(open_ids) if is_last else ()
            page = Page(cursor, source.name, (), len(read), new_above, looked_at=looked_at, server_replaced=replaced)
            yield self._filled(page, source, read, recorded, now)
        if cursor.sweep_position is None:
            self._stamps.end((watch.name, "sweep"))  # what was found is stored by now

    def details_between(self, watch: Watch, above: int, upto: int) -> tuple[Stated, int]:
        """Return what the next rows of a detail say, up to a key, and the key up to which they were read."""
        query, values = watch.rows_above(above, PAGE_ROWS)
        with self._transaction() as connection:
            rows = connection.execute(query.where(watch.key_column <= upto), values).all()
        return self._details[watch.name](rows), rows[-1][_key_place(watch)] if len(rows) == PAGE_ROWS else upto

    def details_by_id(self, watch: Watch, ids: Sequence[int]) -> Stated:
        """Return what these rows of a detail say, as far as they are there."""
        with self._transaction() as connection:
            rows = connection.execute(*watch.rows_by_key(ids, connection.dialect.name)).all()
        return self._details[watch.name](rows)

    def details_of(self, watch: Watch, student_ids: Sequence[int]) -> Stated:
        """Return what the rows of a detail about these students say."""
        detail = watch.source
        assert isinstance(detail, Detail)
        student = detail.table.c[detail.student] if isinstance(detail.student, str) else detail.student
        ids = [str(one) for one in student_ids] if isinstance(student.type, sa.Text) else list(student_ids)
        with self._transaction() as connection:
            rows = connection.execute(watch.select.where(student.in_(ids))).all()
        return self._details[watch.name](rows)

    def _filled(self, page: Page, source: Tracked, read: Sequence[Any], recorded: Recorded, now: datetime) -> Page:
        """Return a page with what the rows read say; of a source, what is not recorded yet."""
        if isinstance(source, Detail):
            details, dropped = self._details[source.name](read)
            return replace(page, details=details, dropped=dropped)
        assert isinstance(source, Source)
        found = self._readers[source.name].by_id(read)
        return replace(
            page,
            activities=self._activities(source, found, self._recorded(source, found, page.new_above, recorded), now),
            history=page.history & found.keys(),
            vanished=tuple(one for one in page.looked_at if one not in found),
        )

    def _recorded(
        self, source: Source, found: Mapping[int, Row], new_above: int, recorded: Recorded
    ) -> Mapping[int, int]:
        """Return the recorded fingerprints of the rows that may have been recorded before."""
        before = [source_id for source_id in found if source_id <= new_above]
        return recorded(source.name, before) if before else {}

    def _activities(
        self, source: Source, found: Mapping[int, Row], recorded: Mapping[int, int], now: datetime
    ) -> tuple[Activity, ...]:
        """Return what the rows state whose fingerprint is not the recorded one."""
        reader = self._readers[source.name]
        marks = {source_id: reader.fingerprint(row) for source_id, row in found.items()}
        changed = [source_id for source_id, mark in marks.items() if recorded.get(source_id) != mark]
        if not changed:
            return ()
        read_at = self._titles_read_at
        is_old = read_at is None or now - read_at >= TITLES_AGE
        if is_old or (read_at != now and any(reader.lacks_title(found[one], self._catalogue) for one in changed)):
            with self._transaction() as connection:
                self._catalogue = read_catalogue(connection, self._schema)
            self._titles_read_at = now
        return tuple(reader.activity(found[one], marks[one], self._catalogue) for one in changed)

    def _above(self, view: _View, position: int) -> list[Any]:
        return list(view.connection.execute(*view.watch.rows_above(position, self._page_rows)))

    def _by_key(self, view: _View, ids: Sequence[int]) -> list[Any]:
        if not ids:
            return []
        return list(view.connection.execute(*view.watch.rows_by_key(ids, view.connection.dialect.name)))

    def _sweep(self, view: _View, cursor: Cursor, budget: int, now: datetime) -> tuple[list[Any], Cursor]:
        """Read the next slice of the sweep, by ctid or key; begin no round in a file without a commit since one."""
        watch, snapshot = view.watch, view.snapshot
        if cursor.sweep_position is None:
            if self._stamps.was_seen(watch.name, view.stamp):
                return [], cursor
            self._stamps.begin((watch.name, "sweep"), view.stamp)
            cursor = replace(
                cursor,
                sweep_since=cursor.sweep_next_since,
                sweep_next_since=snapshot.xmin if snapshot.has_xmin else None,
                sweep_started_at=now,
            )
        position = cursor.sweep_position or 0
        if snapshot.blocks:
            end = position + max(1, int(max(budget, 1) / snapshot.rows_per_block))
            read = list(view.connection.execute(*watch.rows_in_blocks(position, end, cursor.sweep_since)))
            position = end
            done = position >= snapshot.blocks
        else:
            limit, above = max(budget, 1), LOWEST_ID if cursor.sweep_position is None else position
            read = list(view.connection.execute(*watch.rows_above(above, limit)))
            position = read[-1][_key_place(watch)] if read else position
            done = len(read) < limit
        return read, end_of_slice(cursor, position, done, now)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise refusal(error, "the LMS") from error


def _nothing_recorded(_source: str, _ids: Collection[int]) -> Mapping[int, int]:
    return {}


def _key_place(watch: Watch) -> int:
    """Return where in a row read the watched table's key is."""
    return -1 if watch.is_part else list(watch.table.c).index(watch.key_column)


def _youngest_xids(connection: sa.Connection, table: sa.Table, since: int) -> tuple[int, ...]:
    """Return which transaction ids, from the oldest one still open on, are in rows that are visible now."""
    query = sa.select(xmin_of(table)).select_from(table).where(written_since(table)).distinct()
    return tuple(connection.scalars(query, {"since": since % XIDS}))
