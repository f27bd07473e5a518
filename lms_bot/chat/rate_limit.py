"""One rate limit for all calls to Zulip, in which answers go first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from threading import Condition

WINDOW = 60.0  # seconds; Zulip counts calls in a sliding window of this length
MOST_CALLS = 200  # calls in a window that Zulip allows one user by default
BURST = 10  # messages of a delivery that may go out without a pause between them


class Purpose(IntEnum):
    """The purpose of a call: the lower, the more of the window it leaves to the others."""

    DELIVER = 0
    READ = 1
    REPLY = 2


RESERVED = {Purpose.DELIVER: 30, Purpose.READ: 15, Purpose.REPLY: 2}


class RateLimiter:
    """Lets calls of all threads through, never more than Zulip allows.

    Deliveries come evenly, at `messages_per_minute`. Above 200 a minute the operator has told us that the server allows
    more, and the window grows with it.
    """

    def __init__(self, messages_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = WINDOW / messages_per_minute
        self._allowed = (
            messages_per_minute + RESERVED[Purpose.DELIVER] if messages_per_minute > MOST_CALLS else MOST_CALLS
        )
        self._room = {purpose: self._allowed - kept for purpose, kept in RESERVED.items()}
        self._room[Purpose.DELIVER] = max(self._room[Purpose.DELIVER], min(messages_per_minute, self._allowed))
        self._clock = clock
        self._calls: deque[float] = deque()
        self._next_delivery = clock()
        self._blocked_until = 0.0
        self._changed = Condition()

    def acquire(self, purpose: Purpose, most_seconds: float) -> bool:
        """Wait up to `most_seconds` for a turn; return False if it did not come."""
        deadline = self._clock() + most_seconds
        with self._changed:
            while (wait := self._wait(purpose)) > 0:
                if self._clock() + wait > deadline:
                    return False
                self._changed.wait(wait)
            self._calls.append(self._clock())
            if purpose is Purpose.DELIVER:
                earliest = self._clock() - BURST * self._interval
                self._next_delivery = max(self._next_delivery, earliest) + self._interval
            return True

    def block(self, seconds: float) -> None:
        """Let no call through for so many seconds, since Zulip asked for a pause."""
        with self._changed:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    @property
    def is_blocked(self) -> bool:
        """Return whether Zulip asked for a pause that is not over."""
        return self._clock() < self._blocked_until

    def _wait(self, purpose: Purpose) -> float:
        now = self._clock()
        while self._calls and self._calls[0] <= now - WINDOW:
            self._calls.popleft()
        wait = self._blocked_until - now
        room = self._room[purpose]
        if len(self._calls) >= room:
            wait = max(wait, self._calls[len(self._calls) - room] + WINDOW - now)
        if purpose is Purpose.DELIVER:
            wait = max(wait, self._next_delivery - now)
        return wait
