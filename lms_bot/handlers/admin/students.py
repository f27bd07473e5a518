"""The commands that show an admin how any student does."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.principal import Role
from lms_bot.handlers.argument_types import STUDENT
from lms_bot.handlers.mentor.students import profile, progress
from lms_bot.handlers.registry import REGISTRY

ANY_STUDENT = replace(
    STUDENT, meaning="A student: a mention, a username, an e-mail address, `#id`, or a part of the name."
)
COMMANDS = REGISTRY.section(Role.ADMIN, 7, "students")

COMMANDS.command("profile", ANY_STUDENT, is_personal=True)(profile)
COMMANDS.command("progress", ANY_STUDENT, is_personal=True)(progress)
