"""The commands of students, about themselves and nobody else."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.core.reports.students import FullCard
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.dashboard import ACTION, dashboard
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import ROOM_FOR_LINES, quote, student_name
from lms_bot.render.academics.profile import studies_text
from lms_bot.render.streaks import streak_text
from lms_bot.render.students import full_card_text
from lms_bot.reports import streaks
from lms_bot.reports import student as reports
from lms_bot.reports.academics import profiles

COMMANDS = REGISTRY.section(Role.STUDENT, 1, "general")


@COMMANDS.command("me")
def me(request: Request, arguments: Arguments) -> str:
    """Show how you do: averages, trend, streak, subjects, last exams, videos, courses."""
    own = request.principal.students
    room = ROOM_FOR_LINES // len(own)
    return "\n\n".join(_about(request, student, room) for student in own) + note_of_age(request)


@COMMANDS.command("streak")
def streak(request: Request, arguments: Arguments) -> str:
    """Show how many days in a row you have learned, and your last 14 days."""
    zone = request.settings.timezone
    own = [
        streaks.streak(request.transaction, request.principal, student.student_id, zone, request.now)
        for student in request.principal.students
    ]
    return "\n\n".join(streak_text(one, request.settings.daily_goal) for one in own) + note_of_age(request)


@COMMANDS.command("what does my mentor see")
def what_does_my_mentor_see(request: Request, arguments: Arguments) -> str:
    """Show who is told what about you."""
    seen = [_what_mentors_see(request, student) for student in request.principal.students]
    return "\n\n".join(seen) + note_of_age(request)


COMMANDS.command("dashboard", ACTION)(dashboard)


def _about(request: Request, student: Student, room: int) -> str:
    """Return the student's card without concerns, and what their profile says more."""
    card = _card(request, student)
    found = profiles.profile(request.transaction, request.principal, student.student_id, request.settings, request.now)
    studies = studies_text(found, request.now)
    text = full_card_text(replace(card, card=replace(card.card, concerns=())), request.now, room - len(studies) - 2)
    return f"{text}\n\n{studies}" if studies else text


def _card(request: Request, student: Student) -> FullCard:
    return reports.card(request.transaction, request.principal, student.student_id, request.settings, request.now)


def _what_mentors_see(request: Request, student: Student) -> str:
    mentors = reports.mentors(request.transaction, request.principal, student.student_id)
    names = [f"**{quote(mentor.name)}**" for mentor in mentors]
    if not names:
        return f"You have no mentor in the LMS, so nobody is told about {student_name(student, bold=True)}."
    card = _card(request, student)
    return "\n\n".join(
        [
            f"👀 {', '.join(names)} can see each exam and content that {student_name(student, bold=True)} starts, "
            "watches in part or ends in the LMS, and each certificate: when that was, its result, and what follows "
            "from it: averages, also by subject and beside the batch, courses, the days on which something was done, "
            "streaks, how you learn, and what might help you next. They are alerted when you seem to need them, as "
            "after days without anything finished or an exam failed twice. The LMS administrators can see the same. "
            "This is the card that a mentor gets:",
            full_card_text(card, request.now, ROOM_FOR_LINES),
        ]
    )
