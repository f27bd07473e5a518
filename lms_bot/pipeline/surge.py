"""Postpones notifications for a while when one poll finds far more events than usual."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lms_bot.core.events import MANY_EVENTS
from lms_bot.render import counted, moment
from lms_bot.store import state
from lms_bot.store.operations import incidents
from lms_bot.store.session import Transaction

UNUSUAL = 10.0  # times the mean of a poll
POSTPONED_FOR = timedelta(minutes=30)
TALLIED = timedelta(hours=24)
SURGE = "brake"  # the name of the fact and of the incident


def surge_ends_at(transaction: Transaction, now: datetime) -> datetime | None:
    """Return until when new notifications are postponed; None without a surge."""
    until = state.value(transaction, SURGE)
    return None if until is None or _end(until) <= now else _end(until)


def note_poll(transaction: Transaction, new_events: int, now: datetime) -> None:
    """Note what a poll found; begin a surge, or end it."""
    noted = state.some(transaction, [SURGE, state.POLLED])
    polls, events = _tally(noted.get(state.POLLED), now)
    mean = sum(events.values()) / max(1, sum(polls.values()))
    if new_events > MANY_EVENTS and new_events > UNUSUAL * mean:
        until = now + POSTPONED_FOR
        state.note(transaction, SURGE, until.isoformat(), now)
        incidents.begin(
            transaction,
            SURGE,
            f"🛑 One poll found {counted(new_events, 'event')}, where {mean:.1f} are usual. Mentors get one summary of "
            f"them, and the next one at {moment(until)}, in place of a message for each poll.",
            now,
        )
    elif SURGE in noted and _end(noted[SURGE][0]) <= now:
        state.forget(transaction, SURGE)
        incidents.end(transaction, SURGE, "🟢 The flood of events is over; mentors are told as usual.")
    hour = now.isoformat()[:13]
    polls[hour] = polls.get(hour, 0) + 1
    events[hour] = events.get(hour, 0) + new_events
    state.note(transaction, state.POLLED, {"new_events": new_events, "polls": polls, "events": events}, now)


def _end(noted: str) -> datetime:
    return datetime.fromisoformat(noted)


def _tally(last_poll: tuple[Any, datetime] | None, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Return the polls and the new events of the last day, by hour."""
    noted = last_poll[0] if last_poll and isinstance(last_poll[0], dict) else {}
    first = (now - TALLIED).isoformat()[:13]
    polls, events = (
        {hour: count for hour, count in noted.get(name, {}).items() if hour > first} for name in ("polls", "events")
    )
    return polls, events
