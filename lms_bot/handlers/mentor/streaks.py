"""The commands of mentors that show how regularly their students learn."""

from __future__ import annotations

from lms_bot.core.principal import Role
from lms_bot.core.streaks import by_streak
from lms_bot.handlers.argument_types import STUDENT
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import freshness
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.streaks import streak_text, streaks_text
from lms_bot.store.people import people
from lms_bot.store.streaks import overview


@REGISTRY.command("streak", Role.MENTOR, STUDENT)
def streak(request: Request, arguments: Arguments) -> str:
    """Show how many days in a row one of your students has learned, and the last 14 days.

    A day counts when something was finished on it, an exam or a piece of content; a day without ends the streak. Days
    are those of the student's time zone, where Zulip knows it.
    """
    zone = request.settings.timezone
    (habit,) = overview.streaks_of(request.transaction, [arguments["student"]], zone, request.now)
    return streak_text(habit, request.settings.daily_goal) + freshness(request)


@REGISTRY.command("streaks", Role.MENTOR)
def streaks(request: Request, arguments: Arguments) -> Reply:
    """Show how regularly all your students learn, the longest streaks first."""
    own = people.students_of(request.transaction, request.mentor_ids)
    if not own:
        return Reply("You have no students in the LMS." + freshness(request))
    skip = request.position or 0
    found = by_streak(overview.streaks_of(request.transaction, own, request.settings.timezone, request.now))
    shown = streaks_text(found, request.settings.daily_goal, ROOM_FOR_LINES, skip=skip)
    seen = skip + shown.entries
    return Reply(shown.text + freshness(request), more=seen if seen < len(found) else None)
