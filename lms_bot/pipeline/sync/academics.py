"""Keeps what is known of studies that of the LMS: small tables whole, details by what changed, a turn at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from lms_bot.core.calendar import EARLIEST
from lms_bot.core.cursor import Cursor, Page
from lms_bot.core.sync import Changes
from lms_bot.core.sync.studies import AttemptResult, LmsCounts
from lms_bot.lms import Lms
from lms_bot.lms.source import Watch
from lms_bot.store import state
from lms_bot.store.academics import conflicts, details, studies
from lms_bot.store.events import cursors
from lms_bot.store.session import Store, Transaction

PAGES = 20  # of details that a turn reads
STUDIES = "academics"  # the fact: when batches and courses were read last
STUDIES_AGE = timedelta(minutes=5)
EVENTS_CHECKED = "events_checked"  # the fact: up to which event times and percentages were checked
EVENTS = 50_000  # that are checked in a turn

Show = Callable[[str, float, int], None]
"""Called after each page of a detail's first reading with its name, the part done (0 to 1) and the rows so far."""


def read_turn(store: Store, lms: Lms, now: datetime) -> Changes:
    """Read what changed of studies, a bounded part of it; the rest comes with the next turns.

    Before the first poll nobody and no attempt is known. Raises LmsUnavailable or StoreUnavailable.
    """
    with store.reading() as transaction:
        noted = state.some(transaction, [state.POLLED, STUDIES])
    if state.POLLED not in noted:
        return Changes()
    _, read_at = noted.get(STUDIES, (None, EARLIEST))
    total = Changes()
    if not timedelta() <= now - read_at < STUDIES_AGE:
        total += read_studies(store, lms, now)
    watches = lms.watched_details(now)
    for watch in watches:
        total += DetailReader(store, lms, watch).read(now, max(1, PAGES // len(watches)))
    check_events(store, now)
    return total


def read_all(store: Store, lms: Lms, now: datetime, show: Show | None = None) -> Changes:
    """Read all that changed of studies. Raises LmsUnavailable or StoreUnavailable."""
    total = Changes()
    for watch in lms.watched_details(now):
        total += DetailReader(store, lms, watch).read(now, None, show)
    while check_events(store, now):
        pass
    return total + read_studies(store, lms, now)


def read_studies(store: Store, lms: Lms, now: datetime) -> Changes:
    """Read the small tables whole, and look which rows cannot be quite right. Raises LmsUnavailable."""
    found = lms.read_academics(now)
    with store.writing() as transaction:
        changes = studies.keep_studies(transaction, found)
        conflicts.find_among_people(transaction, now)
        conflicts.clear_mended(transaction, now)
        state.note(transaction, STUDIES, True, now)
    return changes


def check_events(store: Store, now: datetime) -> bool:
    """Check times and percentages of the next events; return whether there are more."""
    with store.reading() as transaction:
        above = state.value(transaction, EVENTS_CHECKED) or 0
        upto = conflicts.next_events(transaction, above, EVENTS)
    if upto is None:
        return False
    with store.writing() as transaction:
        conflicts.find_among_events(transaction, above, upto, now)
        state.note(transaction, EVENTS_CHECKED, upto, now)
    return True


class DetailReader:
    """Reads the changes of one table of details into the store, page by page; a turn may end after any of them."""

    def __init__(self, store: Store, lms: Lms, watch: Watch) -> None:
        self._store = store
        self._lms = lms
        self._watch = watch

    def read(self, now: datetime, most_pages: int | None, show: Show | None = None) -> Changes:
        """Read at most so many pages (all, for None), and store each. Raises LmsUnavailable."""
        total, pages = Changes(), 0
        for page, version in self._pages(now):
            kept = self._keep(page, version, now)
            if kept is None:  # another process reads, too, and is further
                break
            total, pages = total + kept, pages + 1
            if show is not None and not page.cursor.history_done:
                show(self._watch.name, page.cursor.part_done, total.read)
            if most_pages is not None and pages >= most_pages:
                break
        return total

    def _pages(self, now: datetime) -> Iterator[tuple[Page, int]]:
        """Give pages, each with the version that the cursor in the store has if nobody else has moved it."""
        cursor = self._cursor(now)
        version = cursor.version
        while not cursor.history_done:
            page = self._lms.changes.history(self._watch, cursor, now)
            cursor = page.cursor
            yield page, version
            version += 1
        for page in self._lms.changes.changes(self._watch, cursor, (), _nothing_recorded, now):
            yield page, version
            version += 1

    def _cursor(self, now: datetime) -> Cursor:
        with self._store.reading() as transaction:
            known = cursors.load(transaction, self._watch.name)
        if known is not None:
            return known
        marked = self._lms.changes.mark_baseline(self._watch, now)
        with self._store.writing() as transaction:
            cursors.mark(transaction, marked, now)
            return cursors.load(transaction, self._watch.name) or marked

    def _keep(self, page: Page, version: int, now: datetime) -> Changes | None:
        """Store what a page says, in one transaction with its cursor; None where another process moved that first."""
        with self._store.writing() as transaction:
            stored = cursors.load(transaction, self._watch.name, to_move=True)
            if stored is None or stored.version != version:
                return None
            changes = keep_details(transaction, page.source_table, page.details, page.dropped, now)
            cursors.save(transaction, replace(page.cursor, version=version + 1), now)
        return replace(changes, read=page.rows)


def keep_details(
    transaction: Transaction,
    name: str,
    found: Collection[AttemptResult | LmsCounts],
    dropped: Collection[int],
    now: datetime,
) -> Changes:
    """Store what rows of a detail say; those `dropped` say nothing now."""
    counts = [one for one in found if isinstance(one, LmsCounts)]
    if counts:
        return details.keep_counts(transaction, counts)
    results = [one for one in found if isinstance(one, AttemptResult)]
    if not (results or dropped):
        return Changes()
    return details.keep_results(transaction, name, results, dropped, now)


def _nothing_recorded(_source: str, _ids: Collection[int]) -> Mapping[int, int]:
    return {}
