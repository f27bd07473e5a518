"""Lists within the length of a message: whole entries only, and how many are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

MESSAGE_LIMIT = 10_000


class Shown(NamedTuple):
    """A text, and how many of the entries it shows."""

    text: str
    entries: int


def fitted(lines: Iterable[str], total: int, room: int, rest: Callable[[int], str]) -> Shown:
    """As many of the first lines as `room` characters hold, then `rest` of how many of `total` entries are left out.

    The text is empty if not even that fits.
    """
    shown: list[str] = []
    used = -1
    for line in lines:
        if used + 1 + len(line) > room:
            break
        shown.append(line)
        used += 1 + len(line)
    while len(shown) < total:
        more = rest(total - len(shown))
        if used + 1 + len(more) <= room:
            return Shown("\n".join([*shown, more]), len(shown))
        if not shown:
            return Shown("", 0)
        used -= 1 + len(shown.pop())
    return Shown("\n".join(shown), len(shown))


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural where that is due."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
