"""How many requests a token or a session may make: a bucket for each, which fills again by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

PER_SECOND: Final = 100.0
AT_ONCE: Final = 300.0


class RateLimit:
    """A bucket of requests for each token and session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # how many are left, and when that was so

    def take(self, whose: Hashable) -> float:
        """Take one request out of the bucket; return after how many seconds there is one, 0 where there was."""
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(whose, (AT_ONCE, now))
            left = min(AT_ONCE, left + (now - then) * PER_SECOND)
            is_free = left >= 1
            self._buckets[whose] = (left - is_free, now)
            return 0.0 if is_free else (1 - left) / PER_SECOND
