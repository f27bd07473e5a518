"""Turns what rows of the LMS state into events, and plans when to look at open rows again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.cursor import Page
from lms_bot.core.events import Activity, Event, EventType

HISTORY_AGE = timedelta(days=7)
FRESH_AGE = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=7)
SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbouring ids land far apart


def event(activity: Activity, *, found_at: datetime, was_there: bool) -> Event | None:
    """Return the event that a row states, found at `found_at`; `was_there`: the row was visible at the baseline."""
    kind = activity.event_type
    if kind is None:
        return None
    stated = activity.started_at if kind.is_start else activity.ended_at
    return Event(
        event_type=kind,
        source_table=activity.source_table,
        source_id=activity.source_id,
        student_id=activity.student_id,
        student_username=activity.student_username,
        activity_id=activity.activity_id,
        activity_title=activity.title,
        metadata=activity.details,
        timestamp=stated or found_at,
        is_history=was_there or (stated is not None and found_at - stated > HISTORY_AGE),
        fingerprint=activity.fingerprint,
        mirrors=activity.mirrors,
    )


def is_open(kind: EventType | None) -> bool:
    """Return whether a row may still come to another outcome: it is looked at again until it does."""
    return kind is None or kind.is_start or kind is EventType.EXAM_COMPLETED


def next_look(source_id: int, since: datetime, now: datetime, *, is_first: bool = False) -> datetime:
    """Return when to look again at a row open `since`: in every poll for an hour, then ever more rarely.

    The pause is a twentieth of the age, a week at most. First looks are spread over that pause by id, so that the
    many old rows of a baseline do not come due together.
    """
    age = now - since
    if age < FRESH_AGE:
        return now
    pause = min(age / 20, LONGEST_LOOK)
    return now + (pause * (source_id * SPREAD % 2**32 / 2**32) if is_first else pause)


class OpenRow(NamedTuple):
    """A row that may still come to another outcome: open `since`, to be looked at again at `look_at`."""

    source_id: int
    since: datetime
    look_at: datetime
    unknown_state: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the changed rows of a page state, and what follows for the rows still open; the others by source id."""

    events: tuple[Event, ...]
    open_rows: tuple[OpenRow, ...]
    closed: tuple[int, ...]
    silent: tuple[int, ...]


def observe(page: Page, now: datetime) -> Observed:
    """Return the events that a page's activities state, and which of its rows are to be looked at again."""
    events, open_rows, closed, silent = [], [], [], []
    for activity in page.activities:
        found = event(activity, found_at=now, was_there=activity.source_id in page.history)
        if found is None:
            silent.append(activity.source_id)
        else:
            events.append(found)
        if is_open(activity.event_type):
            since = min(found.timestamp if found else activity.started_at or now, now)
            look_at = next_look(activity.source_id, since, now, is_first=True)
            unknown = None if found else activity.state or "(none)"
            open_rows.append(OpenRow(activity.source_id, since, look_at, unknown))
        elif activity.source_id <= page.new_above:
            closed.append(activity.source_id)
    return Observed(tuple(events), tuple(open_rows), tuple(closed), tuple(silent))
