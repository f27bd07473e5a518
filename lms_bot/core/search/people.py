"""Finds the people whom words name: by mention, username, e-mail address, number, name or a part of one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import TypeVar

from lms_bot.core.people import Mentor, Student, folded_email

Person = TypeVar("Person", bound=Mentor | Student)

MENTION = re.compile(r"^@_?\*\*(?P<name>.+?)(?:\|(?P<id>[0-9]{1,18}))?\*\*$", re.DOTALL)
_MENTIONS = re.compile(r"@_?\*\*[^*|]+(?:\|(?P<id>[0-9]{1,18}))?\*\*")
SENTENCE_ENDS = ".,;:!? "
QUOTES = "\"'`“”„‘’"
APOSTROPHES = str.maketrans("‘’ʼ", "'''")


def matching(among: Sequence[Person], words: str) -> list[Person]:
    """Return those whom `words` name: a mention, a username, an e-mail address, `#id`, a name or a part of one."""
    words = words.strip().strip(QUOTES).strip()
    mention = MENTION.match(words)
    if mention and mention["id"]:
        return [one for one in among if one.zulip_user_id == int(mention["id"])]
    wanted = bare(words)
    if not wanted:
        return []
    if re.fullmatch("#[0-9]{1,18}", wanted):
        return [one for one in among if _number(one) == int(wanted[1:])]
    for names in (_exact, _whole_words, _parts):
        if found := [one for one in among if any(names(*pair) for pair in _compared(one, wanted, words))]:
            return found
    trimmed = words.rstrip(SENTENCE_ENDS)
    return matching(among, trimmed) if trimmed != words else []


def named_in(among: Sequence[Person], sentence: str, *, but: Collection[str]) -> list[Person]:
    """Return those whose name stands in a sentence: the whole of one, or else a word of one that is none of `but`."""
    mentioned = {int(one["id"]) for one in _MENTIONS.finditer(sentence) if one["id"]}
    if found := [one for one in among if one.zulip_user_id in mentioned]:
        return found
    spoken = _spoken(sentence)
    if found := [
        one for one in among if any(f" {' '.join(_spoken(name))} " in _spaced(spoken) for name in _called(one))
    ]:
        return found
    words = set(spoken) - set(but)
    return [one for one in among if any(words & _telling(name) for name in _called(one))]


def _called(person: Mentor | Student) -> list[str]:
    return [name for name in (person.username, person.display_name) if name and _spoken(name)]


def _spoken(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return re.findall(r"[^\W_]+", _folded(text))


def _spaced(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


def _telling(name: str) -> set[str]:
    """Return the words of a name that tell whose it is: neither a single letter nor a number."""
    return {word for word in _spoken(name) if len(word) > 1 and not word.isdigit()}


def _number(person: Mentor | Student) -> int:
    return person.student_id if isinstance(person, Student) else person.mentor_id


def bare(words: str) -> str:
    """Return the name in what somebody wrote, as it is compared."""
    mention = MENTION.match(words.strip())
    return _folded((mention["name"] if mention else words.strip().lstrip("@")).strip())


def _folded(name: str) -> str:
    """Return a name as it is compared: case, the kind of apostrophe, and how accents are composed do not matter."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).translate(APOSTROPHES).casefold())


def _compared(person: Mentor | Student, wanted: str, words: str) -> list[tuple[str, str]]:
    """Return each name of a person with what is looked for in it; of e-mail addresses only A to Z are folded."""
    names = [(_folded(name), wanted) for name in (person.username, person.display_name) if name]
    return [*names, (folded_email(person.email), folded_email(words.lstrip("@")))] if person.email else names


def _exact(name: str, wanted: str) -> bool:
    return wanted == name


def _whole_words(name: str, wanted: str) -> bool:
    return wanted in re.split(r"[\s_.@-]+", name)


def _parts(name: str, wanted: str) -> bool:
    return wanted in name
