"""Students as programs look for them: by words, by course, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.search.people import matching
from lms_bot.core.search.spelling import similar
from lms_bot.reports import access
from lms_bot.store.reports import courses
from lms_bot.store.session import Transaction

Shown = Callable[[Student], Student]
"""What makes of a student what the one who asks may know of them."""


class Found(NamedTuple):
    """Students; `is_guess` says that nobody is called so, and that these are called nearly so."""

    students: Sequence[Student]
    is_guess: bool = False


def find(transaction: Transaction, principal: Principal, words: str, course: str, shown: Shown) -> Found:
    """Return the students whom `words` name and who take a course called so, among those whom a principal may see.

    Both may be empty. They are looked for by what `shown` leaves of them and come in the order of their ids, those
    called nearly so the nearest first: neither a hit nor its place tells a name that is not shown. Raises NotFound for
    a stranger.
    """
    own = sorted(access.students(transaction, principal), key=lambda student: student.student_id)
    if course:
        takers = courses.takers_of(transaction, course)
        own = [student for student in own if student.student_id in takers]
    known = [shown(student) for student in own]
    if not words.strip():
        return Found(known)
    words = f"#{words.strip()}" if words.strip().isdecimal() and words.isascii() else words
    if found := matching(known, words):
        return Found(found)
    return Found(_nearly(known, words.strip()), is_guess=True)


def _nearly(among: Sequence[Student], words: str) -> list[Student]:
    called = [
        (name, student)
        for student in among
        for whole in (student.username, student.name)
        for name in (whole, *whole.replace("_", " ").split())
    ]
    places = similar(words, [name for name, _ in called])
    return list({called[place][1].student_id: called[place][1] for place in places}.values())
