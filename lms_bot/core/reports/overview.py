"""How the bot is doing, and how old its data is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from lms_bot.core.cursor import Cursor
from lms_bot.core.people import Mentor
from lms_bot.core.process import Work, Working
from lms_bot.core.sync import Drift


class Queue(NamedTuple):
    """How many notifications are due and how many are postponed; since when the oldest is due, if any is."""

    due: int
    postponed: int
    oldest_due_at: datetime | None


class SentCounts(NamedTuple):
    """How many notifications were sent, in how many messages."""

    notifications: int
    messages: int


class NewestEvent(NamedTuple):
    """An event: when its row says that it happened, and when it was stored."""

    happened_at: datetime
    stored_at: datetime


class AuditEntry(NamedTuple):
    """One change: the command as it was typed and what came of it; `full_name` is None for an account that is gone."""

    zulip_user_id: int
    full_name: str | None
    command: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """Who works, until when what is paused (None: until it is resumed), and when the LMS was last read."""

    worker: Working | None
    paused: Mapping[Work, datetime | None]
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """How the bot is doing: what works, what waits, what was sent and postponed today, and what is wrong.

    `cursors` say by table how far it was read; `unknown_rows` are in states that nobody knows; `incidents` are
    what has begun and is not over, as (since, text). `schema` and `product` are those of the store. `conflicts` are
    rows of the LMS that cannot be quite right; `drift` says by kind how far the store was from the LMS when both were
    compared.
    """

    operation: Operation
    newest: NewestEvent | None
    cursors: Mapping[str, Cursor | None]
    queue: Queue
    sent_today: SentCounts
    postponed_today: int
    parked: int
    unmapped: int
    unknown_rows: int
    incidents: tuple[tuple[datetime, str], ...]
    schema: str
    product: str
    conflicts: int
    drift: Mapping[str, Drift]
    compared_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unnotified:
    """What nobody can be notified of.

    The first of the `total` students without a mentor as (id, name, number of events), the mentors without an
    account, the rows in unknown states as (table, state, count), and the number of events of unknown students.
    """

    total: int
    students: tuple[tuple[int, str, int], ...]
    unmapped: tuple[Mentor, ...]
    unknown_states: tuple[tuple[str, str | None, int], ...]
    nameless_events: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data of the LMS is: `read_at` is None where it was never read.

    `is_old` says that newer events are missing, `is_blind` that nothing can be said of who is absent.
    """

    read_at: datetime | None
    is_old: bool
    is_blind: bool
