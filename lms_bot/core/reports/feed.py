"""Which events are asked for, and how a file shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from lms_bot.core.events import EventType

Position = tuple[int, datetime, int]
"""Where an export ended: the student, the timestamp and the event id of the last event."""

Place = tuple[datetime, int]
"""Where a page ended: the timestamp and the event id of its last event."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are asked for; `course` is a part of the course's title, in any case.

    They begin at `since`, end before `until`, and come `before` an event that is known by its time and id. `search` is
    a part of what an event is about, or it is of one of the students `named`. With `event_ids` only these are meant.
    """

    since: datetime | None = None
    types: frozenset[EventType] = frozenset()
    course: str = ""
    until: datetime | None = None
    search: str = ""
    named: frozenset[int] = frozenset()
    before: tuple[datetime, int] | None = None
    event_ids: frozenset[int] = frozenset()


class Page(NamedTuple):
    """At most `most` of what is asked for, after the first `offset`."""

    most: int
    offset: int = 0


class Newest(NamedTuple):
    """The newest `most` of what is asked for, before a place."""

    most: int
    before: Place | None = None


class Exported(NamedTuple):
    """An event as a file shows it; `is_current` says whether its row in the LMS still says so."""

    timestamp: datetime
    student_id: int | None
    student_username: str | None
    event_type: str
    activity_id: int | None
    activity_title: str | None
    metadata: dict[str, Any]
    is_current: bool
    event_id: int = 0
