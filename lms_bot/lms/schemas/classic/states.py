"""Which event a row of the classic LMS states."""

from __future__ import annotations

from functools import lru_cache

from lms_bot.core.events import ATTEMPTS, Activity, EventType

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


def _word(value: str | None) -> str:
    return (value or "").strip().casefold()
