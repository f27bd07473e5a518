"""Keeps the people of the store those of the LMS, and turns what waits to the mentors whom it concerns now."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.detect import HISTORY_AGE
from lms_bot.core.people import Census
from lms_bot.lms import Lms
from lms_bot.pipeline import streaks, surge
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.events.mentors import label_nobodys
from lms_bot.store.notifications import queue, recipients
from lms_bot.store.people import people, readings
from lms_bot.store.people.people import Kept
from lms_bot.store.questions import latest
from lms_bot.store.session import Store, Transaction
from lms_bot.store.state import noted_at

log = logging.getLogger(__name__)

PEOPLE_AGE = timedelta(minutes=5)
LINK_EXPECTED = timedelta(minutes=10)  # so long a link may be late that belongs to an event found before it


class PeopleReader:
    """Reads students, mentors and links into one store; in one poll each kind of reading is made once at most."""

    def __init__(self, store: Store, lms: Lms, settings: Settings) -> None:
        self._store = store
        self._lms = lms
        self._settings = settings
        self._people_read_at: datetime | None = None
        self._links_read_at: datetime | None = None
        self._link_expected_until: datetime | None = None

    def refresh(self, now: datetime, *, at_once: bool = False) -> Kept | None:
        """Read everybody again when that is long ago or not believed yet, or `at_once`; else links in question.

        Return what changed when everybody was read; None too where that is not believed yet. Raises LmsUnavailable.
        """
        if not at_once:
            with self._store.reading() as transaction:
                read_at = noted_at(transaction, people.PEOPLE_READ)
                is_recent = read_at is not None and timedelta() <= now - read_at < PEOPLE_AGE
                is_fresh = is_recent and not readings.are_in_doubt(transaction, now)
                are_in_question = is_fresh and self._are_links_in_question(transaction, now)
            if are_in_question:
                self.refresh_links(now)
            if is_fresh:
                return None
        with self._store.reading() as transaction:
            asked = latest.asked_at(transaction)
        read = self._lms.read_people(now)
        self._people_read_at = self._links_read_at = now
        with self._store.writing() as transaction:
            found = Census(len(read.students), len(read.mentors), len(read.links))
            if not _is_believed(transaction, found, now):
                return None
            kept = people.keep_people(transaction, read.students, read.mentors, read.links, now)
            queue.make_mapped_due(transaction, kept.mapped, now)
            streaks.recount_moved_zones(transaction, self._settings.timezone, now)
            watchlist.follow_students(transaction, now)
            self._turn_to_mentors(transaction, now)
            latest.forget(transaction, asked)
            return kept

    def refresh_for(self, now: datetime) -> bool:
        """Read everybody again since somebody is unknown; return False where this poll has done so."""
        if self._people_read_at == now:
            return False
        self.refresh(now, at_once=True)
        return True

    def refresh_links(self, now: datetime) -> bool:
        """Read the links again, in one statement, unless this poll has done so; return whether any is another."""
        if self._links_read_at == now:
            return False
        self._links_read_at = now
        with self._store.reading() as transaction:
            asked = latest.asked_at(transaction)
        links = self._lms.read_links(now)
        with self._store.writing() as transaction:
            changes = people.compare_links(transaction, links)
            if not (changes.added or changes.gone):
                latest.forget(transaction, asked)
                return False
            if people.are_known(transaction, changes.added):
                found = people.census(transaction)._replace(links=len(links))
                if _is_believed(transaction, found, now):
                    people.change_links(transaction, changes, now)
                    self._turn_to_mentors(transaction, now)
                    latest.forget(transaction, asked)
                return True
        return self.refresh_for(now)

    def expect_link(self, now: datetime) -> None:
        """Look at the links in every poll for a while: there is news of a student without mentor."""
        self._link_expected_until = now + LINK_EXPECTED

    def _are_links_in_question(self, transaction: Transaction, now: datetime) -> bool:
        """Return whether a mentor asked since, a link is expected, or something comes due before long."""
        next_poll = now + timedelta(seconds=self._settings.poll_interval)
        return (
            (self._link_expected_until is not None and now <= self._link_expected_until)
            or latest.asked_at(transaction) is not None
            or recipients.is_due_between(transaction, now, next_poll)
        )

    def _turn_to_mentors(self, transaction: Transaction, now: datetime) -> None:
        """Bring what is open, owed or untold in line with who is whose mentor now."""
        alerts.close_of_former_mentors(transaction, now)
        recipients.wake(transaction, now)
        queue.reassign(transaction, recipients.waiting_for_former_mentors(transaction), now)
        if untold := label_nobodys(transaction, now - HISTORY_AGE):
            around = people.mentoring_of(transaction, {event.student_id or 0 for _, event in untold})
            enqueuer = Enqueuer(self._settings, now, not_before=surge.surge_ends_at(transaction, now))
            enqueuer.enqueue(transaction, untold, around)


def _is_believed(transaction: Transaction, found: Census, now: datetime) -> bool:
    is_believed = readings.note_reading(transaction, found, now)
    if not is_believed:
        log.warning(
            "the LMS has far fewer people or links than before (%d students, %d mentors, %d links): nobody is told "
            "anything until that has held for some minutes",
            *found,
        )
    return is_believed
