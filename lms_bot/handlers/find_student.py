"""Finds the student whom a mentor means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from lms_bot.core.people import Mentor, Student
from lms_bot.errors import UserError
from lms_bot.handlers.request import Request
from lms_bot.handlers.spelling import nearest
from lms_bot.render import quote, student_name
from lms_bot.reports import access

Person = TypeVar("Person", bound=Mentor | Student)

MENTION = re.compile(r"^@_?\*\*(?P<name>.+?)(?:\|(?P<id>[0-9]{1,18}))?\*\*$", re.DOTALL)
MOST_CHOICES = 10
QUOTES = "\"'`“”„‘’"
APOSTROPHES = str.maketrans("‘’ʼ", "'''")


class SeveralMatch(UserError):
    """Words that name several of the asker's students: `students` are the first of them, to choose from."""

    def __init__(self, words: str, students: Sequence[Student]) -> None:
        self.students = students[:MOST_CHOICES]
        names = "\n".join(f"{place}. {student_name(one, limit=60)}" for place, one in enumerate(self.students, start=1))
        some = f" (the first {MOST_CHOICES} of them)" if len(students) > MOST_CHOICES else ""
        super().__init__(f"Several of your students match “{quote(words, 60)}”{some}. Answer with a number:\n{names}")


def the_student(request: Request, words: str) -> Student:
    """Return the one of the asker's students that `words` name.

    Raises UserError, in the same words for a student who does not exist and for one who is somebody else's;
    SeveralMatch, if there are several.
    """
    own = access.students(request.transaction, request.principal)
    found = matching(own, words)
    if len(found) == 1:
        return found[0]
    if found:
        raise SeveralMatch(words, found)
    near = nearest(_bare(words), [student.username for student in own])
    hint = f" Did you mean `{quote(near, 60)}`?" if near else ""
    raise UserError(f"You have no student “{quote(words, 60)}”.{hint}")


def the_students(request: Request, words: str) -> Sequence[Student]:
    """Return the one of the asker's students that `words` name, or every one for `all`. Raises UserError."""
    if words.strip().casefold() == "all":
        return access.students(request.transaction, request.principal)
    return [the_student(request, words)]


def matching(among: Sequence[Person], words: str) -> list[Person]:
    """Return those whom `words` name: a mention, a username, an e-mail address, `#id`, a name or a part of one."""
    words = words.strip().strip(QUOTES).strip()
    mention = MENTION.match(words)
    if mention and mention["id"]:
        return [one for one in among if one.zulip_user_id == int(mention["id"])]
    wanted = _bare(words)
    if not wanted:
        return []
    if re.fullmatch("#[0-9]{1,18}", wanted):
        return [one for one in among if _number(one) == int(wanted[1:])]
    for names in (_exact, _whole_words, _parts):
        if found := [one for one in among if names(one, wanted)]:
            return found
    return []


def _number(person: Mentor | Student) -> int:
    return person.student_id if isinstance(person, Student) else person.mentor_id


def _bare(words: str) -> str:
    mention = MENTION.match(words.strip())
    return _folded((mention["name"] if mention else words.strip().lstrip("@")).strip())


def _folded(name: str) -> str:
    """Return a name as it is compared: case and the kind of apostrophe do not matter."""
    return name.translate(APOSTROPHES).casefold()


def _names(person: Mentor | Student) -> list[str]:
    return [_folded(name) for name in (person.username, person.email, person.display_name) if name]


def _exact(person: Mentor | Student, wanted: str) -> bool:
    return wanted in _names(person)


def _whole_words(person: Mentor | Student, wanted: str) -> bool:
    return any(wanted in re.split(r"[\s_.@-]+", name) for name in _names(person))


def _parts(person: Mentor | Student, wanted: str) -> bool:
    return any(wanted in name for name in _names(person))
