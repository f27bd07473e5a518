"""Notifications, the preferences that time them, and messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.events import Event, EventClass
from lms_bot.core.people import Student

AT_ONCE = "at once"  # the decision about a notification that nothing postpones


class Timing(StrEnum):
    """How soon a mentor is notified of a class of events."""

    NOW = "now"
    DIGEST = "digest"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Preferences:
    """A mentor's preferences; the settings decide where there are none.

    `digest_hours` are local hours of the day. Quiet time is from `quiet_from` to `quiet_to` every day, in minutes since
    the day began locally, and overnight if it begins later than it ends, and the whole of `quiet_days` (0 is Monday).
    `muted` holds the end of each muted student's silence by student id. `timezone` is a zoneinfo key. `rules` holds, by
    the name of a rule, the limit that the mentor set in the rule's unit (0: the rule is off), and since when.
    """

    timings: dict[EventClass, Timing] = field(default_factory=dict)
    digest_hours: tuple[int, ...] = (8,)
    quiet_from: int | None = None
    quiet_to: int | None = None
    quiet_days: frozenset[int] = frozenset()
    timezone: str | None = None
    muted: dict[int, datetime] = field(default_factory=dict)
    paused_until: datetime | None = None
    rules: dict[str, tuple[float, datetime]] = field(default_factory=dict)


DEFAULT_PREFERENCES = Preferences()


@dataclass(frozen=True, slots=True)
class Notification:
    """One event for one mentor, to be sent from `due_at` on; `found_at` is when the event was recorded."""

    log_id: int
    mentor_id: int
    due_at: datetime
    event: Event
    attempts: int
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message goes: to people by Zulip user id, or to a topic of a channel by its id."""

    user_ids: tuple[int, ...] = ()
    stream_id: int | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class AskedBy:
    """Who asked for an answer, and in short what they might see then: it is sent late only if that is still so.

    `admin_stream_id` is the admin channel, if they asked there.
    """

    zulip_user_id: int
    admin_stream_id: int | None
    rights: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is really sent: its text is frozen from the first try until the outcome is known.

    `anchor_id` is the highest Zulip message id known before the first try; `tried_at` is the last try. `attachment` is
    the name of a file that must be uploaded before the text, with its link, can be sent. `asked_by` says who had an
    answer for themselves.
    """

    message_id: int
    recipient: Recipient
    content: str
    anchor_id: int
    tried_at: datetime
    attempts: int = 0
    mentor_id: int | None = None
    attachment: str | None = None
    asked_by: AskedBy | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A notification that is not finished, and why not yet.

    It is under way; or it failed with an `error` and is tried again at `due_at`; or it waits until then, `postponed_by`
    something ("": by nothing but its turn).
    """

    event: Event
    mentor_id: int
    mentor_name: str | None
    due_at: datetime
    is_under_way: bool
    error: str | None
    postponed_by: str


class Unsent(StrEnum):
    """Why a mentor was not notified of an event."""

    CHOICE = "choice"  # it was turned off before it was due
    NOT_THEIRS = "not theirs"  # the student was not theirs when it was due
    WITHDRAWN = "withdrawn"  # it did not happen after all
    REFUSED = "refused"  # Zulip took no message of it
    HISTORY = "history"
    MIRROR = "mirror"  # another event says the same
    SETTINGS = "settings"  # the settings leave it out
    CLASS_OFF = "class off"  # the mentor has turned its class off by now
    BEFORE = "before"  # when it was found, it was turned off or the student was not theirs


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of an event for one mentor: it is `pending`, or `is_sent`, or `unsent` says why it is neither.

    `others` is how many other events the same message had; `with_end` says that one of them is the end of this start.
    `timing` is what holds for its class now, `decision` what its due time went by when it was scheduled, where that
    was kept. `error` is what Zulip said in refusing.
    """

    event: Event
    is_current: bool
    found_at: datetime
    mentor_name: str
    timing: Timing
    decision: str | None = None
    pending: Pending | None = None
    is_sent: bool = False
    sent_at: datetime | None = None
    others: int = 0
    with_end: bool = False
    unsent: Unsent | None = None
    error: str | None = None


class Told(NamedTuple):
    """A notification of an event: when it was sent, or until when it waits; neither, where it is not sent at all."""

    event: Event
    sent_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class MentorPreferences:
    """The preferences of a mentor and what follows from them now, by the settings where they chose nothing.

    `timezone` is the key of a time zone that is known here. `muted` are (student, until), by username.
    """

    preferences: Preferences
    timings: dict[EventClass, Timing]
    timezone: str
    paused_until: datetime | None
    muted: tuple[tuple[Student, datetime], ...]


class ParkedMessage(NamedTuple):
    """A message that Zulip refused for good; without mentor it was a reply."""

    message_id: int
    mentor_id: int | None
    error: str | None
    tried_at: datetime
