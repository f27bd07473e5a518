"""What mentors are owed, when it is due, and when what waits is looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event, EventType
from lms_bot.core.notifications import Preferences
from lms_bot.core.schedule import hold, zone_of
from lms_bot.store.notifications import preferences, queue
from lms_bot.store.people.people import NOBODY, Around
from lms_bot.store.session import Transaction

DEFAULTS = Preferences()


class Owing:
    """Decides for the events of one poll; what mentors asked for is read once in it."""

    def __init__(self, settings: Settings, now: datetime, not_before: datetime | None = None) -> None:
        self._settings = settings
        self._kinds = frozenset(kind for kind in EventType if is_told(kind, settings))
        self._now = now
        self._not_before = not_before or now
        self._preferences: dict[int, Preferences] = {}
        self._due: dict[tuple[int, EventType], datetime | None] = {}

    def owe(
        self, transaction: Transaction, inserted: Sequence[tuple[int, Event]], around: Mapping[int, Around]
    ) -> None:
        """Owe the events to their students' mentors of now."""
        if not self._settings.notify_mentors:
            return
        told = [
            (event_id, event, mentor_id)
            for event_id, event in inserted
            if not event.is_history and event.mirrors is None and event.event_type in self._kinds
            for mentor_id, _ in around.get(event.student_id or 0, NOBODY).mentors
        ]
        self.owe_to(transaction, told)

    def owe_to(self, transaction: Transaction, told: Sequence[tuple[int, Event, int]]) -> None:
        """Owe each event to one mentor, as (event id, event, mentor id)."""
        self._read_preferences(transaction, {mentor_id for _, _, mentor_id in told})
        rows = ((event_id, mentor_id, self._due_at(mentor_id, event)) for event_id, event, mentor_id in told)
        queue.owe(transaction, [(event_id, mentor_id, due_at) for event_id, mentor_id, due_at in rows if due_at])

    def _read_preferences(self, transaction: Transaction, mentor_ids: set[int]) -> None:
        if unread := mentor_ids - self._preferences.keys():
            self._preferences |= dict.fromkeys(unread, DEFAULTS) | preferences.of(transaction, unread)

    def _due_at(self, mentor_id: int, event: Event) -> datetime | None:
        wishes = self._preferences[mentor_id]
        if event.student_id in wishes.muted:
            return self._held(wishes, event)
        key = mentor_id, event.event_type
        if key not in self._due:
            self._due[key] = self._held(wishes, event)
        return self._due[key]

    def _held(self, wishes: Preferences, event: Event) -> datetime | None:
        zone = zone_of(wishes, self._settings.timezone)
        due_at = hold(event.event_type, event.student_id, wishes, self._settings.delivery, zone, self._now).due_at
        return None if due_at is None else max(due_at, self._not_before)


def is_told(kind: EventType, settings: Settings) -> bool:
    """Whether the settings let mentors be told of it; what the clock causes is each mentor's own choice."""
    return kind.is_by_clock or kind in settings.event_types
