"""Compares the store with the LMS each night, mends what differs, and notes how far apart both were."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.calendar import local_day
from lms_bot.core.cursor import Cursor
from lms_bot.core.sync import Drift
from lms_bot.core.sync.studies import AttemptResult, LmsCounts
from lms_bot.errors import LmsMisfit
from lms_bot.lms import Lms
from lms_bot.lms.changes import LOWEST_ID, PAGE_ROWS
from lms_bot.lms.source import Counts, Watch
from lms_bot.pipeline.people import PeopleReader
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.details import at_version, look_up
from lms_bot.store import state
from lms_bot.store.academics import conflicts, counts, details
from lms_bot.store.academics import drift as drifts
from lms_bot.store.academics.drift import Walk
from lms_bot.store.events import cursors
from lms_bot.store.session import Store, Transaction

AT = timedelta(hours=3)  # after midnight
PAGES = 20  # that a turn compares
SAMPLE = 40  # pages of each detail in a night; where something differs, it goes on to the end


class DriftWatch:
    """Compares one store with one LMS, once a night, a turn at a time; a turn may end after any page."""

    def __init__(self, store: Store, lms: Lms, settings: Settings) -> None:
        self._store = store
        self._lms = lms
        self._settings = settings

    def compare_turn(self, now: datetime) -> None:
        """Compare the next part, if the night's comparison is due or under way. Raises LmsUnavailable."""
        day = local_day(now - AT, self._settings.timezone)
        with self._store.reading() as transaction:
            walk, has_polled = drifts.load(transaction), state.noted_at(transaction, state.POLLED) is not None
        if walk is None and has_polled:
            self._save(Walk(day, is_over=True), now)  # all was read just now: the first night is the next one
        if walk is None or (walk.is_over and walk.day >= day):
            return
        if walk.is_over:
            walk = walk.begin(day)
        if "people" not in walk.done:
            self._compare_small(walk, now)
        watches = self._lms.watched_details(now)
        left = PAGES
        for watch in watches:
            while left and watch.name not in walk.done:
                self._compare_page(walk, watch, now)
                left -= 1
        walk.is_over = all(watch.name in walk.done for watch in watches)
        self._save(walk, now)

    def _compare_small(self, walk: Walk, now: datetime) -> None:
        """Compare people, links, batches and courses whole, and look at the times and percentages of all events."""
        kept = PeopleReader(self._store, self._lms, self._settings).refresh(now, at_once=True)
        if kept is not None:
            for kind, changes in (("students", kept.students), ("mentors", kept.mentors), ("links", kept.links)):
                walk.add(kind, Drift.of(changes))
        walk.add("academics", Drift.of(academics.read_studies(self._store, self._lms, now)))
        with self._store.writing() as transaction:
            state.note(transaction, academics.EVENTS_CHECKED, 0, now)
        walk.done.append("people")
        self._save(walk, now)

    def _compare_page(self, walk: Walk, watch: Watch, now: datetime) -> None:
        """Compare the next page of a detail, and mend what differs in it."""
        name, above = watch.name, walk.positions.get(watch.name, LOWEST_ID)
        with self._store.reading() as transaction:
            cursor = cursors.load(transaction, name)
        if cursor is None or not cursor.history_done:
            walk.done.append(name)
            return
        compare = self._counts if isinstance(watch.source, Counts) else self._results
        try:
            found, upto = compare(watch, above, cursor, now)
        except LmsMisfit:  # the reading of changes says so
            walk.done.append(name)
            return
        walk.add(name, found)
        walk.pages[name] = walk.pages.get(name, 0) + 1
        walk.positions[name] = LOWEST_ID if upto is None else upto
        is_sampled = walk.pages[name] >= SAMPLE and not walk.found[name].distance
        if upto is None or is_sampled:
            walk.done.append(name)
        self._save(walk, now)

    def _results(self, watch: Watch, above: int, cursor: Cursor, now: datetime) -> tuple[Drift, int | None]:
        """Compare the next page of results; return what was found, and how far that goes unless it is the end."""
        with self._store.reading() as transaction:
            ours = details.ids_between(transaction, watch.name, above, cursor.safe_id, PAGE_ROWS)
        last = ours[-1] if len(ours) == PAGE_ROWS else cursor.safe_id
        (said, dropped), upto = self._lms.changes.details_between(watch, above, last)
        found = [one for one in said if isinstance(one, AttemptResult)]
        theirs = {one.source_id for one in found}.union(dropped)
        gone = [one for one in ours if one <= upto and one not in theirs]
        with self._store.writing() as transaction:
            if not _hold(transaction, watch, cursor, now):
                return Drift(), above
            changes = details.keep_results(transaction, watch.name, found, [*dropped, *gone], now)
            conflicts.find_unknown_attempts(transaction, found, now)
        return Drift.of(changes), None if upto >= cursor.safe_id else upto

    def _counts(self, watch: Watch, above: int, cursor: Cursor, now: datetime) -> tuple[Drift, int | None]:
        """Compare the same of what the LMS counts of the next students, by the rows of which it was taken."""
        with self._store.reading() as transaction:
            ours = counts.above(transaction, above, PAGE_ROWS)
        if not ours:
            return Drift(), None
        said, _ = self._lms.changes.details_by_id(watch, [one.source_id for one in ours])
        found = [one for one in said if isinstance(one, LmsCounts)]
        absent = {one.source_id for one in ours} - {one.source_id for one in found}
        doubtful, theirs = look_up(self._store, self._lms, watch, found, absent)
        with self._store.writing() as transaction:
            if not _hold(transaction, watch, cursor, now):
                return Drift(), above
            changes = counts.keep(transaction, found, doubtful, theirs)
        drift = Drift.of(replace(changes, read=len(ours)))
        return drift, ours[-1].student_id if len(ours) == PAGE_ROWS else None

    def _save(self, walk: Walk, now: datetime) -> None:
        with self._store.writing() as transaction:
            drifts.save(transaction, walk, now)


def _hold(transaction: Transaction, watch: Watch, cursor: Cursor, now: datetime) -> bool:
    """Let who reads changes now begin anew after this transaction; return False where they have moved the cursor."""
    stored = at_version(transaction, watch, cursor.version)
    if stored is None:
        return False
    cursors.save(transaction, replace(stored, version=stored.version + 1), now)
    return True
