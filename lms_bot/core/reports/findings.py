"""Findings of the doctor and of the conformance kit: a sentence, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_NAMED = 8  # of many things, so many are named


class Level(StrEnum):
    """Warnings can wait; what has failed keeps the bot from its work, or has it tell something wrong."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `check` names it, `advice` says what to do unless all is well."""

    check: str
    level: Level
    message: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<8} {self.check:<16} {self.message}"
        return f"{line} -> {self.advice}" if self.advice else line


def ok(check: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """Return a finding that can wait."""
    return Finding(check, Level.WARNING, message, advice)


def failed(check: str, message: str, advice: str) -> Finding:
    """Return a finding that keeps the bot from its work."""
    return Finding(check, Level.FAILED, message, advice)


def some(names: Sequence[str]) -> str:
    """Return the first of these names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
