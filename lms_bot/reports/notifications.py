"""What waits to be sent to mentors, what became of single events for them, and what could not be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.events import EventClass
from lms_bot.core.notifications import (
    DEFAULT_PREFERENCES,
    ParkedMessage,
    Pending,
    Preferences,
    Timing,
    Told,
    Trace,
    Unsent,
)
from lms_bot.core.principal import Principal
from lms_bot.core.schedule import timing_of
from lms_bot.pipeline.enqueue import is_enabled
from lms_bot.pipeline.recheck import still_due
from lms_bot.reports import access
from lms_bot.store.events import mirrors
from lms_bot.store.notifications import outbox, preferences, queue, trace
from lms_bot.store.notifications import pending as waiting
from lms_bot.store.notifications.pending import QueueEntry
from lms_bot.store.notifications.trace import TraceEntry
from lms_bot.store.session import Transaction

TOO_MANY = "more than a day's number of alerts"
TOO_SOON = "soon after another message"
_REASONS = {
    queue.TURNED_OFF: Unsent.CHOICE,
    queue.NOT_THEIR_STUDENT: Unsent.NOT_THEIRS,
    queue.NOT_NOW: Unsent.NOT_THEIRS,
    queue.WITHDRAWN: Unsent.WITHDRAWN,
    mirrors.SAME_FACT: Unsent.MIRROR,
}


def pending(
    transaction: Transaction, principal: Principal, most: int, settings: Settings, now: datetime
) -> tuple[int, list[Pending]]:
    """Return how many notifications wait for a mentor about their own students, and the first due. Raises NotFound."""
    access.require_mentor(principal)
    total, entries = waiting.pending_for_mentors(transaction, principal.mentor_ids, most)
    return total, _all_pending(transaction, principal, entries, settings, now)


def pending_for_everybody(
    transaction: Transaction, principal: Principal, most: int, settings: Settings, now: datetime
) -> tuple[int, list[Pending]]:
    """Return how many notifications wait for anybody, and the first due of them, for admins. Raises NotFound."""
    access.require_admin(principal)
    total, entries = waiting.pending_for_everybody(transaction, most)
    return total, _all_pending(transaction, principal, entries, settings, now)


def traces(
    transaction: Transaction,
    principal: Principal,
    event: tuple[Sequence[str] | None, int],
    settings: Settings,
    now: datetime,
) -> list[Trace]:
    """Return what became of the events of a row, newest first: for the one of the principal's mentors who is told.

    `event` is the source tables and the id of the row, or None and an event's own id. Nothing, where it is about none
    of their students. Raises NotFound for who is no mentor.
    """
    access.require_mentor(principal)
    chosen = preferences.effective(transaction, principal.mentor_ids)
    found = _of_each_event(trace.trace(transaction, *event, principal.mentor_ids))
    events = access.as_shown(transaction, principal, [one.event for one in found], settings)
    found = [one._replace(event=event) for one, event in zip(found, events, strict=True)]
    return [_trace(one, chosen.get(one.mentor_id, DEFAULT_PREFERENCES), settings, now) for one in found]


def _of_each_event(entries: Sequence[TraceEntry]) -> list[TraceEntry]:
    """Return one entry of each event: a person who is several mentors of a student is told as one of them."""
    kept: dict[int, TraceEntry] = {}
    for entry in entries:
        before = kept.setdefault(entry.event.event_id, entry)
        if (entry.is_sent, entry.pending is not None, entry.is_finished) > (
            before.is_sent,
            before.pending is not None,
            before.is_finished,
        ):
            kept[entry.event.event_id] = entry
    return list(kept.values())


def told(transaction: Transaction, principal: Principal, student_id: int, most: int, settings: Settings) -> list[Told]:
    """Return the last notifications of a mentor about a student, newest event first.

    Raises NotFound, also for who is no mentor.
    """
    access.require_mentor(principal)
    student = access.student(transaction, principal, student_id)
    found = trace.told_about(transaction, student.student_id, principal.mentor_ids, most)
    events = access.as_shown(transaction, principal, [one.event for one in found], settings)
    return [one._replace(event=event) for one, event in zip(found, events, strict=True)]


def parked(transaction: Transaction, principal: Principal, most: int) -> tuple[int, list[ParkedMessage]]:
    """Return how many messages Zulip refused for good, and the newest of them, for admins. Raises NotFound."""
    access.require_admin(principal)
    return outbox.parked(transaction, most)


def _all_pending(
    transaction: Transaction, principal: Principal, entries: Sequence[QueueEntry], settings: Settings, now: datetime
) -> list[Pending]:
    events = access.as_shown(transaction, principal, [one.event for one in entries], settings)
    entries = [one._replace(event=event) for one, event in zip(entries, events, strict=True)]
    chosen: Mapping[int, Preferences] = preferences.effective(transaction, {one.mentor_id for one in entries})
    return [_pending(one, chosen.get(one.mentor_id, DEFAULT_PREFERENCES), settings, now) for one in entries]


def _pending(entry: QueueEntry, chosen: Preferences, settings: Settings, now: datetime) -> Pending:
    postponed_by = ""
    if entry.due_at > now:
        postponed_by = still_due(entry.event, entry.found_at, chosen, settings, now).reason
        if not postponed_by and entry.due_at - now <= timedelta(minutes=settings.quiet_minutes):
            postponed_by = TOO_SOON
        elif not postponed_by and entry.event.event_type.is_alert:
            postponed_by = TOO_MANY
    return Pending(
        entry.event,
        entry.mentor_id,
        entry.mentor_name,
        entry.due_at,
        entry.under_way,
        entry.reason or None,
        postponed_by,
    )


def _trace(entry: TraceEntry, chosen: Preferences, settings: Settings, now: datetime) -> Trace:
    timing = timing_of(EventClass.of(entry.event.event_type), chosen, settings.delivery)
    unsent = None if entry.pending or entry.is_sent else _unsent(entry, timing, settings)
    return Trace(
        entry.event,
        entry.is_current,
        entry.found_at,
        entry.mentor_name,
        timing,
        entry.decision,
        pending=_pending(entry.pending, chosen, settings, now) if entry.pending else None,
        is_sent=entry.is_sent,
        sent_at=entry.told_at,
        others=entry.others,
        with_end=entry.with_end,
        unsent=unsent,
        error=entry.reason if unsent is Unsent.REFUSED else None,
    )


def _unsent(entry: TraceEntry, timing: Timing, settings: Settings) -> Unsent:
    """Return why a mentor was not notified of an event, and is not going to be."""
    event = entry.event
    if entry.is_finished:
        return _REASONS.get(entry.reason or "", Unsent.REFUSED)
    if event.is_history:
        return Unsent.HISTORY
    if event.mirrors is not None:
        return Unsent.MIRROR
    if not settings.notify_mentors or not is_enabled(event.event_type, settings):
        return Unsent.SETTINGS
    return Unsent.CLASS_OFF if timing is Timing.OFF else Unsent.BEFORE
