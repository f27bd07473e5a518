"""What may follow a command: declared once, and read, shown and explained from that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from lms_bot.core.search.spelling import did_you_mean
from lms_bot.errors import UserError
from lms_bot.handlers.request import Request
from lms_bot.render import quote

Arguments = Mapping[str, Any]
"""What a command gets: a value for each of its arguments, by key."""

Given = Mapping[str, str]
"""What was typed for each argument, by key; it can be kept, and read again later."""

_QUOTED = r'"[^"]*"|[“„][^“”„]*[“”]|«[^«»]*»'
_TOKEN = re.compile(
    rf"""
      (?P<literal> @_?\*\*.+?\*\* | (?:{_QUOTED})(?!\S) )
    | (?P<key> [^\W\d_]+ ) \s*:\s* (?P<value> (?:{_QUOTED}|'[^']*')(?!\S) | [^\s,]+(?:\s*,\s*[^\s,]+)* | )
    | (?P<word> \S+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTES = "\"'“”„«»"


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing that may follow a command.

    * `key` names its value; where it `is_keyed`, it is also typed before it: `key:value` or `key:"two words"`.
    * `form` is how usage shows it, `meaning` the sentence that explains it.
    * `read` makes the value of what was typed. Raises UserError, which says what is allowed.
    * `takes` says whether a word can only be meant for it; one that `is_rest` gets the words that nothing else takes.
    * `default` is read where nothing was typed; the value is None where that is None too.
    * `names` are words that it knows, for those who mistype one.
    """

    key: str
    form: str
    meaning: str
    read: Callable[[Request, str], Any]
    takes: Callable[[str], bool] | None = None
    is_keyed: bool = False
    is_rest: bool = False
    is_required: bool = False
    default: str | None = None
    names: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        return self.form if self.is_required else f"[{re.sub('[<>]', '', self.form)}]"

    def optional(self) -> Argument:
        """Return the same, but it may be left out."""
        return replace(self, is_required=False)

    def by_default(self, text: str) -> Argument:
        """Return the same, but read as `text` where it is left out."""
        return replace(self, default=text, is_required=False)


class Missing(UserError):
    """A required argument was not typed; `found` is what was typed for the others."""

    def __init__(self, message: str, argument: Argument, found: Given) -> None:
        super().__init__(message)
        self.argument = argument
        self.found = found


def given(arguments: Sequence[Argument], text: str) -> Given:
    """Return which words of a text are meant for which argument. Raises UserError."""
    keyed = {argument.key: argument for argument in arguments if argument.is_keyed}
    found: dict[str, str] = {}
    words: list[tuple[str, bool]] = []
    for match in _TOKEN.finditer(text):
        key = (match["key"] or "").casefold()
        if key in keyed:
            _keep(keyed[key], found, match["value"])
        elif key:
            if hint := did_you_mean(f"{key}:", [f"{one}:" for one in keyed]):
                raise UserError(f"I do not know “{quote(key, 40)}:”.{hint}")
            words += [(word, False) for word in match[0].split()]
        else:
            words.append((match["word"] or _unquoted(match["literal"]), match["word"] is None))
    left = _take(arguments, found, words)
    found |= _share([argument for argument in arguments if argument.is_rest], left, arguments)
    for argument in arguments:
        if argument.is_required and not found.get(argument.key):
            raise Missing(f"Something is missing, `{argument.usage}`. {argument.meaning}", argument, found)
    return found


def read(arguments: Sequence[Argument], request: Request, typed: Given) -> Arguments:
    """Return the values of what was typed. Raises UserError."""
    values: dict[str, Any] = {}
    for argument in arguments:
        text = typed.get(argument.key) or argument.default
        values[argument.key] = None if text is None else argument.read(request, text)
    return MappingProxyType(values)


def _unquoted(literal: str) -> str:
    return literal if literal.startswith("@") else literal[1:-1].strip()


def _keep(argument: Argument, found: dict[str, str], text: str) -> None:
    value = text.strip(_QUOTES).strip()
    if not value:
        raise UserError(f"There is nothing in `{argument.key}:`. {argument.meaning}")
    if argument.key in found:
        both = f"“{quote(found[argument.key], 40)}” and “{quote(value, 40)}”"
        raise UserError(f"There are two of `{argument.usage}`, {both}: one is enough.")
    found[argument.key] = value


def _take(arguments: Sequence[Argument], found: dict[str, str], words: Sequence[tuple[str, bool]]) -> list[str]:
    """Give each word to the first argument that takes such words and has none; return those that nothing takes."""
    takers = [[a for a in arguments if a.takes and a.takes(word) and not literal] for word, literal in words]
    is_rest_named = any(not taking for taking in takers)  # then its own words, as `all`, are meant for others
    is_rest_wanting = any(argument.is_rest and argument.is_required for argument in arguments) and not is_rest_named
    left = []
    for (word, _), taking in zip(words, takers, strict=True):
        those = [a for a in taking if not (a.is_rest and is_rest_named)]
        if those and is_rest_wanting and all(a.is_required and a.key in found for a in those):
            left.append(word)  # as the second number of `map 2 66`
        elif those:
            _keep(next((a for a in those if a.key not in found), those[0]), found, word)
        elif word:
            left.append(word)
    return left


def _share(rests: Sequence[Argument], left: Sequence[str], arguments: Sequence[Argument]) -> dict[str, str]:
    """Share the words that nothing took: one for each argument that takes such words, all others for the last."""
    if not left:
        return {}
    if not rests:
        names = [name for argument in arguments for name in argument.names]
        raise UserError(f"I do not know what “{quote(left[0], 40)}” means here.{did_you_mean(left[0], names)}")
    *ones, last = rests
    found = {argument.key: word for argument, word in zip(ones, left, strict=False)}
    remaining = " ".join(left[len(ones) :])
    return {**found, last.key: remaining} if remaining else found
