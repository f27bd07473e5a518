"""Turns what rows of the LMS state into events, and plans when to look at open rows again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.cursor import Page
from lms_bot.core.events import PROGRESS, PROGRESS_STEPS, Activity, Event, EventType

HISTORY_AGE = timedelta(days=7)
FRESH_AGE = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=7)
_OPEN = (None, EventType.EXAM_STARTED, EventType.CONTENT_STARTED, EventType.EXAM_COMPLETED)
SPREAD = 2_654_435_761  # Knuth's multiplicative hash: neighbouring ids land far apart


def event(activity: Activity, *, found_at: datetime, was_there: bool, is_followed: bool = False) -> Event | None:
    """Return the event that a row states, found at `found_at`.

    `was_there`: the row was visible at the baseline. `is_followed`: it was found before, and stated nothing.
    """
    kind = activity.event_type
    if kind is None:
        return None
    stated = _stated_at(activity)
    return Event(
        event_type=kind,
        source_table=activity.source_table,
        source_id=activity.source_id,
        student_id=activity.student_id,
        student_username=activity.student_username,
        activity_id=activity.activity_id,
        activity_title=activity.title,
        metadata=activity.details,
        timestamp=stated or (activity.started_at or UNKNOWN_TIME if was_there else found_at),
        is_history=was_there or activity.is_copy or (not is_followed and _is_old(stated, found_at)),
        fingerprint=activity.fingerprint,
        mirrors=activity.mirrors,
        is_dated=stated is not None,
        episode=activity.turn or 0,
        turn=activity.turn,
    )


def old_among(page: Page, now: datetime) -> list[int]:
    """Return the rows of a page, by id, whose events are so old that they are history where the rows are new."""
    activities = (one for one in page.activities if one.event_type and one.source_id not in page.history)
    return [one.source_id for one in activities if _is_old(_stated_at(one), now)]


def _stated_at(activity: Activity) -> datetime | None:
    is_start = activity.event_type is not None and activity.event_type.is_start
    return activity.started_at if is_start else activity.ended_at


def _is_old(stated: datetime | None, found_at: datetime) -> bool:
    return stated is not None and found_at - stated > HISTORY_AGE


class Recorded(NamedTuple):
    """What the store holds of one state of a row; `event_id` is None where only its key is left, as for its age."""

    event_id: int | None
    episode: int
    event_type: str
    is_current: bool
    fingerprint: int | None
    student_id: int | None = None
    activity_id: int | None = None
    timestamp: datetime | None = None
    is_history: bool = True

    def is_about_same(self, other: Recorded | Event) -> bool:
        """Return whether both are about one student and activity, as far as these are known."""
        differs = _differ(self.student_id, other.student_id) or _differ(self.activity_id, other.activity_id)
        return not differs


class Following(NamedTuple):
    """What an event is to the recorded states of its row: its episode, and the `same` state where it is one of them.

    `is_another`: the row is about another student or activity now. `behind`: the same state had come on by so many
    steps already.
    """

    episode: int
    same: Recorded | None = None
    is_another: bool = False
    behind: int = 0


def follow(recorded: Sequence[Recorded], found: Event) -> Following:
    """Return what an event is to what was recorded of its row, of which there is something, oldest first.

    A row begins a new episode when it is about somebody or something else, and when it returns to a state that it had
    left. One that was away and is back as it was is the same fact. Where the row itself numbers its facts, that
    decides.
    """
    if found.turn is not None:
        return _follow_turn(recorded, found, found.turn)
    episode = max(state.episode for state in recorded)
    states = [state for state in recorded if state.episode == episode]
    if not all(one.is_about_same(found) for one in states):
        return Following(episode + 1, is_another=True)
    same = next((state for state in states if state.event_type == found.event_type), None)
    if same is None or same.is_current:
        return Following(episode, same)
    was_away = not any(state.is_current for state in states) and states[-1] is same
    if was_away and (same.fingerprint == found.fingerprint or (found.is_dated and same.timestamp == found.timestamp)):
        return Following(episode, same)
    return Following(episode + 1)


def _follow_turn(recorded: Sequence[Recorded], found: Event, turn: int) -> Following:
    """Return the same of an event whose row says which of its facts it is; progress never goes back."""
    states = list(recorded)
    before = max((place for place, one in enumerate(states, 1) if not one.is_about_same(found)), default=0)
    first_episode = 1 + max((one.episode for one in states[:before]), default=-1)
    episode, is_step = first_episode + turn, found.event_type is EventType.CONTENT_PROGRESS
    alike = [one for one in states[before:] if one.event_type == found.event_type]
    same = [one for one in alike if one.episode == episode or (is_step and one.episode > episode)]
    if not same:
        return Following(episode, is_another=before == len(states))
    return Following(same[-1].episode, same[-1], behind=same[-1].episode - episode)


def restated(found: Event, following: Following) -> Event:
    """Return an event as its row states it again, but for the progress, which never goes back."""
    if not following.behind or found.turn is None:
        return found
    return found._replace(metadata={**found.metadata, PROGRESS: PROGRESS_STEPS[found.turn + following.behind]})


def _differ(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and before != now


def is_open(activity: Activity) -> bool:
    """Return whether a row may still come to another outcome: it is looked at again until it does."""
    kind = activity.event_type
    return not activity.is_final and (kind in _OPEN or (kind is EventType.CONTENT_PROGRESS and not _is_last(activity)))


def _is_last(activity: Activity) -> bool:
    return activity.turn == len(PROGRESS_STEPS) - 1


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


def observe(page: Page, now: datetime, followed: Collection[int] = ()) -> Observed:
    """Return the events that a page's activities state, and which of its rows are to be looked at again.

    `followed` are rows that were found before and had stated nothing yet.
    """
    events, open_rows, closed, silent = [], [], [], []
    for activity in page.activities:
        was_there, is_followed = activity.source_id in page.history, activity.source_id in followed
        found = event(activity, found_at=now, was_there=was_there, is_followed=is_followed)
        if found is None:
            silent.append(activity.source_id)
        else:
            events.append(found)
        if is_open(activity):
            since = min(found.timestamp if found and found.is_dated else activity.started_at or now, now)
            look_at = next_look(activity.source_id, since, now, is_first=True)
            open_rows.append(OpenRow(activity.source_id, since, look_at, activity.unknown_state))
        elif activity.source_id <= page.new_above:
            closed.append(activity.source_id)
    return Observed(tuple(events), tuple(open_rows), tuple(closed), tuple(silent))
