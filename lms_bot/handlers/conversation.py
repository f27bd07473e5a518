"""Finds the command that a message means, together with what was said before: a number chooses, `more` goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.arguments import Given
from lms_bot.handlers.find_student import SeveralMatch
from lms_bot.handlers.registry import REGISTRY, Command
from lms_bot.handlers.request import Reply, Request
from lms_bot.store.questions import conversations

VALID_FOR = timedelta(minutes=15)
MORE = "more"
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # can be neither stored nor sent everywhere
_AROUND = "\"'`“”*,;!?"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with what was typed for its arguments, and where to go on."""

    command: Command
    given: Given
    position: Any = None

    def answer(self, request: Request) -> Reply:
        """Return what the command gives. Raises UserError."""
        return self.command.answer(replace(request, position=self.position), self.given)

    @property
    def words(self) -> str:
        """Return the command as it could have been typed."""
        return " ".join([self.command.name, *self.given.values()])


def understand(request: Request, text: str) -> Asked:
    """Return what a message asks for. Raises UserError, which says what may have been meant."""
    text = _ODD.sub(" ", text).strip()
    if len(text) > 1 and text[0] == text[-1] == "`":
        text = text.strip("`").strip()
    if text.isascii() and text.isdigit() and (asked := _chosen(request, text)):
        return asked
    if whole := REGISTRY.sentence(text.strip(_AROUND), request.audiences):
        return Asked(whole, {})
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    command = REGISTRY.find(word.strip(_AROUND) or "help", request.audiences)
    if command.name == MORE and (asked := _continued(request)):
        return asked
    return Asked(command, command.given(rest))


def remember(request: Request, asked: Asked, reply: Reply) -> None:
    """Keep what `more` would go on with, or nothing if there is no more; a choice is over."""
    if reply.more is None:
        conversations.forget(request.transaction, request.asker.user_id)
    else:
        _keep(request, asked, more=reply.more)


def offer(request: Request, asked: Asked, several: SeveralMatch) -> None:
    """Keep what the asker may choose from."""
    _keep(request, asked, choices=[student.student_id for student in several.students])


def _keep(request: Request, asked: Asked, **what: Any) -> None:
    question = {
        "command": asked.command.name,
        "audience": asked.command.audience.value,
        "given": dict(asked.given),
    }
    conversations.remember(request.transaction, request.asker.user_id, {**question, **what}, request.now)


def _chosen(request: Request, number: str) -> Asked | None:
    """Return the question asked before, about the student of this number; None if nothing is to be chosen."""
    kept = _kept(request)
    if kept is None or not (choices := kept.get("choices")):
        return None
    if len(number) > 3 or not 1 <= int(number) <= len(choices):
        raise UserError(f"Choose a number from 1 to {len(choices)}, or write another command.")
    asked = _asked(request, kept)
    if asked is None:
        return None
    key = next(argument.key for argument in asked.command.arguments if argument.key in ("student", "students"))
    return replace(asked, given={**asked.given, key: f"#{choices[int(number) - 1]}"})


def _continued(request: Request) -> Asked | None:
    kept = _kept(request)
    if kept is None or kept.get("more") is None:
        return None
    asked = _asked(request, kept)
    return replace(asked, position=kept["more"]) if asked else None


def _asked(request: Request, kept: Mapping[str, Any]) -> Asked | None:
    """Return what was asked before, if the asker may still ask it, here."""
    audience = Role(kept["audience"])
    command = REGISTRY.get(audience, kept["command"])
    return Asked(command, kept["given"]) if command and audience in request.audiences else None


def _kept(request: Request) -> Mapping[str, Any] | None:
    return conversations.recall(request.transaction, request.asker.user_id, request.now - VALID_FOR)
