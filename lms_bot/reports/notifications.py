"""What mentors are still to be told, what became of single events for them, and what could not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import EventClass
from lms_bot.core.notifications import ParkedMessage, Pending, Preferences, Timing, Trace, Unsent
from lms_bot.core.principal import Principal
from lms_bot.core.schedule import timing_of
from lms_bot.pipeline.enqueue import is_enabled
from lms_bot.pipeline.recheck import still_due
from lms_bot.reports import access
from lms_bot.store.notifications import outbox, preferences, queue, trace
from lms_bot.store.notifications.queue import QueueEntry
from lms_bot.store.notifications.trace import TraceEntry
from lms_bot.store.session import Transaction

TOO_MANY = "more than a day's number of alerts"
_GIVEN_UP = {
    queue.TURNED_OFF: Unsent.CHOICE,
    queue.NOT_THEIR_STUDENT: Unsent.NOT_THEIRS,
    queue.WITHDRAWN: Unsent.TAKEN_BACK,
}


def pending(
    transaction: Transaction, principal: Principal, most: int, settings: Settings, now: datetime
) -> tuple[int, list[Pending]]:
    """Return how many notifications a mentor is owed about their own students, and the first due of them."""
    total, owed = queue.pending_for_mentors(transaction, principal.mentor_ids, most)
    asked = preferences.effective(transaction, {one.mentor_id for one in owed})
    return total, [_pending(one, asked, settings, now) for one in owed]


def all_pending(
    transaction: Transaction, principal: Principal, most: int, settings: Settings, now: datetime
) -> tuple[int, list[Pending]]:
    """Return how many notifications are owed to anybody, and the first due of them, for admins. Raises NotFound."""
    access.require_admin(principal)
    total, owed = queue.pending_for_everybody(transaction, most)
    asked = preferences.effective(transaction, {one.mentor_id for one in owed})
    return total, [_pending(one, asked, settings, now) for one in owed]


def traces(
    transaction: Transaction,
    principal: Principal,
    event: tuple[str | None, int],
    settings: Settings,
    now: datetime,
) -> list[Trace]:
    """Return what became of the events of a row, newest first, for each of the mentors who the principal is.

    `event` is the source table and the id of the row, or None and an event's own id. Nothing, where it is about none
    of their students.
    """
    asked = preferences.effective(transaction, principal.mentor_ids)
    found = trace.trace(transaction, *event, principal.mentor_ids)
    return [_trace(one, asked, settings, now) for one in found]


def parked(transaction: Transaction, principal: Principal, most: int) -> tuple[int, list[ParkedMessage]]:
    """Return how many messages Zulip refused for good, and the newest of them, for admins. Raises NotFound."""
    access.require_admin(principal)
    return outbox.parked(transaction, most)


def _pending(owed: QueueEntry, asked: Mapping[int, Preferences], settings: Settings, now: datetime) -> Pending:
    chosen = asked.get(owed.mentor_id, Preferences())
    hold = ""
    if owed.due_at > now:
        reason = still_due(owed.event, owed.found_at, chosen, settings, now).reason
        hold = reason or (TOO_MANY if owed.event.event_type.is_alert else "")
    return Pending(
        owed.event, owed.mentor_id, owed.mentor_username, owed.due_at, owed.under_way, owed.reason or None, hold
    )


def _trace(told: TraceEntry, asked: Mapping[int, Preferences], settings: Settings, now: datetime) -> Trace:
    chosen = asked.get(told.mentor_id, Preferences())
    timing = timing_of(EventClass.of(told.event.event_type), chosen, settings.delivery)
    unsent = None if told.pending or told.is_sent else _unsent(told, timing, settings)
    return Trace(
        told.event,
        told.is_current,
        told.found_at,
        told.mentor_username,
        timing,
        pending=_pending(told.pending, asked, settings, now) if told.pending else None,
        is_sent=told.is_sent,
        told_at=told.told_at,
        others=told.others,
        with_end=told.with_end,
        unsent=unsent,
        error=told.reason if unsent is Unsent.REFUSED else None,
    )


def _unsent(told: TraceEntry, timing: Timing, settings: Settings) -> Unsent:
    """Say why a mentor was not told of an event, and is not going to be."""
    event = told.event
    if told.is_finished:
        return _GIVEN_UP.get(told.reason or "", Unsent.REFUSED)
    if event.is_history:
        return Unsent.HISTORY
    if event.mirrors is not None:
        return Unsent.MIRROR
    if not settings.notify_mentors or not is_enabled(event.event_type, settings):
        return Unsent.SETTINGS
    return Unsent.CLASS_OFF if timing is Timing.OFF else Unsent.BEFORE
