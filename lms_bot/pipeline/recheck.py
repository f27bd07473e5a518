"""Checks again, at the moment of sending, what waits for a mentor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.alerts import is_urgent
from lms_bot.core.events import FINISHING, Event
from lms_bot.core.notifications import AT_ONCE, DEFAULT_PREFERENCES, Notification, Preferences
from lms_bot.core.people import ZulipUser
from lms_bot.core.schedule import Due, MentorSchedule, zone_of
from lms_bot.pipeline import alert_notifications
from lms_bot.store.notifications import preferences, queue
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Transaction


def take_for_message(
    transaction: Transaction,
    mentor_id: int,
    due: list[Notification],
    last: datetime | None,
    settings: Settings,
    now: datetime,
) -> list[Notification]:
    """Return what a mentor's next message, after the `last`, tells of what is due; postpone or finish the rest."""
    asked = preferences.effective(transaction, [mentor_id]).get(mentor_id, DEFAULT_PREFERENCES)
    due = reschedule(transaction, due, asked, settings, now)
    due = keep_quiet_minutes(transaction, due, last, settings, now)
    due = alert_notifications.take_for_message(transaction, due, asked, settings, now)
    return fold_told_starts(transaction, due, now)


def reschedule(
    transaction: Transaction, waiting: Iterable[Notification], asked: Preferences, settings: Settings, now: datetime
) -> list[Notification]:
    """Postpone or finish what is not due now by the preferences a mentor `asked` for; return what is due."""
    due = []
    postponed: dict[Due, list[int]] = defaultdict(list)
    for notification in waiting:
        found = still_due(notification.event, notification.found_at, asked, settings, now)
        if found.due_at is not None and found.due_at <= now:
            due.append(notification)
        else:
            postponed[found].append(notification.log_id)
    for found, log_ids in postponed.items():
        if found.due_at is None:
            queue.finish_unwanted(transaction, log_ids, now)
        else:
            queue.postpone(transaction, log_ids, found.due_at, found.decision)
    return due


def reschedule_mentor(transaction: Transaction, mentor_id: int, settings: Settings, now: datetime) -> None:
    """Bring everything that waits for a mentor in line with their preferences of now."""
    asked = preferences.effective(transaction, [mentor_id]).get(mentor_id, DEFAULT_PREFERENCES)
    due = reschedule(transaction, queue.unsent_to(transaction, mentor_id), asked, settings, now)
    queue.postpone(transaction, [notification.log_id for notification in due], now, AT_ONCE)


def keep_accounts(transaction: Transaction, users: Sequence[ZulipUser], settings: Settings, now: datetime) -> None:
    """Keep the accounts of Zulip; make due what waited for one, and move what waits to the time zone of its mentor."""
    before = accounts.mentor_zones(transaction)
    queue.make_mapped_due(transaction, accounts.keep_zulip_users(transaction, users, now), now)
    for mentor_id, zone in accounts.mentor_zones(transaction).items():
        if before.get(mentor_id, zone) != zone:
            _move_to_zone(transaction, mentor_id, settings, now)


def _move_to_zone(transaction: Transaction, mentor_id: int, settings: Settings, now: datetime) -> None:
    """Schedule anew, as one, all that waits for a mentor and was found before their time zone changed."""
    asked = preferences.effective(transaction, [mentor_id]).get(mentor_id, DEFAULT_PREFERENCES)
    schedule = MentorSchedule(asked, settings.delivery, zone_of(asked, settings.timezone))
    moved: dict[Due, list[int]] = defaultdict(list)
    for waiting in queue.unsent_to(transaction, mentor_id):
        if waiting.due_at > now:
            due = schedule.when_due(waiting.event.event_type, waiting.event.student_id, now)
            moved[due].append(waiting.log_id)
    for due, log_ids in moved.items():
        if due.due_at is not None:  # what is turned off is finished when it is due
            queue.postpone(transaction, log_ids, due.due_at, due.decision)


def still_due(event: Event, found_at: datetime, asked: Preferences, settings: Settings, now: datetime) -> Due:
    """Return when a waiting event is due by the preferences of now, and why not earlier."""
    schedule = MentorSchedule(asked, settings.delivery, zone_of(asked, settings.timezone))
    return schedule.still_due(event.event_type, event.student_id, found_at, now)


def hand_over_former_students(
    transaction: Transaction, mentor_ids: Sequence[int], due: list[Notification], now: datetime
) -> list[Notification]:
    """Hand over to the new mentors what is about students whom a person no longer has as any of these mentors.

    Gives the rest.

    An alert is never handed over: it belongs to one mentor, and is closed when the student leaves them.
    """
    student_ids = {n.event.student_id for n in due if n.event.student_id}
    theirs = set().union(*(people.students_among(transaction, mentor_id, student_ids) for mentor_id in mentor_ids))
    kept = [
        n for n in due if n.event.student_id in theirs or (n.event.event_type.is_alert and n.event.student_id is None)
    ]
    kept_ids = {n.log_id for n in kept}
    queue.reassign(transaction, [n for n in due if n.log_id not in kept_ids], now)
    return kept


def keep_quiet_minutes(
    transaction: Transaction, due: list[Notification], last: datetime | None, settings: Settings, now: datetime
) -> list[Notification]:
    """Postpone what comes too soon after a mentor's last message; return what is due: then only urgent alerts.

    A last message that is still to come was sent before the clock was moved back, and keeps nobody waiting.
    """
    quiet = timedelta(minutes=settings.quiet_minutes)
    if last is None or not timedelta() <= now - last < quiet:
        return due
    queue.postpone(transaction, [n.log_id for n in due if not is_urgent(n.event)], last + quiet)
    return [n for n in due if is_urgent(n.event)]


def fold_told_starts(transaction: Transaction, due: list[Notification], now: datetime) -> list[Notification]:
    """Finish the starts whose ends were sent while they waited, as for a digest; return the rest."""
    starts = [n.log_id for n in due if n.event.event_type.is_start]
    folded = queue.fold_starts(transaction, starts, now) if starts else ()
    return [n for n in due if n.log_id not in folded]


def without_folded_starts(due: Sequence[Notification]) -> list[Notification]:
    """Return each event once, the oldest first, but for starts whose ends are in the same message."""
    ended = {_row(n.event) for n in due if n.event.event_type in FINISHING}
    once = {n.event.event_id: n for n in due if not n.event.event_type.is_start or _row(n.event) not in ended}
    return sorted(once.values(), key=lambda n: (n.event.timestamp, n.event.event_id))


def _row(event: Event) -> tuple[str, int, int]:
    return event.source_table, event.source_id, event.episode
