"""The processes of the bot, and the work that one of them does."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.operations.circuit_breaker import CircuitState

SILENT = timedelta(minutes=2)  # a worker that has not been seen for so long, and is not in a poll, has ended
LONGEST_POLL = timedelta(hours=6)  # the first one, of a long history


class Work(StrEnum):
    """What the worker does by itself, or when an admin orders it."""

    POLLING = "polling"
    DELIVERY = "delivery"
    SYNC = "sync"


PAUSABLE = (Work.POLLING, Work.DELIVERY)


class Process(NamedTuple):
    """A process of the bot; the moment tells it from an earlier one with its number."""

    host: str
    pid: int
    started_at: datetime

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"


THIS = Process(socket.gethostname(), os.getpid(), datetime.now(UTC))


class Working(NamedTuple):
    """The process that works `since` a moment; `seen_at` is when it last said so, and how the LMS did then."""

    process: Process
    since: datetime
    polling_since: datetime | None
    zulip_version: str | None
    seen_at: datetime
    circuit: CircuitState = CircuitState()

    def is_alive(self, now: datetime) -> bool:
        """Return whether it still works, as far as can be known."""
        return now - self.seen_at <= (SILENT if self.polling_since is None else LONGEST_POLL)
