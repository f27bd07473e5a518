"""Which process this is, as others can be told."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import NamedTuple


class Process(NamedTuple):
    """A process of the bot; the moment tells it from an earlier one with its number."""

    host: str
    pid: int
    started_at: datetime

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"


THIS = Process(socket.gethostname(), os.getpid(), datetime.now(UTC))
