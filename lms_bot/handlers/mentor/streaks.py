"""The commands of mentors that show how regularly their students learn."""

from __future__ import annotations

from lms_bot.core.principal import Role
from lms_bot.handlers.argument_types import STUDENT
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.streaks import streak_text, streaks_text
from lms_bot.reports import streaks as reports

COMMANDS = REGISTRY.section(Role.MENTOR, 3, "streaks")


@COMMANDS.command("streak", STUDENT)
def streak(request: Request, arguments: Arguments) -> str:
    """Show how many days in a row one of your students has learned, and the last 14 days.

    A day counts when something was finished on it, an exam or a piece of content; a day without ends the streak. Days
    are those of the student's time zone, where Zulip knows it.
    """
    student_id, zone = arguments["student"].student_id, request.settings.timezone
    found = reports.streak(request.transaction, request.principal, student_id, zone, request.now)
    return streak_text(found, request.settings.daily_goal) + note_of_age(request)


@COMMANDS.command("streaks")
def streaks(request: Request, arguments: Arguments) -> Reply:
    """Show how regularly all your students learn, the longest streaks first."""
    skip = request.position or 0
    found = reports.streaks(request.transaction, request.principal, request.settings.timezone, request.now)
    if not found:
        return Reply("You have no students in the LMS." + note_of_age(request))
    shown = streaks_text(found, ROOM_FOR_LINES, skip=skip)
    seen = skip + shown.entries
    return Reply(shown.text + note_of_age(request), more=seen if seen < len(found) else None)
