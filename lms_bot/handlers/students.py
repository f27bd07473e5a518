"""Which student a mentor means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lms_bot.domain import Student
from lms_bot.errors import UserError
from lms_bot.handlers.registry import Request, nearest
from lms_bot.render import quote
from lms_bot.store import people

MENTION = re.compile(r"^@_?\*\*(?P<name>.+?)(?:\|(?P<id>\d+))?\*\*$", re.DOTALL)
MOST_CHOICES = 10
QUOTES = "\"'`“”„‘’"
APOSTROPHES = str.maketrans("‘’ʼ", "'''")


def the_student(request: Request, words: str) -> Student:
    """The one of the asker's students that `words` name.

    Raises UserError, in the same words for a student who does not exist and for one who is somebody else's.
    """
    own = people.students_of(request.transaction, request.mentor_ids)
    found = matching(own, words)
    if len(found) == 1:
        return found[0]
    if found:
        names = "\n".join(f"* `{_code(student.username)}`" for student in found[:MOST_CHOICES])
        raise UserError(f"Several of your students match “{quote(words, 60)}”. Say which one:\n{names}")
    near = nearest(_bare(words), [student.username for student in own])
    hint = f" Did you mean `{_code(near)}`?" if near else ""
    raise UserError(f"You have no student “{quote(words, 60)}”.{hint}")


def matching(students: Sequence[Student], words: str) -> list[Student]:
    """The students that `words` name: a mention, a username, an e-mail address, `#id`, a name or a part of one."""
    words = words.strip().strip(QUOTES).strip()
    mention = MENTION.match(words)
    if mention and mention["id"]:
        return [s for s in students if s.zulip_user_id == int(mention["id"])]
    wanted = _bare(words)
    if not wanted:
        return []
    if re.fullmatch(r"#\d+", wanted):
        return [s for s in students if s.student_id == int(wanted[1:])]
    for names in (_exact, _whole_words, _parts):
        if found := [s for s in students if names(s, wanted)]:
            return found
    return []


def _bare(words: str) -> str:
    mention = MENTION.match(words.strip())
    return _folded((mention["name"] if mention else words.strip().lstrip("@")).strip())


def _folded(name: str) -> str:
    """A name as it is compared: case and the kind of apostrophe do not matter."""
    return name.translate(APOSTROPHES).casefold()


def _names(student: Student) -> list[str]:
    return [_folded(name) for name in (student.username, student.email, student.display_name) if name]


def _exact(student: Student, wanted: str) -> bool:
    return wanted in _names(student)


def _whole_words(student: Student, wanted: str) -> bool:
    return any(wanted in re.split(r"[\s_.@-]+", name) for name in _names(student))


def _parts(student: Student, wanted: str) -> bool:
    return any(wanted in name for name in _names(student))


def _code(text: str) -> str:
    return quote(text, 60)
