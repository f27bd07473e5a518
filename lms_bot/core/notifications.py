"""Notifications, the preferences that time them, and messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.events import Event, EventClass


class Timing(StrEnum):
    """How soon a mentor wants to be told of a class of events."""

    NOW = "now"
    DIGEST = "digest"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a mentor asked for; where nothing was asked the settings decide.

    `digest_hours` are local hours of the day. Quiet time is from `quiet_from` to `quiet_to` every day, in minutes since
    local midnight and over midnight if it begins later than it ends, and the whole of `quiet_days` (0 is Monday).
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


class ParkedMessage(NamedTuple):
    """A message that Zulip refused for good; without mentor it was a reply."""

    message_id: int
    mentor_id: int | None
    error: str | None
    tried_at: datetime
