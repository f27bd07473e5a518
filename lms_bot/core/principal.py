"""Who asks, and with which rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from lms_bot.core.people import Mentor, Student


class Role(Enum):
    """What somebody asks as.

    Mentors ask about their own students and students about themselves, anywhere; admins ask about everybody, in the
    private admin channel. A service is a program: it asks about everybody, or about the students of one mentor.
    """

    MENTOR = "mentor"
    ADMIN = "admin"
    STUDENT = "student"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who asks: in which roles, and who they are in the LMS.

    `mentors` and `students` are several where one Zulip account belongs to several.
    """

    roles: frozenset[Role] = frozenset()
    mentors: tuple[Mentor, ...] = ()
    students: tuple[Student, ...] = ()

    @classmethod
    def of(cls, mentors: Sequence[Mentor], students: Sequence[Student], *, is_admin: bool = False) -> Principal:
        """Return the principal who is these mentors and these students, and perhaps an admin."""
        roles = {Role.MENTOR: bool(mentors), Role.STUDENT: bool(students), Role.ADMIN: is_admin}
        return cls(frozenset(role for role, is_theirs in roles.items() if is_theirs), tuple(mentors), tuple(students))

    @classmethod
    def service(cls, mentor: Mentor | None = None) -> Principal:
        """Return a program that asks about the students of one mentor, or about everybody."""
        return cls(frozenset({Role.SERVICE}), () if mentor is None else (mentor,))

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def sees_everybody(self) -> bool:
        return self.is_admin or (Role.SERVICE in self.roles and not self.mentors)

    @property
    def mentor_ids(self) -> list[int]:
        return [mentor.mentor_id for mentor in self.mentors]

    @property
    def student_ids(self) -> list[int]:
        return [student.student_id for student in self.students]

    def acting_as(self, role: Role) -> Principal:
        """Return the same person with the rights of one role alone; with none, if they do not have that role."""
        return Principal(
            self.roles & {role},
            self.mentors if role is Role.MENTOR else (),
            self.students if role is Role.STUDENT else (),
        )
