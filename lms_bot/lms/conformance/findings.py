"""What the conformance kit finds: a sentence, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_NAMED = 8  # of many things, so many are named
WORD = 40  # characters that are shown of a word of the LMS


class Level(StrEnum):
    """Warnings can wait; what has failed keeps events from being told, or tells wrong ones."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `what` names it, `advice` says what to do unless all is well."""

    level: Level
    what: str
    message: str
    advice: str = ""


def ok(what: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, what, message)


def warning(what: str, message: str, advice: str) -> Finding:
    """Return a finding that can wait."""
    return Finding(Level.WARNING, what, message, advice)


def failed(what: str, message: str, advice: str) -> Finding:
    """Return a finding that cannot."""
    return Finding(Level.FAILED, what, message, advice)


def some(names: Sequence[str]) -> str:
    """Return the first of these names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def word(value: str | None) -> str:
    """Return a word of the LMS in one line of a terminal."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in value or "")
    return (f"{shown[:WORD]}…" if len(shown) > WORD else shown) or "(none)"
