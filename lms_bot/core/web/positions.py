"""Where a reader of events is: they may become visible in another order than their numbers were given out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

Range = tuple[int, int]
"""Numbers from one to another, both included."""

# Numbers before the last one that may still appear: two transactions may commit in another order than they began.
OVERLAP = 500
MOST_WRITTEN = 40  # ranges: a position is a header of a request
PATTERN = r"^[0-9]{1,15}(/[0-9]{1,15}(-[0-9]{1,15})?(,[0-9]{1,15}(-[0-9]{1,15})?){0,39})?$"


@dataclass(frozen=True, slots=True)
class Position:
    """The last number that was seen, and those shortly before it that were not, in rising ranges."""

    last: int
    missing: tuple[Range, ...] = ()

    @classmethod
    def after(cls, last: int, before: Iterable[int] = ()) -> Position:
        """Return the position after a number, and after those of the numbers before it."""
        floor = max(0, last - OVERLAP)
        seen = [floor, *sorted(number for number in before if floor < number < last), last]
        return cls(last, tuple((low + 1, high - 1) for low, high in pairwise(seen) if high - low > 1))

    @property
    def floor(self) -> int:
        """The number after which there is something to see."""
        return min(self.last, self.missing[0][0] - 1) if self.missing else self.last

    def lacks(self, number: int) -> bool:
        """Return whether a number was not seen."""
        return number > self.last or any(low <= number <= high for low, high in self.missing)

    def then(self, number: int) -> Position:
        """Return the position after one more number that it lacks."""
        if number > self.last:
            return self._kept(number, (*self.missing, (self.last + 1, number - 1)))
        parts = [part for low, high in self.missing for part in _without(low, high, number)]
        return self._kept(self.last, parts)

    @staticmethod
    def _kept(last: int, missing: Iterable[Range]) -> Position:
        floor = last - OVERLAP
        return Position(last, tuple((max(low, floor + 1), high) for low, high in missing if low <= high > floor))

    def __str__(self) -> str:
        """Return it as text: the last number, and the newest ranges that are missing."""
        ranges = ",".join(f"{low}-{high}" if low < high else f"{low}" for low, high in self.missing[-MOST_WRITTEN:])
        return f"{self.last}/{ranges}" if ranges else f"{self.last}"


def _without(low: int, high: int, number: int) -> tuple[Range, ...]:
    return ((low, number - 1), (number + 1, high)) if low <= number <= high else ((low, high),)


def read(text: str) -> Position:
    """Return the position that a text says; what is missing counts only shortly before the last number.

    Raises ValueError for a text of another form.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"no position: {text[:40]!r}")
    last, _, ranges = text.partition("/")
    reached = int(last)
    missing = sorted(_range(one) for one in ranges.split(",") if one)
    known = [(max(low, reached - OVERLAP + 1), min(high, reached - 1)) for low, high in missing]
    return Position(reached, tuple((low, high) for low, high in known if low <= high))


def _range(text: str) -> Range:
    low, _, high = text.partition("-")
    return int(low), int(high or low)
