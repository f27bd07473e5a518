"""Reads the changes of one table of details into the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from lms_bot.core.cursor import KEPT_AGE, Cursor, Page
from lms_bot.core.sync import Changes
from lms_bot.core.sync.studies import AttemptResult, LmsCounts
from lms_bot.lms import Lms
from lms_bot.lms.source import Counts, Watch
from lms_bot.store.academics import counts, details
from lms_bot.store.events import cursors
from lms_bot.store.session import Store, Transaction

TOGETHER = 500  # students of whom all days are read together

Show = Callable[[str, float, int], None]
"""Called after each page of a detail's first reading with its name, the part done (0 to 1) and the rows so far."""


class DetailReader:
    """Reads the changes of one table of details into the store, page by page; a turn may end after any of them."""

    def __init__(self, store: Store, lms: Lms, watch: Watch) -> None:
        self._store = store
        self._lms = lms
        self._watch = watch
        self._version = 0  # of the cursor in the store, if nobody else has moved it
        self._is_due = False  # the cursor is to be saved, whether anything is found or not

    def read_turn(self, now: datetime, most_pages: int) -> Changes:
        """Read at most so many pages, and store each. Raises LmsUnavailable."""
        total = Changes()
        for read, kept in enumerate(self._kept(now, None), 1):
            if kept is None:  # another process reads, too, and is further
                break
            total += kept
            if read == most_pages:
                break
        return total

    def read_all(self, now: datetime, show: Show | None = None) -> Changes:
        """Read all pages, and store each; go on from where another process has come to. Raises LmsUnavailable."""
        total, is_done = Changes(), False
        while not is_done:
            is_done = True
            for kept in self._kept(now, show):
                if kept is None:
                    is_done = False
                    break
                total += kept
        return total

    def _kept(self, now: datetime, show: Show | None) -> Iterator[Changes | None]:
        """Store page after page, and give what that changed; None where another process is further."""
        rows = 0
        for page in self._pages(now):
            yield self._keep(page, now)
            rows += page.rows
            if show is not None and not page.cursor.history_done:
                show(self._watch.name, page.cursor.part_done, rows)

    def _pages(self, now: datetime) -> Iterator[Page]:
        """Give the pages to be stored, each before the next is read."""
        cursor = self._cursor(now)
        while not cursor.history_done:
            page = self._lms.changes.history(self._watch, cursor, now)
            cursor = page.cursor
            yield page
        for page in self._lms.changes.changes(self._watch, cursor, (), _nothing_recorded, now):
            if self._is_due or not page.says_nothing(cursor):
                yield page

    def _cursor(self, now: datetime) -> Cursor:
        """Return where to go on; note how old that is."""
        with self._store.reading() as transaction:
            known = cursors.load(transaction, self._watch.name)
            moved_at = cursors.moved_at(transaction, self._watch.name)
        if known is None or moved_at is None:
            marked = self._lms.changes.mark_baseline(self._watch, now)
            with self._store.writing() as transaction:
                cursors.mark(transaction, marked, now)
                known = cursors.load(transaction, self._watch.name) or marked
        self._version = known.version
        self._is_due = moved_at is None or not timedelta() <= now - moved_at < KEPT_AGE
        return known

    def _keep(self, page: Page, now: datetime) -> Changes | None:
        """Store what a page says, in one transaction with its cursor; None where another process moved that first."""
        keep = self._keep_counts if isinstance(self._watch.source, Counts) else self._keep_results
        changes = keep(page, now)
        return None if changes is None else replace(changes, read=page.rows)

    def _keep_results(self, page: Page, now: datetime) -> Changes | None:
        results = [one for one in page.details if isinstance(one, AttemptResult)]
        with self._store.writing() as transaction:
            if not self._move(transaction, page, now):
                return None
            return details.keep_results(transaction, self._watch.name, results, page.dropped, now)

    def _keep_counts(self, page: Page, now: datetime) -> Changes | None:
        found = [one for one in page.details if isinstance(one, LmsCounts)]
        doubtful, theirs = look_up(self._store, self._lms, self._watch, found, page.dropped)
        with self._store.writing() as transaction:
            if not self._move(transaction, page, now):
                return None
            return counts.keep(transaction, found, doubtful, theirs)

    def _move(self, transaction: Transaction, page: Page, now: datetime) -> bool:
        """Save the cursor behind a page; return False where another process has moved it."""
        if at_version(transaction, self._watch, self._version) is None:
            return False
        self._version += 1
        cursors.save(transaction, replace(page.cursor, version=self._version), now)
        return True


def at_version(transaction: Transaction, watch: Watch, version: int) -> Cursor | None:
    """Return the cursor of a detail, which nobody moves in this transaction, unless it is at another version."""
    stored = cursors.load(transaction, watch.name, to_move=True)
    return stored if stored is not None and stored.version == version else None


def look_up(
    store: Store, lms: Lms, watch: Watch, found: Collection[LmsCounts], absent: Collection[int]
) -> tuple[list[int], list[LmsCounts]]:
    """Return the students whose newest row is no longer theirs, or the newest, and what the LMS counts of them now.

    `found` are rows as they are now, `absent` the ids of some that say nothing. Raises LmsUnavailable.
    """
    with store.reading() as transaction:
        doubtful = counts.doubtful(transaction, found, absent)
    theirs: list[LmsCounts] = []
    for first in range(0, len(doubtful), TOGETHER):
        said, _ = lms.changes.details_of(watch, doubtful[first : first + TOGETHER])
        theirs += counts.newest(one for one in said if isinstance(one, LmsCounts)).values()
    return doubtful, theirs


def _nothing_recorded(_source: str, _ids: Collection[int]) -> Mapping[int, int]:
    return {}
