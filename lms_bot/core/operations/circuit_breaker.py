"""A circuit breaker: what failed is left alone for a while, and then tried once before all goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Circuit(StrEnum):
    """Closed: all goes on; open: nothing is tried; half-open: one try says which of them it will be."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitState(NamedTuple):
    """The state of a circuit as it was noted: after how many failures in a row, and until when nothing is tried."""

    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """How the last tries ended; `now` and `open_until` are in seconds of a monotonic clock.

    The first failure opens the circuit for `first_pause` seconds, each further one in a row for twice as long, and
    none for longer than `longest_pause`.
    """

    first_pause: float
    longest_pause: float
    failures: int = 0
    open_until: float = 0.0
    is_tried: bool = False

    def circuit(self, now: float) -> Circuit:
        if not self.failures:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self.open_until else Circuit.HALF_OPEN

    @property
    def is_closed(self) -> bool:
        return not self.failures

    def admits(self, now: float) -> bool:
        """Return whether a try may begin: any while it is closed, and one while it is half-open."""
        return self.is_closed or (now >= self.open_until and not self.is_tried)

    def begun(self) -> CircuitBreaker:
        """Return the breaker while a try is under way."""
        return replace(self, is_tried=True)

    def ended(self) -> CircuitBreaker:
        """Return the breaker after a try that ended for a reason of its own, and says nothing."""
        return replace(self, is_tried=False)

    def succeeded(self) -> CircuitBreaker:
        """Return the breaker after a try that succeeded: closed."""
        return CircuitBreaker(self.first_pause, self.longest_pause)

    def failed(self, now: float) -> CircuitBreaker:
        """Return the breaker after a try that failed: open, for a while."""
        pause = min(self.first_pause * 2 ** min(self.failures, 10), self.longest_pause)
        return replace(self, failures=self.failures + 1, open_until=now + pause, is_tried=False)
