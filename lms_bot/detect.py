"""Which event a row of the LMS states, whether it is history, and when a mentor is to be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from lms_bot.domain import ATTEMPTS, Activity, Event, EventType

HISTORY_AGE = timedelta(days=7)
FRESH_AGE = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=7)
SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbouring ids land far apart

STARTED = {"started", "in_progress"}
DONE = {"completed", "finished"}
WATCHED = {"watched", "viewed"}
RESULTS = {
    "pass": EventType.EXAM_PASSED,
    "passed": EventType.EXAM_PASSED,
    "fail": EventType.EXAM_FAILED,
    "failed": EventType.EXAM_FAILED,
}


def event_type(activity: Activity) -> EventType | None:
    """What kind of event a row states; None for a state that is unknown or missing.

    Source: the LMS's value lists; case and surrounding space do not matter.
    """
    return _stated(activity.source_table, activity.state, activity.result)


@lru_cache(1_000)
def _stated(source_table: str, state: str | None, result: str | None) -> EventType | None:
    state = _word(state)
    if source_table == ATTEMPTS:
        if state in STARTED:
            return EventType.EXAM_STARTED
        return RESULTS.get(_word(result), EventType.EXAM_COMPLETED) if state in DONE else None
    if state in STARTED:
        return EventType.CONTENT_STARTED
    if state in DONE:
        return EventType.CONTENT_COMPLETED
    return EventType.CONTENT_WATCHED if state in WATCHED else None


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


def _word(value: str | None) -> str:
    return (value or "").strip().casefold()
