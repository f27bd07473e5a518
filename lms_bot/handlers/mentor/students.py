"""The commands of mentors that show how their students do: a list of all; a card, the progress and a chart of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.core.reports.students import StudentSummary
from lms_bot.handlers.argument_types import ALL, PERIOD, STUDENT, choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.academics.profile import profile_text
from lms_bot.render.academics.progress import progress_text
from lms_bot.render.chart import (
    chart_png,
    chart_text,
    subjects_png,
    subjects_text,
    undrawn_subjects_text,
    undrawn_text,
)
from lms_bot.render.mentor_overview import mentor_overview_text
from lms_bot.render.students import full_card_text, students_text
from lms_bot.reports import patterns
from lms_bot.reports import student as reports
from lms_bot.reports.academics import performances, profiles
from lms_bot.reports.attention import attention, mentor_overview
from lms_bot.reports.preferences import time_zone

MOST_SCORES = 200  # in one chart
FAILING, INACTIVE = "failing", "inactive"
SCORES, SUBJECTS = "scores", "subjects"
_BELONGS: dict[str, Callable[[StudentSummary], bool]] = {
    FAILING: lambda summary: summary.is_failing,
    INACTIVE: lambda summary: summary.is_inactive,
    ALL: lambda summary: True,
}
WHICH = choice("which", list(_BELONGS), "Only those who fail, or who are inactive by your `rules`.").by_default(ALL)
OF_WHAT = choice("of", [SCORES, SUBJECTS], "Exam scores over time, or subjects.").by_default(SCORES)
COMMANDS = REGISTRY.section(Role.MENTOR, 6, "students")


@COMMANDS.command("students", WHICH)
def students(request: Request, arguments: Arguments) -> Reply:
    """Show how your students do, who needs attention first."""
    which, skip = arguments["which"], request.position or 0
    everybody = attention(request.transaction, request.principal, request.settings.timezone, request.now)
    if not everybody.summaries:
        return Reply("You have no students in the LMS." + note_of_age(request))
    found = [summary for summary in everybody.summaries if _BELONGS[which](summary)]
    if not found:
        return Reply(f"None of your students is {which}." + note_of_age(request))
    kind = "" if which == ALL else which
    shown = students_text(replace(everybody, summaries=tuple(found)), request.now, kind, ROOM_FOR_LINES, skip=skip)
    seen = skip + shown.entries
    return Reply(shown.text + note_of_age(request), more=seen if seen < len(found) else None)


@COMMANDS.command("overview")
def overview(request: Request, arguments: Arguments) -> str:
    """Show in short what needs you: who needs attention, what changed since yesterday, and which alerts are open."""
    found = mentor_overview(request.transaction, request.principal, request.settings, request.now)
    if not found.attention.summaries:
        return "You have no students in the LMS." + note_of_age(request)
    return mentor_overview_text(found, request.now) + note_of_age(request)


@COMMANDS.command("student", STUDENT)
def student(request: Request, arguments: Arguments) -> str:
    """Show all about one of your students at a glance: averages, trend, streak, last exams, courses."""
    student_id = arguments["student"].student_id
    found = reports.card(request.transaction, request.principal, student_id, request.settings, request.now)
    return full_card_text(found, request.now, ROOM_FOR_LINES) + note_of_age(request)


@COMMANDS.command("progress", STUDENT)
def progress(request: Request, arguments: Arguments) -> str:
    """Show how far a student is, how they learn, and what should happen next.

    Each recommendation names the events that it rests on: `why` with such a number shows one. What rests on too little
    is not said.
    """
    found = patterns.progress(
        request.transaction, request.principal, arguments["student"].student_id, request.settings, request.now
    )
    return progress_text(found, ROOM_FOR_LINES) + note_of_age(request)


@COMMANDS.command("profile", STUDENT)
def profile(request: Request, arguments: Arguments) -> str:
    """Show how a student stands: average, batch, streak, videos, strong and weak subjects, courses."""
    student_id = arguments["student"].student_id
    found = profiles.profile(request.transaction, request.principal, student_id, request.settings, request.now)
    return profile_text(found, request.now) + note_of_age(request)


@COMMANDS.command("chart", STUDENT, OF_WHAT, PERIOD)
def chart(request: Request, arguments: Arguments) -> Reply:
    """Draw the exam scores of one of your students over time, or their subjects, with the same numbers as text."""
    who, since = arguments["student"], arguments["period"].since
    if arguments["of"] == SUBJECTS:
        return _subjects_chart(request, who, since)
    exams = reports.scores(
        request.transaction, request.principal, who.student_id, since, MOST_SCORES + 1, request.settings
    )
    shown = exams[-MOST_SCORES:]
    text = chart_text(who, shown, request.now, ROOM_FOR_LINES)
    if len(exams) > MOST_SCORES:
        text += f"\n\nThese are the last {MOST_SCORES} exams; a shorter period, like `30d`, shows fewer."
    if not shown:
        return Reply(text + note_of_age(request))
    if undrawn := undrawn_text(who, shown):
        text += f"\n\n{undrawn}"
    zone = time_zone(request.transaction, request.principal, request.settings)
    picture = chart_png(who, shown, zone)
    return Reply(text + note_of_age(request), attachment=(f"scores-{who.student_id}.png", picture))


def _subjects_chart(request: Request, who: Student, since: datetime | None) -> Reply:
    parts = performances.subject_performance(request.transaction, request.principal, who.student_id, since)
    text = subjects_text(who, parts, ROOM_FOR_LINES)
    if not parts:
        return Reply(text + note_of_age(request))
    if undrawn := undrawn_subjects_text(who, parts):
        text += f"\n\n{undrawn}"
    return Reply(text + note_of_age(request), attachment=(f"subjects-{who.student_id}.png", subjects_png(who, parts)))
