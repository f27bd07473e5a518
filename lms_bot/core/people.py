"""Students, mentors and Zulip accounts."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_FEW, _SMALL_PART = 10, 0.1  # what a reading may lose at once: so many, or such a part of all


class Census(NamedTuple):
    """How many students and mentors there are, and links between them."""

    students: int
    mentors: int
    links: int

    def loses_too_many(self, later: Census) -> bool:
        """Return whether so many are gone in a later reading, or all of a kind, that it looks like a table refilled."""
        return any(
            before - after > max(_FEW, _SMALL_PART * before) or (before > 0 and after == 0)
            for before, after in zip(self, later, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Student:
    """A student of the LMS; `zulip_user_id` is known where exactly one active account has the e-mail address.

    `shares_name`: another student of whoever asks has the same name.
    """

    student_id: int
    username: str
    email: str | None = None
    display_name: str | None = None
    is_active: bool = True
    zulip_user_id: int | None = None
    shares_name: bool = False

    @property
    def name(self) -> str:
        """Return what the student is called; that is the username where the LMS has no name."""
        return self.display_name or self.username


@dataclass(frozen=True, slots=True)
class Mentor:
    """A mentor of the LMS; without `zulip_user_id`, `unmapped_reason` says why nobody can be written to.

    `supervisor_id` is the mentor to whom this one reports, `supervisor_email` another way to reach that person, and
    `students_count` how many students the LMS itself counts; None where it does not say.
    """

    mentor_id: int
    username: str
    email: str | None = None
    display_name: str | None = None
    zulip_user_id: int | None = None
    unmapped_reason: str | None = None
    supervisor_id: int | None = None
    supervisor_email: str | None = None
    students_count: int | None = None

    @property
    def name(self) -> str:
        """Return what the mentor is called; that is the username where the LMS has no name."""
        return self.display_name or self.username


@dataclass(frozen=True, slots=True)
class ZulipUser:
    """An account in Zulip as `GET /users` lists it; the store keeps apart which are `is_administrator`."""

    user_id: int
    full_name: str
    email: str | None
    is_active: bool
    is_bot: bool
    is_guest: bool = False
    timezone: str = ""
    is_administrator: bool = False


@dataclass(frozen=True, slots=True)
class MentorAccount:
    """A mentor with the Zulip account that is theirs, if it is known, and their students by username."""

    mentor: Mentor
    account: ZulipUser | None
    is_mapped_by_hand: bool
    students: tuple[Student, ...]


@dataclass(frozen=True, slots=True)
class StudentAccount:
    """A student with the Zulip account that is theirs, if it is known, and their mentors by username."""

    student: Student
    account: ZulipUser | None
    mentors: tuple[Mentor, ...]


def told_apart(students: Sequence[Student]) -> list[Student]:
    """Return the students of one reader, those marked who share a name."""
    shared = shared_names(student.name for student in students)
    return [replace(student, shares_name=folded_name(student.name) in shared) for student in students]


def shared_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names, folded, that are there more than once."""
    return frozenset(name for name, times in Counter(map(folded_name, names)).items() if times > 1)


def folded_name(name: str) -> str:
    """Return a name as a reader compares it: case, space and the way of writing an accent do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def folded_email(address: str) -> str:
    """Return an e-mail address as it is compared: without surrounding space, and only the case of A to Z is folded.

    More would make one of two people's addresses, such as strauß@… and strauss@….
    """
    return address.strip().translate(_ASCII_LOWER)


def hides_email(user_id: int, address: str | None) -> bool:
    """Return whether Zulip gives only an address made up from the user id. Source: Zulip's email_address_visibility."""
    return not address or re.fullmatch(rf"user{user_id}@.*", address) is not None
