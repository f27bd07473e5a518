"""How far a source table has been read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lms_bot.core.events import Activity
from lms_bot.core.sync.studies import AttemptResult, LmsCounts

KEPT_AGE = timedelta(minutes=5)  # a cursor is saved at least so often, whether anything is found or not


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of a source table as some moment saw it: everything visible up to `last_id`, `rows` of it new then.

    `next_xid`: the first PostgreSQL transaction id not yet given out at that moment; where there are none, that moment
    in seconds; 0 on SQLite.
    """

    next_xid: int
    last_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source table has been read; kept in the store, moved in the transaction that stores what was read.

    * `baseline_*`: what was visible at the first poll is history; `history_id` says how far that has been recorded.
      `baseline_xids`: which of the youngest transaction ids were in rows then, the low 32 bits of each.
    * `last_id`: the highest id read; `safe_id`: below it no transaction that was open when it was read is left;
      `seen`: the pages between the two.
    * `sweep_*`: where the next slice begins (block or id; None: a round begins), which transaction ids the previous
      round vouches for (None: compare whole slices), the same for the round under way, its start, and how long the
      last one took.
    * `server`: which server and table the transaction ids belong to; `next_xid`: the highest one seen there.
    * `version`: how often it was saved, which shows that another process polls, too.
    """

    source_table: str
    baseline_at: datetime
    baseline_snapshot: str | None
    baseline_id: int
    history_id: int
    history_done: bool
    last_id: int
    safe_id: int
    seen: tuple[Seen, ...] = ()
    sweep_position: int | None = None
    sweep_since: int | None = None
    sweep_next_since: int | None = None
    sweep_started_at: datetime | None = None
    sweep_seconds: float | None = None
    server: str | None = None
    next_xid: int = 0
    version: int = 0
    baseline_xids: tuple[int, ...] | None = None

    @property
    def part_done(self) -> float:
        """How much of the history is recorded, judged by ids: 0 to 1."""
        if self.history_done:
            return 1.0
        return max(0.0, min(1.0, self.history_id / self.baseline_id)) if self.baseline_id > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """What rows of a source, read in one transaction, state, and the cursor to store together with that.

    `activities` are of the rows that are not as they were recorded last, out of `rows` that were read. `new_above`:
    rows of the source with a higher id were never read before. `history`: ids of rows that were there at the baseline.
    `looked_at`: the open rows that were asked for; those that have `vanished` were not found. Rows of a detail give
    `details`, and those that are none of ours are `dropped`.
    """

    cursor: Cursor
    source_table: str
    activities: tuple[Activity, ...]
    rows: int
    new_above: int
    history: frozenset[int] = frozenset()
    looked_at: tuple[int, ...] = ()
    vanished: tuple[int, ...] = ()
    server_replaced: bool = False
    details: tuple[AttemptResult | LmsCounts, ...] = ()
    dropped: tuple[int, ...] = ()

    def says_nothing(self, known: Cursor) -> bool:
        """Return whether nothing was found since `known`, and the cursor stands where it stood.

        A sweep that begins again from the same transaction ids reads more, and misses nothing.
        """
        cursor = self.cursor
        of_sweep = replace(
            known,
            sweep_since=cursor.sweep_since,
            sweep_next_since=cursor.sweep_next_since,
            sweep_started_at=cursor.sweep_started_at,
            sweep_seconds=cursor.sweep_seconds,
            next_xid=cursor.next_xid,
        )
        found = (
            self.activities or self.details or self.dropped or self.looked_at or self.vanished or self.server_replaced
        )
        return not found and known.sweep_seconds is not None and of_sweep == cursor
