"""Polls the LMS: what changed becomes events, and events become notifications, page by page."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.cursor import KEPT_AGE, Cursor, Page
from lms_bot.core.detect import OpenRow, observe, old_among
from lms_bot.core.events import Activity, Event
from lms_bot.core.operations.meter import Meter, PollOutcome
from lms_bot.db.statements import StatementCounter
from lms_bot.errors import LmsUnavailable, StoreUnavailable
from lms_bot.lms import Lms
from lms_bot.lms.source import Watch
from lms_bot.pipeline import incidents, surge
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.pipeline.people import PeopleReader
from lms_bot.store.academics import outdated
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.events import cursors, events, mirrors, page_reports, rows
from lms_bot.store.events.cursors import postpone_looks
from lms_bot.store.events.events import reconcile
from lms_bot.store.events.rows import no_longer_stated
from lms_bot.store.notifications import queue
from lms_bot.store.people import people
from lms_bot.store.people.people import Mentoring
from lms_bot.store.session import Store
from lms_bot.store.streaks import days

log = logging.getLogger(__name__)

OPEN_ROWS_AT_A_TIME = 2_000
ALERTS_AT_A_TIME = 50  # open ones, whose rows are looked at again in a poll; where there are more, they take turns
LOG_EVERY = 50_000  # rows of history between two lines of the log

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Progress = Callable[[str, float, int], None]
"""Called while history is recorded, with the source table, the part done (0 to 1) and the rows so far."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Numbers of events that a poll recorded; `server_replaced`: the LMS is another server now."""

    new_events: int = 0
    history_events: int = 0
    server_replaced: bool = False

    def __add__(self, other: Polled) -> Polled:
        return Polled(
            self.new_events + other.new_events,
            self.history_events + other.history_events,
            self.server_replaced or other.server_replaced,
        )


