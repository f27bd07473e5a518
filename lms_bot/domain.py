"""The words of the project, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class EventType(StrEnum):
    """What can be observed about a student, and what the clock makes of that."""

    EXAM_STARTED = "exam_started"
    EXAM_COMPLETED = "exam_completed"
    EXAM_PASSED = "exam_passed"
    EXAM_FAILED = "exam_failed"
    CONTENT_STARTED = "content_started"
    CONTENT_COMPLETED = "content_completed"
    CONTENT_WATCHED = "content_watched"
    STREAK_MILESTONE = "streak_milestone"
    STREAK_BROKEN = "streak_broken"
    STUDENT_ALERT = "student_alert"
    ALERT_REMINDER = "alert_reminder"

    @property
    def is_by_clock(self) -> bool:
        """No row of the LMS states it: it happens while time goes by."""
        return self.is_alert or self in (EventType.STREAK_MILESTONE, EventType.STREAK_BROKEN)

    @property
    def is_alert(self) -> bool:
        """It asks one mentor to do something."""
        return self in (EventType.STUDENT_ALERT, EventType.ALERT_REMINDER)

    @property
    def is_start(self) -> bool:
        return self in (EventType.EXAM_STARTED, EventType.CONTENT_STARTED)

    @property
    def is_exam_end(self) -> bool:
        return self in (EventType.EXAM_COMPLETED, EventType.EXAM_PASSED, EventType.EXAM_FAILED)


OBSERVED = tuple(kind for kind in EventType if not kind.is_by_clock)
BY_CLOCK = tuple(kind for kind in EventType if kind.is_by_clock)
ALERTING = tuple(kind for kind in EventType if kind.is_alert)
FINISHING = frozenset(kind for kind in OBSERVED if not kind.is_start)


class EventClass(StrEnum):
    """What a mentor chooses for: kinds of events that matter alike."""

    FAILED = "failed"
    PASSED = "passed"
    COMPLETED = "completed"
    STARTED = "started"
    CONTENT = "content"
    STREAK = "streak"
    ALERT = "alert"

    @classmethod
    def of(cls, kind: EventType) -> EventClass:
        return _CLASSES[kind]


_CLASSES = {
    EventType.EXAM_FAILED: EventClass.FAILED,
    EventType.EXAM_PASSED: EventClass.PASSED,
    EventType.EXAM_COMPLETED: EventClass.COMPLETED,
    EventType.EXAM_STARTED: EventClass.STARTED,
    EventType.CONTENT_STARTED: EventClass.CONTENT,
    EventType.CONTENT_COMPLETED: EventClass.CONTENT,
    EventType.CONTENT_WATCHED: EventClass.CONTENT,
    EventType.STREAK_MILESTONE: EventClass.STREAK,
    EventType.STREAK_BROKEN: EventClass.STREAK,
    EventType.STUDENT_ALERT: EventClass.ALERT,
    EventType.ALERT_REMINDER: EventClass.ALERT,
}


class Telling(StrEnum):
    """How soon a mentor wants to be told of a class of events."""

    NOW = "now"
    DIGEST = "digest"
    OFF = "off"


MANY_EVENTS = 200  # in one poll, or waiting for one mentor: more may be a flood, which the admins hear of

ATTEMPTS = "attempts"
CONTENT_ATTEMPTS = "content_attempts"
SOURCE_TABLES = (ATTEMPTS, CONTENT_ATTEMPTS)
STREAK_MARKS = "streak_marks"  # ours, as the following: what a streak came to
STUDENT_ALERTS = "student_alerts"
ALERT_REMINDERS = "alert_reminders"


class Activity(NamedTuple):
    """One row of `attempts` or `content_attempts` as it was seen once, with the titles that belong to it.

    A named tuple because a poll makes them by the hundred thousand. Times are aware UTC. `details` holds the
    metadata of the contract that come straight from the row; `fingerprint` changes when anything told of it does.
    `mirrors` is the id of the attempt that states the same fact, for content of type exam.
    """

    source_table: str
    source_id: int
    student_id: int | None
    student_username: str | None
    activity_id: int | None
    title: str | None
    state: str | None
    result: str | None
    started_at: datetime | None
    ended_at: datetime | None
    details: dict[str, Any]
    fingerprint: int
    mirrors: int | None


class Event(NamedTuple):
    """A fact: this row was seen in this state. `timestamp` is aware UTC; `is_history` events are never told.

    The row is one of the LMS, or one of ours where the clock caused the event.
    """

    event_type: EventType
    source_table: str
    source_id: int
    student_id: int | None
    student_username: str | None
    activity_id: int | None
    activity_title: str | None
    metadata: dict[str, Any]
    timestamp: datetime
    is_history: bool
    fingerprint: int
    mirrors: int | None
    event_id: int = 0


@dataclass(frozen=True, slots=True)
class Student:
    """A student of the LMS; `zulip_user_id` is known where exactly one active account has the e-mail address."""

    student_id: int
    username: str
    email: str | None = None
    display_name: str | None = None
    is_active: bool = True
    zulip_user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Mentor:
    """A mentor of the LMS; without `zulip_user_id`, `unmapped_reason` says why nobody can be written to."""

    mentor_id: int
    username: str
    email: str | None = None
    display_name: str | None = None
    zulip_user_id: int | None = None
    unmapped_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a mentor asked for; where nothing was asked the settings decide.

    `digest_hours` are local hours of the day. Quiet time is from `quiet_from` to `quiet_to` every day, in minutes since
    local midnight and over midnight if it begins later than it ends, and the whole of `quiet_days` (0 is Monday).
    `muted` holds the end of each muted student's silence by student id. `timezone` is a zoneinfo key. `rules` holds, by
    the name of a rule, the limit that the mentor set in the rule's unit (0: the rule is off), and since when.
    """

    tellings: dict[EventClass, Telling] = field(default_factory=dict)
    digest_hours: tuple[int, ...] = (8,)
    quiet_from: int | None = None
    quiet_to: int | None = None
    quiet_days: frozenset[int] = frozenset()
    timezone: str | None = None
    muted: dict[int, datetime] = field(default_factory=dict)
    paused_until: datetime | None = None
    rules: dict[str, tuple[float, datetime]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ZulipUser:
    """An account in Zulip as `GET /users` lists it."""

    user_id: int
    full_name: str
    email: str | None
    is_active: bool
    is_bot: bool
    is_guest: bool = False
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """One event owed to one mentor from `due_at` on; `found_at` is when the event was recorded."""

    log_id: int
    mentor_id: int
    due_at: datetime
    event: Event
    attempts: int
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message goes: to people by Zulip user id, or to a topic of a stream by its id."""

    user_ids: tuple[int, ...] = ()
    stream_id: int | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is really sent: the text is frozen from before the first try until its outcome is known.

    `anchor_id` is the highest Zulip message id known before the first try; `tried_at` is the last try. `attachment` is
    the name of a file that must be uploaded before the text, with its link, can be sent.
    """

    message_id: int
    recipient: Recipient
    content: str
    anchor_id: int
    tried_at: datetime
    attempts: int = 0
    mentor_id: int | None = None
    attachment: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of a source table as some moment saw it: everything visible up to `last_id`, `rows` of it new then.

    `next_xid`: the first PostgreSQL transaction id not yet given out at that moment; 0 where there are none.
    """

    next_xid: int
    last_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source table has been read; kept in the store, moved in the transaction that stores what was read.

    * `baseline_*`: what was visible at the first poll is history; `history_id` says how far that has been recorded.
    * `last_id`: the highest id read; `safe_id`: below it no transaction that was open when it was read is left;
      `seen`: the pages between the two.
    * `sweep_*`: where the next slice begins (block or id; None: a round begins), which transaction ids the previous
      round vouches for (None: compare whole slices), the same for the round under way, its start, and how long the
      last one took.
    * `server`: which server and table the transaction ids belong to; `next_xid`: the highest one seen there.
    """

    source_table: str
    baseline_at: datetime
    baseline_snapshot: str | None
    baseline_id: int
    history_id: int
    history_done: bool
    last_id: int
    safe_id: int
    seen: tuple[Seen, ...] = ()
    sweep_position: int | None = None
    sweep_since: int | None = None
    sweep_next_since: int | None = None
    sweep_started_at: datetime | None = None
    sweep_seconds: float | None = None
    server: str | None = None
    next_xid: int = 0

    @property
    def part_done(self) -> float:
        """How much of the history is recorded, judged by ids: 0 to 1."""
        if self.history_done:
            return 1.0
        return max(0.0, min(1.0, self.history_id / self.baseline_id)) if self.baseline_id > 0 else 0.0
