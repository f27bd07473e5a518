"""The commands there are, who may use each, and how a question finds its command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from lms_bot.config import Settings
from lms_bot.domain import Mentor
from lms_bot.errors import UserError
from lms_bot.render import quote
from lms_bot.store import Transaction


class Audience(Enum):
    """Who may use a command: mentors for themselves anywhere, admins in the private admin stream."""

    MENTOR = "mentor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, when, and the store transaction in which the answer is found.

    `mentors` are the mentors that the asker's Zulip account belongs to; `audiences` what the asker may use here.
    """

    transaction: Transaction
    now: datetime
    settings: Settings
    mentors: Sequence[Mentor]
    audiences: frozenset[Audience]

    @property
    def mentor_ids(self) -> list[int]:
        return [mentor.mentor_id for mentor in self.mentors]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `usage` is what is typed, `summary` the first line of its function's docstring."""

    name: str
    usage: str
    summary: str
    details: str
    audience: Audience
    run: Callable[[Request, str], str]


class Registry:
    """The commands by audience and name."""

    def __init__(self) -> None:
        self._commands: dict[tuple[Audience, str], Command] = {}

    def command(self, usage: str, audience: Audience) -> Callable[..., Callable[[Request, str], str]]:
        """Register a function as the command that `usage` begins with."""

        def register(run: Callable[[Request, str], str]) -> Callable[[Request, str], str]:
            name = usage.split()[0]
            summary, _, details = (run.__doc__ or "").strip().partition("\n")
            lines = " ".join(line.strip() for line in details.strip().splitlines())
            self._commands[audience, name] = Command(name, usage, summary, lines, audience, run)
            return run

        return register

    def among(self, audiences: Iterable[Audience]) -> list[Command]:
        """The commands for these audiences, in the order they were registered; an admin's comes before a mentor's."""
        names: dict[str, Command] = {}
        for audience in (Audience.ADMIN, Audience.MENTOR):
            if audience in audiences:
                for (of, name), command in self._commands.items():
                    if of is audience:
                        names.setdefault(name, command)
        return list(names.values())

    def find(self, word: str, audiences: Iterable[Audience]) -> Command:
        """The command of this name, in any case. Raises UserError, which says what may have been meant."""
        commands = {command.name: command for command in self.among(audiences)}
        if word.casefold() in commands:
            return commands[word.casefold()]
        near = nearest(word.casefold(), list(commands))
        hint = f"Did you mean `{near}`? " if near else ""
        raise UserError(f"I do not know “{quote(word, 40)}”. {hint}Write `help` to see what I can do.")


def nearest(word: str, names: Sequence[str]) -> str | None:
    """The one of `names` that a typing error may have made `word` from."""
    found = process.extractOne(word, names, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.6)
    return str(found[0]) if found else None


REGISTRY = Registry()