class Poller:
    """Polls one LMS into one store; everything it must remember is in the store."""

    def __init__(self, store: Store, lms: Lms, settings: Settings, meter: Meter | None = None) -> None:
        self._meter = meter or Meter()
        self._store = store
        self._lms = lms
        self._settings = settings
        self._people = PeopleReader(store, lms, settings)
        self._around: dict[int, Mentoring] = {}
        self._versions: dict[str, int] = {}
        self._kept_at: dict[str, datetime] = {}
        self._alerts_seen = 0  # up to which alert the rows behind open ones were looked at
        self._counted: set[tuple[tuple[int, date], bool]] = set()
        self._touched: set[int | None] = set()
        is_verbose = log.isEnabledFor(logging.DEBUG)
        self._statements = [StatementCounter(engine) for engine in (lms.engine, store.engine)] if is_verbose else []

    def poll(self, now: datetime, progress: Progress | None = None) -> Polled:
        """Read everything that changed, and note whether the LMS can be read.

        Raises LmsUnavailable or StoreUnavailable; what was committed stays right.
        """
        try:
            polled = self._poll(now, progress)
        except StoreUnavailable:
            self._meter.polled(PollOutcome.FAILED)
            raise
        except LmsUnavailable as error:
            self._lms.look_anew()
            self._meter.polled(PollOutcome.LMS_UNAVAILABLE)
            incidents.note_failed_poll(self._store, str(error), now)
            raise
        except Exception:
            self._meter.polled(PollOutcome.FAILED)
            incidents.note_failed_poll(self._store, "something unexpected happened, and the log says what", now)
            raise
        self._meter.polled(PollOutcome.OK)
        if self._statements:
            sent = [counter.take() for counter in self._statements]
            log.debug("poll: %d statements to the LMS, %d to the store", *sent)
        return polled

    def _poll(self, now: datetime, progress: Progress | None) -> Polled:
        self.refresh_people(now)
        for of_this_poll in (self._around, self._counted, self._touched):
            of_this_poll.clear()
        with self._store.reading() as transaction:
            enqueuer = Enqueuer(self._settings, now, not_before=surge.surge_ends_at(transaction, now))
            behind_alerts, self._alerts_seen = alerts.rows_behind_open(transaction, self._alerts_seen, ALERTS_AT_A_TIME)
        total = Polled()
        with _without_collecting():
            for watch in self._lms.watched(now):
                due = () if watch.is_part else behind_alerts.get(watch.source.name, ())
                total += self._poll_table(watch, due, enqueuer, now, progress)
        with self._store.writing() as transaction:
            surge.note_poll(transaction, total.new_events, now)
            incidents.note_poll(transaction, total.new_events, self._settings, now)
        return total

    def refresh_people(self, now: datetime, *, at_once: bool = False) -> None:
        """Read students, mentors and links again when they are old, or `at_once`; links in question, too."""
        self._people.refresh(now, at_once=at_once)

    def _poll_table(
        self, watch: Watch, due: Collection[int], enqueuer: Enqueuer, now: datetime, progress: Progress | None
    ) -> Polled:
        """Read what changed in one table; its rows that are `due` are looked at whether it did or not."""
        since = dict.fromkeys(due, now)
        with self._store.reading() as transaction:
            known = cursors.load(transaction, watch.name)
            if not watch.is_part:
                since |= cursors.due_rows(transaction, watch.name, now, OPEN_ROWS_AT_A_TIME)
        cursor, total = known or self._mark_baseline(watch, now), Polled()
        self._versions[watch.name] = cursor.version
        rows_read = 0
        while not cursor.history_done:
            page = self._lms.changes.history(watch, cursor, now)
            total += self._keep(page, {}, enqueuer, now)
            cursor = page.cursor
            rows_read += page.rows
            (progress or _log_progress)(watch.name, cursor.part_done, rows_read)
        for page in self._lms.changes.changes(watch, cursor, list(since), self._recorded, now):
            was_kept = timedelta() <= now - self._kept_at.get(watch.name, _LONG_AGO) < KEPT_AGE
            if was_kept and page.says_nothing(cursor):
                continue
            total += self._keep(page, since, enqueuer, now)
            log.debug("%s: %d changed rows, read until %d", watch.name, len(page.activities), page.cursor.last_id)
        return total

    def _mark_baseline(self, watch: Watch, now: datetime) -> Cursor:
        marked = self._lms.changes.mark_baseline(watch, now)
        with self._store.writing() as transaction:
            cursors.mark(transaction, marked, now)
            return cursors.load(transaction, watch.name) or marked

    def _keep(self, page: Page, open_since: Mapping[int, datetime], enqueuer: Enqueuer, now: datetime) -> Polled:
        """Store what a page says, in one transaction with the cursor that stands behind it."""
        source_table, watched = page.source_table, page.cursor.source_table
        followed = self._followed(source_table, old_among(page, now))
        observed = observe(replace(page, activities=self._with_students(page.activities, now)), now, followed)
        if any(not event.is_history for event in observed.events) and self._people.refresh_links(now):
            self._around.clear()
        around = self._people_around(observed.events, now)
        with self._store.writing() as transaction:
            stored = cursors.load(transaction, watched, to_move=True) or page.cursor
            states_nothing = not (observed.events or observed.silent or page.vanished)
            are_days_counted = not states_nothing and days.lock(transaction) is not None
            # Another process may have read further meanwhile.
            read_before = max(page.new_above, stored.last_id)
            is_overtaken = stored.version != self._versions.get(watched, 0)
            told = mirrors.with_attempts(transaction, observed.events)
            observed = replace(observed, events=page_reports.with_reports(transaction, told))
            inserted, corrected, doubtful, withdrawn, changed = reconcile(
                transaction, observed, around, read_before, now, is_overtaken=is_overtaken
            )
            queue.withdraw(transaction, withdrawn, now)
            mirrored = mirrors.note_mirrors(transaction, [event for _, event in inserted])
            queue.withdraw(transaction, mirrored.event_ids, now, mirrors.SAME_FACT)
            corrected += mirrored.corrected
            gone = no_longer_stated(transaction, page, observed)
            corrected += events.supersede(transaction, gone)
            if are_days_counted:
                days.count(transaction, inserted, corrected, self._settings.timezone, now, self._counted)
                moments = [(event.student_id, min(event.timestamp, now)) for _, event in inserted]
                moments += [(said.student_id, said.timestamp) for said in corrected]
                outdated.mark(transaction, moments, [*changed, *gone])
            touched = {e.student_id for e in observed.events} | {said.student_id for said in corrected}
            touched |= events.students_of(transaction, gone)
            watchlist.mark_due(transaction, touched - self._touched, now)
            cursors.keep_open(transaction, source_table, observed.open_rows)
            cursors.close(transaction, source_table, [*observed.closed, *page.vanished])
            cursors.keep_open(transaction, source_table, [OpenRow(source_id, now, now) for source_id in doubtful])
            postpone_looks(transaction, source_table, page, observed, open_since, now)
            enqueuer.enqueue(transaction, inserted, around)
            last_id, version = max(page.cursor.last_id, stored.last_id), stored.version + 1
            cursors.save(transaction, replace(page.cursor, last_id=last_id, version=version), now)
        if any(not event.is_history and not _has_mentor(event, around) for _, event in inserted):
            self._people.expect_link(now)
        self._versions[watched] = version
        self._kept_at[watched] = now
        self._touched |= touched
        self._meter.recorded(inserted)
        history = sum(event.is_history for _, event in inserted)
        return Polled(len(inserted) - history, history, page.server_replaced)

    def _with_students(self, activities: tuple[Activity, ...], now: datetime) -> tuple[Activity, ...]:
        """Find the student by username where an attempt names no id."""
        nameless = {a.student_username for a in activities if a.student_id is None and a.student_username}
        if not nameless:
            return activities
        ids = self._ids_by_username(nameless)
        if not nameless <= ids.keys() and self._people.refresh_for(now):
            ids = self._ids_by_username(nameless)
        return tuple(
            a._replace(student_id=ids.get(a.student_username or "")) if a.student_id is None else a for a in activities
        )

    def _people_around(self, observed: Sequence[Event], now: datetime) -> Mapping[int, Mentoring]:
        """Return the people around a page's students, and around those of the poll's pages before."""
        wanted = {event.student_id for event in observed if event.student_id is not None}
        if not wanted <= self._around.keys():
            self._look_around(wanted - self._around.keys())
            if not wanted <= self._around.keys() and self._people.refresh_for(now):
                self._look_around(wanted - self._around.keys())
        return self._around

    def _recorded(self, source_table: str, source_ids: Collection[int]) -> Mapping[int, int]:
        with self._store.reading() as transaction:
            return rows.fingerprints(transaction, source_table, source_ids)

    def _followed(self, source_table: str, source_ids: Collection[int]) -> Collection[int]:
        """Return those of the rows that were found before and had stated nothing, so that what they say now is news."""
        if not source_ids:
            return ()
        with self._store.reading() as transaction:
            return cursors.silent_among(transaction, source_table, source_ids)

    def _ids_by_username(self, usernames: Collection[str]) -> dict[str, int]:
        with self._store.reading() as transaction:
            return people.ids_by_username(transaction, usernames)

    def _look_around(self, student_ids: Collection[int]) -> None:
        with self._store.reading() as transaction:
            self._around |= people.mentoring_of(transaction, student_ids)


def _has_mentor(event: Event, around: Mapping[int, Mentoring]) -> bool:
    return bool(around.get(event.student_id or 0, people.UNKNOWN_STUDENT).mentors)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Stop collecting garbage: a poll makes rows by the hundred thousand and no cycles, and this saves a third."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _log_progress(source_table: str, part_done: float, rows: int) -> None:
    if rows and rows % LOG_EVERY == 0:
        log.info("history of %s: %d rows, about %d %%", source_table, rows, 100 * part_done)
