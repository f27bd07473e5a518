"""The commands of mentors that show how their students do: a table of all, a card and a chart of one."""

from __future__ import annotations

from collections.abc import Callable

from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.core.reports.students import StudentSummary
from lms_bot.handlers.argument_types import ALL, PERIOD, STUDENT, choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import freshness, zone
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.chart import chart_png, chart_text
from lms_bot.render.students import card_text, students_text
from lms_bot.store.people import people
from lms_bot.store.reports import students as standings
from lms_bot.store.streaks.overview import learning_streaks, streaks_of

MOST_SCORES = 200  # in one chart
FAILING, INACTIVE = "failing", "inactive"
_BELONGS: dict[str, Callable[[StudentSummary], bool]] = {
    FAILING: lambda standing: standing.is_failing,
    INACTIVE: lambda standing: standing.is_inactive,
    ALL: lambda standing: True,
}
WHICH = choice("which", list(_BELONGS), "Only those who fail, or who have done nothing for a week.").by_default(ALL)


@REGISTRY.command("students", Role.MENTOR, WHICH)
def students(request: Request, arguments: Arguments) -> Reply:
    """Show how your students do, who needs attention first."""
    which, skip = arguments["which"], request.position or 0
    own = people.students_of(request.transaction, request.mentor_ids)
    if not own:
        return Reply("You have no students in the LMS." + freshness(request))
    everybody = standings.summaries(request.transaction, own, request.now)
    found = [standing for standing in everybody if _BELONGS[which](standing)]
    if not found:
        return Reply(f"None of your students is {which}." + freshness(request))
    lasting = learning_streaks(request.transaction, own, request.settings.timezone, request.now)
    shown = students_text(found, "" if which == ALL else which, ROOM_FOR_LINES, skip=skip, streaks=lasting)
    seen = skip + shown.entries
    return Reply(shown.text + freshness(request), more=seen if seen < len(found) else None)


@REGISTRY.command("student", Role.MENTOR, STUDENT)
def student(request: Request, arguments: Arguments) -> str:
    """Show all about one of your students at a glance: averages, trend, streak, last exams, courses."""
    return card_of(request, arguments["student"]) + freshness(request)


def card_of(request: Request, student: Student) -> str:
    """The card of a student, as their mentors see it."""
    card = standings.card(request.transaction, student, request.now)
    (habit,) = streaks_of(request.transaction, [student], request.settings.timezone, request.now)
    return card_text(card, ROOM_FOR_LINES, habit=habit)


@REGISTRY.command("chart", Role.MENTOR, STUDENT, PERIOD)
def chart(request: Request, arguments: Arguments) -> Reply:
    """Draw the exam scores of one of your students over time, with the same numbers as text."""
    who, since = arguments["student"], arguments["period"].since
    exams = standings.scores(request.transaction, who.student_id, since, MOST_SCORES + 1)
    shown = exams[-MOST_SCORES:]
    text = chart_text(who.username, shown, ROOM_FOR_LINES)
    if len(exams) > MOST_SCORES:
        text += f"\n\nThese are the last {MOST_SCORES} exams; a shorter period, like `30d`, shows fewer."
    if not shown:
        return Reply(text + freshness(request))
    picture = chart_png(who.username, shown, zone(request))
    return Reply(text + freshness(request), attachment=(f"scores-{who.student_id}.png", picture))
