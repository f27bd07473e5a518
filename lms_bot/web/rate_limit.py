"""How many requests a token, a session or a student may make: a bucket for each, which fills again by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

PER_SECOND: Final = 100.0
AT_ONCE: Final = 300.0
PER_SECOND_OF_STUDENT: Final = 20.0


class RateLimit:
    """A bucket of requests for each token, session or student: so many `at_once`, and more `per_second`."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, at_once: float = AT_ONCE, per_second: float = PER_SECOND
    ) -> None:
        self._clock = clock
        self._at_once = at_once
        self._per_second = per_second
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # by asker: how many are left, and when that was so

    def take(self, whose: Hashable) -> float:
        """Take one request out of the bucket; return after how many seconds there is one, 0 where there was."""
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(whose, (self._at_once, now))
            left = min(self._at_once, left + (now - then) * self._per_second)
            is_free = left >= 1
            self._buckets[whose] = (left - is_free, now)
            return 0.0 if is_free else (1 - left) / self._per_second
