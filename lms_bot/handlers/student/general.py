"""The commands of students, about themselves and nobody else."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import freshness
from lms_bot.handlers.mentor.students import card_of
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import ROOM_FOR_LINES, quote
from lms_bot.render.streaks import streak_text
from lms_bot.render.students import card_text
from lms_bot.store.people import directory
from lms_bot.store.reports import students as standings
from lms_bot.store.streaks.overview import streaks_of


@REGISTRY.command("me", Role.STUDENT)
def me(request: Request, arguments: Arguments) -> str:
    """Show how you do: averages, trend, streak, last exams, courses."""
    return "\n\n".join(_own_card(request, student) for student in request.students) + freshness(request)


@REGISTRY.command("streak", Role.STUDENT)
def streak(request: Request, arguments: Arguments) -> str:
    """Show how many days in a row you have learned, and your last 14 days."""
    own = streaks_of(request.transaction, request.students, request.settings.timezone, request.now)
    return "\n\n".join(streak_text(habit, request.settings.daily_goal) for habit in own) + freshness(request)


@REGISTRY.command("what does my mentor see", Role.STUDENT)
def what_does_my_mentor_see(request: Request, arguments: Arguments) -> str:
    """Show who is told what about you."""
    return "\n\n".join(_seen(request, student) for student in request.students) + freshness(request)


def _own_card(request: Request, student: Student) -> str:
    card = replace(standings.card(request.transaction, student, request.now), concerns=())
    (habit,) = streaks_of(request.transaction, [student], request.settings.timezone, request.now)
    return card_text(card, ROOM_FOR_LINES // len(request.students), habit=habit)


def _seen(request: Request, student: Student) -> str:
    mentors = directory.mentors_of(request.transaction, student.student_id)
    names = [f"**{quote(mentor.username)}**" for mentor in mentors]
    if not names:
        return f"You have no mentor in the LMS, so nobody is told about **{quote(student.username)}**."
    return "\n\n".join(
        [
            f"👀 {', '.join(names)} can see each exam and content that **{quote(student.username)}** starts or ends "
            "in the LMS, when that was, its result, and what follows from it: averages, the days on which something "
            "was done, and streaks. They are alerted when you seem to need them, as after days without anything "
            "finished or an exam failed twice. The LMS administrators can see the same. This is the card that a mentor "
            "gets:",
            card_of(request, student),
        ]
    )
