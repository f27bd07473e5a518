"""Enqueues notifications: which mentors are notified of an event, and when that is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event, EventType
from lms_bot.core.notifications import DEFAULT_PREFERENCES
from lms_bot.core.schedule import Due, MentorSchedule, zone_of
from lms_bot.store.notifications import preferences, queue
from lms_bot.store.people.people import UNKNOWN_STUDENT, Mentoring
from lms_bot.store.session import Transaction

log = logging.getLogger(__name__)


class Enqueuer:
    """Enqueues what one poll or job found at `now`; nothing is due before `not_before`.

    Preferences are read once per mentor.
    """

    def __init__(self, settings: Settings, now: datetime, not_before: datetime | None = None) -> None:
        self._settings = settings
        self._enabled = frozenset(kind for kind in EventType if is_enabled(kind, settings))
        self._now = now
        self._not_before = not_before or now
        self._schedules: dict[int, MentorSchedule] = {}
        self._known_due: dict[tuple[int, EventType], Due] = {}

    def enqueue(
        self, transaction: Transaction, inserted: Sequence[tuple[int, Event]], around: Mapping[int, Mentoring]
    ) -> None:
        """Enqueue events, each with its id, for the mentors whom their students have now."""
        if not self._settings.notify_mentors:
            return
        addressed = []
        for event_id, event in inserted:
            mentors = around.get(event.student_id or 0, UNKNOWN_STUDENT).mentors
            if why := self._why_nobody(event) or ("" if mentors else "the student has no mentor"):
                log.debug("event %d, %s: nobody is told, %s", event_id, event.event_type, why)
            else:
                addressed += [(event_id, event, mentor_id) for mentor_id, _ in mentors]
        self.enqueue_to(transaction, addressed)

    def _why_nobody(self, event: Event) -> str:
        if event.is_history:
            return "it is history"
        if event.mirrors is not None:
            return "another event says the same"
        return "" if event.event_type in self._enabled else "the settings leave it out"

    def enqueue_to(self, transaction: Transaction, addressed: Sequence[tuple[int, Event, int]]) -> None:
        """Enqueue each event for one mentor, given as (event id, event, mentor id)."""
        self._read_schedules(transaction, {mentor_id for _, _, mentor_id in addressed})
        rows = []
        for event_id, event, mentor_id in addressed:
            due = self._due(mentor_id, event)
            log.debug("event %d: mentor #%d is told at %s", event_id, mentor_id, due.due_at or "no time, by choice")
            if due.due_at is not None:
                rows.append((event_id, mentor_id, due.due_at, due.decision))
        queue.enqueue(transaction, rows)

    def _read_schedules(self, transaction: Transaction, mentor_ids: set[int]) -> None:
        unread = mentor_ids - self._schedules.keys()
        if not unread:
            return
        asked = preferences.effective(transaction, unread)
        for mentor_id in unread:
            own = asked.get(mentor_id, DEFAULT_PREFERENCES)
            zone = zone_of(own, self._settings.timezone)
            self._schedules[mentor_id] = MentorSchedule(own, self._settings.delivery, zone)

    def _due(self, mentor_id: int, event: Event) -> Due:
        schedule = self._schedules[mentor_id]
        if event.student_id in schedule.preferences.muted:
            return self._calculated(schedule, event)
        key = mentor_id, event.event_type
        if key not in self._known_due:
            self._known_due[key] = self._calculated(schedule, event)
        return self._known_due[key]

    def _calculated(self, schedule: MentorSchedule, event: Event) -> Due:
        due = schedule.when_due(event.event_type, event.student_id, self._now)
        return due if due.due_at is None else due._replace(due_at=max(due.due_at, self._not_before))


def is_enabled(kind: EventType, settings: Settings) -> bool:
    """Return whether the settings allow notifications of this kind; for clock events each mentor decides alone."""
    return kind.is_by_clock or kind in settings.event_types
