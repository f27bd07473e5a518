"""One call of a tool: who asks, in which transaction, and people as the one who asks may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lms_bot.config.settings import Settings
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.web.tokens import pseudonym
from lms_bot.store.session import Transaction
from lms_bot.web.callers import Caller

Document = dict[str, Any]
"""What can be written as JSON."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a tool needs to answer."""

    caller: Caller
    transaction: Transaction

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    @property
    def settings(self) -> Settings:
        return self.caller.context.settings

    @property
    def now(self) -> datetime:
        return self.caller.now

    def shown(self, student: Student) -> Student:
        """Return what the token may know of a student: without the scope `names` a pseudonym stands for the names."""
        if self.caller.sees_names:
            return student
        name = pseudonym(self.caller.token, "student", student.student_id)
        return Student(student.student_id, name, is_active=student.is_active)
