"""Which event a row of the LMS states, whether it is history, and when a mentor is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.cursor import Page
from lms_bot.core.events import Activity, Event, EventType
from lms_bot.lms.schemas.classic.states import event_type

HISTORY_AGE = timedelta(days=7)
FRESH_AGE = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=7)
SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbouring ids land far apart


def event(activity: Activity, *, found_at: datetime, was_there: bool) -> Event | None:
    """The event that a row states, found at `found_at`; `was_there` says that it was visible at the baseline."""
    kind = event_type(activity)
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
    """Whether a row may still come to another outcome: it is looked at again until it does."""
    return kind is None or kind.is_start or kind is EventType.EXAM_COMPLETED


def next_look(source_id: int, since: datetime, now: datetime, *, is_first: bool = False) -> datetime:
    """When to look at a row again that has been open `since`: in every poll for an hour, then ever more rarely.

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
    """What the changed rows of a page state, and what follows for the rows still open."""

    events: list[Event]
    open_rows: list[OpenRow]
    closed: list[int]
    silent: list[int]


def observe(activities: Sequence[Activity], page: Page, now: datetime) -> Observed:
    observed = Observed([], [], [], [])
    for activity in activities:
        found = event(activity, found_at=now, was_there=activity.source_id in page.history)
        if found is None:
            observed.silent.append(activity.source_id)
        else:
            observed.events.append(found)
        if is_open(found.event_type if found else None):
            since = min(found.timestamp if found else activity.started_at or now, now)
            look_at = next_look(activity.source_id, since, now, is_first=True)
            unknown = None if found else activity.state or "(none)"
            observed.open_rows.append(OpenRow(activity.source_id, since, look_at, unknown))
        elif activity.source_id <= page.new_above:
            observed.closed.append(activity.source_id)
    return observed
