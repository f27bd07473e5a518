"""Finds the student whom a mentor means."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bot.core.people import Student
from lms_bot.core.search.people import bare, matching
from lms_bot.core.search.spelling import nearest
from lms_bot.errors import UserError
from lms_bot.handlers.request import Request
from lms_bot.render import quote, student_name
from lms_bot.reports import access

MOST_CHOICES = 10


class SeveralMatch(UserError):
    """Words that name several of the asker's students: `students` are the first of them, to choose from."""

    def __init__(self, words: str, students: Sequence[Student]) -> None:
        super().__init__(self._text(f"Several of your students match “{quote(words, 60)}”", students))

    def _text(self, beginning: str, students: Sequence[Student]) -> str:
        self.students = students[:MOST_CHOICES]
        names = "\n".join(f"{place}. {student_name(one, limit=60)}" for place, one in enumerate(self.students, start=1))
        some = f" (the first {MOST_CHOICES} of them)" if len(students) > MOST_CHOICES else ""
        return f"{beginning}{some}. Answer with a number:\n{names}"


class NoneNamed(SeveralMatch):
    """No student was named where one must be: the asker may choose."""

    def __init__(self, usage: str, students: Sequence[Student]) -> None:
        beginning = f"Whom do you mean? Write `{usage}`, or choose one of your students"
        super(SeveralMatch, self).__init__(self._text(beginning, students))


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
    near = nearest(bare(words), [student.username for student in own])
    hint = f" Did you mean `{quote(near, 60)}`?" if near else ""
    raise UserError(f"You have no student “{quote(words, 60)}”.{hint}")


def the_students(request: Request, words: str) -> Sequence[Student]:
    """Return the one of the asker's students that `words` name, or every one for `all`. Raises UserError."""
    if words.strip().casefold() == "all":
        return access.students(request.transaction, request.principal)
    return [the_student(request, words)]
