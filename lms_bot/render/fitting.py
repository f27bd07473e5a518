"""Whole lines of what is too long for one message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

MESSAGE_LIMIT = 10_000
ROOM_FOR_LINES = 9_000  # characters for the lines of a list, which leaves room for what stands around them
WRITE_MORE = "\n\nWrite `more` for the next ones."
_CUT = "… The rest is too long for one message."
_FENCE = re.compile(r"^(`{3,}|~{3,})")


def lines_within(lines: Sequence[str], room: int) -> Sequence[str]:
    """Return the first of the lines, as many whole ones as fit into `room` characters; at least one."""
    used = 0
    for count, line in enumerate(lines):
        used += len(line) + 1
        if used > room and count:
            return lines[:count]
    return lines


def fitted(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return at most `limit` characters of a text: whole lines, an open spoiler closed, and a last line if cut."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    used = len(_CUT) + 2
    fence = ""
    for line in text.split("\n"):
        opened = _fence_after(fence, line)
        used += len(line) + 1
        if used + (len(opened) + 1 if opened else 0) > limit:
            break
        kept.append(line)
        fence = opened
    if not kept:
        return text[: limit - 1] + "…"
    return "\n".join([*kept, *([fence] if fence else []), "", _CUT])


def _fence_after(fence: str, line: str) -> str:
    """Return the fence that is open after a line; "" if none is."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    is_its_end = line.strip() == match[1] and match[1][0] == fence[0] and len(match[1]) >= len(fence)
    return "" if is_its_end else fence


class Shown(NamedTuple):
    """A text, and how many of the entries it shows."""

    text: str
    entries: int


def listed(lines: Iterable[str], total: int, room: int, rest: Callable[[int], str]) -> Shown:
    """Return as many of the first lines as `room` holds, then `rest` of how many of `total` entries are left out.

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


class Group(NamedTuple):
    """Lines that belong together, in a spoiler under a heading; without one they are open to see."""

    heading: str
    lines: Sequence[str]


def grouped(start: str, groups: Iterable[Group], limit: int) -> Shown:
    """Return the start and the lines in their groups, as many as `limit` holds, and that `more` shows more."""
    text, entries = start, 0
    for heading, lines in groups:
        opening, closing = (f"\n\n```spoiler {heading}\n", "\n```") if heading else ("\n\n", "")
        room = limit - len(text) - len(opening) - len(closing) - len(WRITE_MORE)
        fitting = lines_within(lines, room) if lines and len(lines[0]) <= room else ()
        if fitting:
            text += opening + "\n".join(fitting) + closing
            entries += len(fitting)
        if len(fitting) < len(lines):
            return Shown(text + WRITE_MORE, entries)
    return Shown(text, entries)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is due."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
