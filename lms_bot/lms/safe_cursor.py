"""Moves the cursor over a table: what was read is behind it once nothing that was open then can still be missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lms_bot.core.cursor import Cursor, Seen
from lms_bot.lms.snapshot import BY_CLOCK, Snapshot


@dataclass(frozen=True, slots=True)
class Read:
    """A page of rows by key: how far it goes, whether it is the last, how many were never read before.

    `oldest_open`: the oldest transaction that was open at any page of this poll.
    """

    position: int
    is_last: bool
    new_rows: int
    oldest_open: int


def is_replaced(cursor: Cursor, snapshot: Snapshot) -> bool:
    """Return whether transaction ids went backwards, or the table is another one: a restored or replaced server."""
    if cursor.server is None or cursor.server == BY_CLOCK or snapshot.home is None:
        return False
    oids = cursor.server.split()[:2]
    return snapshot.next_xid < cursor.next_xid or snapshot.home.split()[:2] != oids


def forget_snapshots(cursor: Cursor, snapshot: Snapshot) -> Cursor:
    """Drop what transaction ids said: read again from the safe cursor, and compare whole slices for a round."""
    return replace(
        cursor,
        seen=(),
        sweep_position=None,
        sweep_since=None,
        sweep_next_since=None,
        server=snapshot.server,
        next_xid=snapshot.next_xid,
    )


def advance(cursor: Cursor, next_xid: int, settled: tuple[Seen, ...], read: Read) -> Cursor:
    """Move the safe cursor over what this poll has read again, and remember the page just read.

    A page seen by an earlier poll is safe once every transaction that was open then has ended before this poll's
    oldest snapshot, and everything up to it has been read since: first read, then advance.
    """
    again = [s for s in settled if s.next_xid <= read.oldest_open and (read.is_last or s.last_id <= read.position)]
    safe_id = max([cursor.safe_id, *(s.last_id for s in again)])
    last_id = max(cursor.last_id, read.position)
    seen = tuple(s for s in cursor.seen if s.last_id > safe_id)
    if last_id > max([safe_id, *(s.last_id for s in seen)]):
        seen = (*seen, Seen(next_xid, last_id, read.new_rows))
    return replace(cursor, safe_id=safe_id, last_id=last_id, seen=seen, next_xid=max(cursor.next_xid, next_xid))


def trim(cursor: Cursor, most_rows: int) -> Cursor:
    """Leave to the sweep what lies too far back to be read again in every poll."""
    seen, safe_id = list(cursor.seen), cursor.safe_id
    while seen and sum(s.rows for s in seen) > most_rows:
        safe_id = seen.pop(0).last_id
    return replace(cursor, seen=tuple(seen), safe_id=safe_id)


def end_of_slice(cursor: Cursor, position: int, done: bool, now: datetime) -> Cursor:
    """Move the sweep behind the slice just read, or end its round."""
    if not done:
        return replace(cursor, sweep_position=position)
    started = cursor.sweep_started_at or now
    return replace(cursor, sweep_position=None, sweep_seconds=(now - started).total_seconds())
