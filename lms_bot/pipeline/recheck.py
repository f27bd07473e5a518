"""Looks again, at the moment of sending, at what a mentor is owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.notifications import Notification, Preferences
from lms_bot.core.schedule import Held, hold_still, zone_of
from lms_bot.pipeline.enqueue import DEFAULTS
from lms_bot.store.notifications import preferences, queue
from lms_bot.store.people import people
from lms_bot.store.session import Transaction


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
            queue.turn_off(transaction, log_ids, now)
        else:
            queue.hold(transaction, log_ids, due_at)
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
    queue.hand_over(transaction, [n for n in due if n.log_id not in left], now)
    return kept


def without_told_ends(transaction: Transaction, due: list[Notification], now: datetime) -> list[Notification]:
    """Without the starts that waited, as for a digest, until their ends were told."""
    starts = [n.log_id for n in due if n.event.event_type.is_start]
    folded = queue.fold_starts(transaction, starts, now) if starts else ()
    return [n for n in due if n.log_id not in folded]


def without_folded_starts(due: Sequence[Notification]) -> list[Notification]:
    """Without the starts whose ends are told in the same message."""
    ended = {_row(n.event) for n in due if not n.event.event_type.is_start}
    return [n for n in due if not n.event.event_type.is_start or _row(n.event) not in ended]


def _row(event: Event) -> tuple[str, int]:
    return event.source_table, event.source_id


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


def look_again(transaction: Transaction, mentor_id: int, settings: Settings, now: datetime) -> None:
    """Bring what waits for a mentor in line with what they ask for now."""
    wishes = preferences.of(transaction, [mentor_id]).get(mentor_id, DEFAULTS)
    due = release(transaction, queue.waiting(transaction, mentor_id), wishes, settings, now)
    queue.hold(transaction, [notification.log_id for notification in due], now)
