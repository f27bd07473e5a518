"""The events worth counting about the work; this meter counts nothing, the one in `metrics` does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.events import Event
from lms_bot.core.operations.circuit_breaker import Circuit


class PollOutcome(StrEnum):
    OK = "ok"
    LMS_UNAVAILABLE = "lms_unavailable"
    FAILED = "failed"


class SendOutcome(StrEnum):
    """The outcome of one try to send: refused for good, put off for the moment, or unknown and looked up."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUT_OFF = "put_off"
    UNKNOWN = "unknown"


class QueueLength(NamedTuple):
    """How many notifications are due, and how many wait for their time."""

    due: int
    waiting: int


class SyncState(NamedTuple):
    """How many rows of the LMS cannot be quite right, and how many are other in the store than there, by kind."""

    conflicts: int
    drift: Mapping[str, int]


class Meter:
    """Counts nothing; what it is given names nobody."""

    def serve(self) -> None:
        """Serve the figures from now on, if they are not served yet."""

    def holds_lease(self, held: bool) -> None:
        """Note whether this process works for the store."""

    def circuit(self, circuit: Circuit) -> None:
        """Note whether the LMS is read, left alone or tried."""

    def polled(self, outcome: PollOutcome) -> None:
        """Count a poll that has ended."""

    def recorded(self, inserted: Iterable[tuple[int, Event]]) -> None:
        """Count events that were recorded, each given with its event id."""

    def sent(self, purpose: str, outcome: SendOutcome) -> None:
        """Count one try to send a message, a `delivery` or a `reply`."""

    def delivered(self, message_id: int) -> None:
        """Count the notifications of a message that was sent just now."""

    def answered(self, seconds: float) -> None:
        """Count a question, answered so long after it was taken up."""
