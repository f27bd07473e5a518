"""What mentors are owed, when it is due, and when what waits is looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from lms_bot.config import Settings
from lms_bot.domain import Event, EventType, Notification, Preferences
from lms_bot.holding import Held, hold, hold_still, zone_of
from lms_bot.store import Transaction, owed, people, preferences
from lms_bot.store.people import NOBODY, Around

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
        owed.owe(transaction, [(event_id, mentor_id, due_at) for event_id, mentor_id, due_at in rows if due_at])

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


def held_still(event: Event, found_at: datetime, wishes: Preferences, settings: Settings, now: datetime) -> Held:
    """When an event that waits to be told is due by the preferences of now, and why not before."""
    return hold_still(
        event.event_type,
        event.student_id,
        wishes,
        settings.delivery,
        zone_of(wishes, settings.timezone),
        found_at=found_at,
        now=now,
    )


def release(
    transaction: Transaction, waiting: Iterable[Notification], wishes: Preferences, settings: Settings, now: datetime
) -> list[Notification]:
    """Those of a mentor's waiting notifications that are due now; the others wait on, or are finished untold."""
    due = []
    held: dict[datetime | None, list[int]] = defaultdict(list)
    for notification in waiting:
        due_at = held_still(notification.event, notification.found_at, wishes, settings, now).due_at
        if due_at is not None and due_at <= now:
            due.append(notification)
        else:
            held[due_at].append(notification.log_id)
    for due_at, log_ids in held.items():
        if due_at is None:
            owed.turn_off(transaction, log_ids, now)
        else:
            owed.hold(transaction, log_ids, due_at)
    return due


def still_theirs(
    transaction: Transaction, mentor_id: int, due: list[Notification], now: datetime
) -> list[Notification]:
    """Those of the notifications whose students this mentor still has; the others go to the new mentors.

    An alert is one mentor's alone: it is closed when the student is not theirs any more.
    """
    theirs = people.students_among(transaction, mentor_id, {n.event.student_id for n in due if n.event.student_id})
    kept = [n for n in due if n.event.student_id in theirs or n.event.event_type.is_alert]
    left = {n.log_id for n in kept}
    owed.hand_over(transaction, [n for n in due if n.log_id not in left], now)
    return kept


def without_told_ends(transaction: Transaction, due: list[Notification], now: datetime) -> list[Notification]:
    """Without the starts that waited, as for a digest, until their ends were told."""
    starts = [n.log_id for n in due if n.event.event_type.is_start]
    folded = owed.fold_starts(transaction, starts, now) if starts else ()
    return [n for n in due if n.log_id not in folded]


def without_folded_starts(due: Sequence[Notification]) -> list[Notification]:
    """Without the starts whose ends are told in the same message."""
    ended = {_row(n.event) for n in due if not n.event.event_type.is_start}
    return [n for n in due if not n.event.event_type.is_start or _row(n.event) not in ended]


def _row(event: Event) -> tuple[str, int]:
    return event.source_table, event.source_id


def look_again(transaction: Transaction, mentor_id: int, settings: Settings, now: datetime) -> None:
    """Bring what waits for a mentor in line with what they ask for now."""
    wishes = preferences.of(transaction, [mentor_id]).get(mentor_id, DEFAULTS)
    due = release(transaction, owed.waiting(transaction, mentor_id), wishes, settings, now)
    owed.hold(transaction, [notification.log_id for notification in due], now)
