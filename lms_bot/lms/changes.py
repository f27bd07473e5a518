"""Finds what changed in the LMS: new rows above a safe cursor, open rows by key, and a sweep that finds the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.cursor import Cursor, Page, Seen
from lms_bot.core.events import Activity
from lms_bot.db.engine import reason
from lms_bot.db.lists import in_list
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.catalogue import Catalogue, read_catalogue
from lms_bot.lms.rows import Row, RowReader
from lms_bot.lms.snapshot import Snapshot, take, was_visible, written_since
from lms_bot.lms.source import Schema, Source
from lms_bot.lms.sqlite_stamp import SqliteStamps, Stamp
from lms_bot.lms.values import fingerprint

PAGE_ROWS = 5_000
LOWEST_ID = -(2**31) - 1  # below any id; a lower number would not be an integer to PostgreSQL, nor use the index
TITLES_AGE = timedelta(minutes=5)

Recorded = Callable[[str, Collection[int]], Mapping[int, int]]
"""Gives the fingerprints that rows of a source had when they were recorded last, by id, of those that were."""


@dataclass(frozen=True, slots=True)
class _View:
    """A source as one transaction sees it, and the stamp taken before."""

    source: Source
    connection: sa.Connection
    snapshot: Snapshot
    stamp: Stamp


class _Read(NamedTuple):
    """A page of rows by key: how far it goes, whether it is the last, how many were never read before.

    `oldest_open`: the oldest transaction that was open at any page of this poll.
    """

    position: int
    is_last: bool
    new_rows: int
    oldest_open: int


class ChangeReader:
    """Reads pages of changes; holds no transaction between them, and remembers only titles and stamps."""

    def __init__(self, engine: sa.Engine, schema: Schema, zone: tzinfo, sweep_rows: int) -> None:
        self._engine = engine
        self._schema = schema
        self._readers = {source.name: RowReader(source, zone) for source in schema.sources}
        self._sweep_rows = sweep_rows
        self._page_rows = min(PAGE_ROWS, sweep_rows)
        self._catalogue: Catalogue = {}
        self._titles_read_at: datetime | None = None
        self._stamps = SqliteStamps(engine)

    def close(self) -> None:
        self._stamps.close()

    def mark_baseline(self, source_name: str, now: datetime) -> Cursor:
        """Return the mark that decides what is history: the snapshot and the highest id of this moment."""
        source = self._schema.source(source_name)
        with self._transaction() as connection:
            snapshot = take(connection, source.table.name)
            highest = connection.scalar(sa.select(sa.func.max(source.key_column)))
        return Cursor(
            source_table=source.name,
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

    def history(self, cursor: Cursor, now: datetime) -> Page:
        """Return the next page of what was there at the baseline, by primary key."""
        source = self._schema.source(cursor.source_table)
        key, visible_then = source.key_column, cursor.baseline_snapshot
        if cursor.history_id == LOWEST_ID:
            self._stamps.begin((source.name, "history"), self._stamps.take())
        query = (
            sa.select(*source.table.c)
            .where(key > cursor.history_id, key <= cursor.baseline_id)
            .order_by(key)
            .limit(self._page_rows)
        )
        if visible_then is not None:
            query = query.add_columns(sa.literal_column("xmin::text::bigint"))
        with self._transaction() as connection:
            read = connection.execute(query).all()
        found = _by_id(source, read)
        seen_then = zip(found, read, strict=True)
        history = frozenset(
            source_id for source_id, row in seen_then if visible_then is None or was_visible(row[-1], visible_then)
        )
        done = len(read) < self._page_rows
        after = replace(
            cursor,
            history_id=cursor.baseline_id if done else next(reversed(found)),
            history_done=done,
            safe_id=cursor.history_id,
            seen=(Seen(cursor.seen[0].next_xid, cursor.baseline_id, len(read)),),
        )
        activities = self._activities(source, found, {}, now)
        return Page(after, activities, rows=len(found), new_above=cursor.history_id, history=history)

    def changes(self, cursor: Cursor, open_ids: Sequence[int], recorded: Recorded, now: datetime) -> Iterator[Page]:
        """Give pages of everything that may have changed since `cursor`; store each before the next is read.

        Full pages of new rows come first; the last page brings the rest of them, the open rows and a slice of the
        sweep. `recorded` is asked between two transactions. Raises LmsUnavailable; what was stored before that stays
        right.
        """
        source = self._schema.source(cursor.source_table)
        position, settled, passed = cursor.safe_id, cursor.seen, 0
        oldest_open: int | None = None
        if cursor.sweep_started_at is None:
            self._stamps.end((source.name, "history"))
        is_last = False
        while not is_last:
            stamp = self._stamps.take()
            with self._transaction() as connection:
                view = _View(source, connection, take(connection, source.table.name), stamp)
                replaced = _is_replaced(cursor, view.snapshot)
                if view.snapshot.server != cursor.server or replaced:
                    cursor, settled = _forget_snapshots(cursor, view.snapshot), ()
                oldest_open = view.snapshot.xmin if oldest_open is None else min(oldest_open, view.snapshot.xmin)
                found = self._above(view, position)
                new_above, is_last = cursor.last_id, len(found) < self._page_rows
                new = sum(source_id > new_above for source_id in found)
                passed += len(found) - new
                position = next(reversed(found)) if found else position
                cursor = _advance(cursor, view, settled, _Read(position, is_last, new, oldest_open))
                cursor = _trim(cursor, self._sweep_rows)
                if is_last:
                    found |= _by_key(view, open_ids)
                    swept, cursor = self._sweep(view, cursor, self._sweep_rows - passed, now)
                    found |= swept
            yield Page(
                cursor,
                self._activities(source, found, self._recorded(source, found, new_above, recorded), now),
                rows=len(found),
                new_above=new_above,
                looked_at=tuple(open_ids) if is_last else (),
                vanished=tuple(one for one in open_ids if one not in found) if is_last else (),
                server_replaced=replaced,
            )
        if cursor.sweep_position is None:
            self._stamps.end((source.name, "sweep"))  # what was found is stored by now

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
        marks = {source_id: fingerprint(row) for source_id, row in found.items()}
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

    def _above(self, view: _View, position: int) -> dict[int, Row]:
        key = view.source.key_column
        query = sa.select(*view.source.table.c).where(key > position).order_by(key).limit(self._page_rows)
        return _by_id(view.source, view.connection.execute(query).all())

    def _sweep(self, view: _View, cursor: Cursor, budget: int, now: datetime) -> tuple[dict[int, Row], Cursor]:
        """Read the next slice of the sweep, by ctid or key; begin no round in a file without a commit since one."""
        source, snapshot = view.source, view.snapshot
        if cursor.sweep_position is None:
            if self._stamps.was_seen(source.name, view.stamp):
                return {}, cursor
            self._stamps.begin((source.name, "sweep"), view.stamp)
            cursor = replace(
                cursor,
                sweep_since=cursor.sweep_next_since,
                sweep_next_since=snapshot.xmin if snapshot.has_xmin else None,
                sweep_started_at=now,
            )
        query = sa.select(*source.table.c)
        position = cursor.sweep_position or 0
        if snapshot.blocks:
            blocks = max(1, int(max(budget, 1) / snapshot.rows_per_block))
            query = query.where(sa.text(f"ctid >= '({position},0)'::tid AND ctid < '({position + blocks},0)'::tid"))
            if cursor.sweep_since is not None:
                query = query.where(written_since(cursor.sweep_since))
            found = _by_id(source, view.connection.execute(query).all())
            position += blocks
            done = position >= snapshot.blocks
        else:
            limit, key = max(budget, 1), source.key_column
            above = LOWEST_ID if cursor.sweep_position is None else position
            found = _by_id(source, view.connection.execute(query.where(key > above).order_by(key).limit(limit)).all())
            position = next(reversed(found)) if found else position
            done = len(found) < limit
        return found, _end_of_slice(cursor, position, done, now)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise LmsUnavailable(f"the LMS cannot be read: {reason(error)}") from error


def _by_key(view: _View, ids: Sequence[int]) -> dict[int, Row]:
    if not ids:
        return {}
    within = in_list(view.source.key_column, ids, view.connection.dialect.name)
    return _by_id(view.source, view.connection.execute(sa.select(*view.source.table.c).where(within)))


def _by_id(source: Source, rows: Iterable[Any]) -> dict[int, Row]:
    """Return rows by id, in the order in which they come, each with the source's columns alone."""
    width, place = len(source.table.c), list(source.table.c).index(source.key_column)
    return {row[place]: tuple(row[:width]) for row in rows}


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


def _advance(cursor: Cursor, view: _View, settled: tuple[Seen, ...], read: _Read) -> Cursor:
    """Move the safe cursor over what this poll has read again, and remember the page just read.

    A page seen by an earlier poll is safe once every transaction that was open then has ended before this poll's
    oldest snapshot, and everything up to it has been read since: first read, then advance.
    """
    again = [s for s in settled if s.next_xid <= read.oldest_open and (read.is_last or s.last_id <= read.position)]
    safe_id = max([cursor.safe_id, *(s.last_id for s in again)])
    last_id = max(cursor.last_id, read.position)
    seen = tuple(s for s in cursor.seen if s.last_id > safe_id)
    if last_id > max([safe_id, *(s.last_id for s in seen)]):
        seen = (*seen, Seen(view.snapshot.next_xid, last_id, read.new_rows))
    return replace(
        cursor, safe_id=safe_id, last_id=last_id, seen=seen, next_xid=max(cursor.next_xid, view.snapshot.next_xid)
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
