"""Finds the command that a message means, together with what was said before: a number chooses, `more` goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.core.search.people import named_in
from lms_bot.errors import UserError
from lms_bot.handlers.arguments import Given, Missing
from lms_bot.handlers.find_student import NoneNamed, SeveralMatch
from lms_bot.handlers.registry import REGISTRY, Command, UnknownCommand
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import quote
from lms_bot.reports import access
from lms_bot.store.questions import conversations

VALID_FOR = timedelta(minutes=15)
MORE = "more"
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # can be neither stored nor sent everywhere
_AROUND = "\"'`“”*,;!?./:"
_DASHES = re.compile("[\u2010-\u2015\u2212]+")
_QUESTION = re.compile(r"(how|what|who|when|where|is|are|does|do|did|has|have|was|why)\s+\S+\s+\S", re.IGNORECASE)
_COURTESIES = {
    *("please", "kindly", "hi", "hello", "hey", "dear", "can", "could", "would", "will", "you", "i", "want", "need"),
    *("like", "to", "show", "give", "tell", "get", "see", "me", "us", "the", "my"),
}
_THANKS = re.compile(r"(^|[\s,]+)(please|thanks|thank you)[.!]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with what was typed for its arguments, and where to go on.

    Where it was typed otherwise, `taken_for` says as what it was understood, and `hint` how to write it.
    """

    command: Command
    given: Given
    position: Any = None
    taken_for: str = ""
    hint: str = ""

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
    word, rest = _split(request, text)
    if word != "why-not" and _QUESTION.match(text) and (asked := _about_student(request, text)):
        return asked
    try:
        command = REGISTRY.find(word or "help", request.audiences)
    except UnknownCommand as unknown:
        return _meant(request, text, rest, unknown)
    if command.name == MORE and (asked := _continued(request)):
        return asked
    return _asking(request, command, rest)


def _split(request: Request, text: str) -> tuple[str, str]:
    """Return the first word, as names of commands are written, and the rest; words of courtesy do not count."""
    words = text.split()
    names = {command.name for command in REGISTRY.among(request.audiences)}
    while words:
        word = _DASHES.sub("-", words[0].strip(_AROUND)).casefold()
        pair = f"{word}-{words[1].strip(_AROUND).casefold()}" if len(words) > 1 else ""
        if pair in names:
            return pair, _without(text, words[:2])
        if word in names or word not in _COURTESIES or len(words) == 1:
            return word, _without(text, words[:1])
        text, words = _without(text, words[:1]), words[1:]
    return "", ""


def _without(text: str, words: Sequence[str]) -> str:
    """Return a text without these words, which it begins with."""
    for word in words:
        text = text.strip()[len(word) :]
    return text.strip()


def _meant(request: Request, text: str, rest: str, unknown: UnknownCommand) -> Asked:
    """Return what is meant by a first word that is no command: a mistyped one, or a student. Raises UserError."""
    if request.audiences == {Role.STUDENT}:
        raise unknown  # whatever else they write is answered as to a stranger
    command = REGISTRY.find(unknown.near[0], request.audiences) if len(unknown.near) == 1 else None
    if command is not None and not command.changes:  # what an admin changes is asked for, not guessed
        return replace(_asking(request, command, rest), taken_for=f"I take that for `{command.name}`.")
    if unknown.near:
        _remember(request, {"commands": list(unknown.near), "rest": rest})
        lines = "\n".join(f"{place}. `{name}`" for place, name in enumerate(unknown.near, start=1))
        which = "this" if len(unknown.near) == 1 else "one of these"
        raise UserError(f"{str(unknown).partition('.')[0]}. Do you mean {which}? Answer with a number:\n{lines}")
    if asked := _about_student(request, text):
        return asked
    raise unknown


def _asking(request: Request, command: Command, rest: str) -> Asked:
    """Return the question with what was typed after its command; without a student it needs, those are offered."""
    text = rest if command.takes_notes else _THANKS.sub("", rest)
    try:
        return Asked(command, command.given(text))
    except Missing as missing:
        own = _own_students(request, command) if missing.argument.key in ("student", "students") else []
        if not own:
            raise
        none_named = NoneNamed(command.usage, own)
        offer(request, Asked(command, missing.found), none_named)
        raise none_named from missing


def _about_student(request: Request, sentence: str) -> Asked | None:
    """Return the card of the asker's student whom a sentence names; None if it names none. Raises SeveralMatch."""
    command = REGISTRY.get(Role.MENTOR, "student")
    if command is None or Role.MENTOR not in request.audiences:
        return None
    names = {word for one in REGISTRY.among(request.audiences) for word in re.split(r"[\s-]", one.name)}
    found = named_in(_own_students(request, command), sentence, but=names)
    if not found:
        return None
    if len(found) > 1:
        several = SeveralMatch(sentence, found)
        offer(request, Asked(command, {}), several)
        raise several
    (student,) = found
    how = f"Ask me like this: `student @{quote(student.username, 60)}`, `history @{quote(student.username, 60)}`; "
    return Asked(command, {"student": f"#{student.student_id}"}, hint=f"{how}`help` says what else.")


def _own_students(request: Request, command: Command) -> list[Student]:
    if command.audience is not Role.MENTOR:
        return []
    return access.students(request.transaction, request.principal.acting_as(Role.MENTOR))


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
    _remember(request, {**question, **what})


def _remember(request: Request, content: Mapping[str, Any]) -> None:
    conversations.remember(request.transaction, request.asker.user_id, content, request.now)


def _chosen(request: Request, number: str) -> Asked | None:
    """Return the question asked before, about the student or by the command of this number; None without a choice."""
    kept = _kept(request)
    if kept is None or not (choices := kept.get("choices") or kept.get("commands")):
        return None
    if len(number) > 3 or not 1 <= int(number) <= len(choices):
        raise UserError(f"Choose a number from 1 to {len(choices)}, or write another command.")
    if "commands" in kept:
        return _asking(request, REGISTRY.find(choices[int(number) - 1], request.audiences), kept["rest"])
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
    if "command" not in kept:
        return None
    audience = Role(kept["audience"])
    command = REGISTRY.get(audience, kept["command"])
    return Asked(command, kept["given"]) if command and audience in request.audiences else None


def _kept(request: Request) -> Mapping[str, Any] | None:
    return conversations.recall(request.transaction, request.asker.user_id, request.now - VALID_FOR)
