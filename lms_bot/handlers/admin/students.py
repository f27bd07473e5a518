"""The commands of admins that show how a student does, of all there are."""

from __future__ import annotations

from lms_bot.core.principal import Role
from lms_bot.handlers.argument_types import STUDENT
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.progress import progress_text
from lms_bot.reports import patterns

COMMANDS = REGISTRY.section(Role.ADMIN, 7, "students")


@COMMANDS.command("progress", STUDENT, is_personal=True)
def progress(request: Request, arguments: Arguments) -> str:
    """Show how far a student is, how they learn, and what should happen next.

    You are answered in a direct message.
    """
    found = patterns.progress(
        request.transaction, request.principal, arguments["student"].student_id, request.settings, request.now
    )
    return progress_text(found, ROOM_FOR_LINES) + note_of_age(request)
