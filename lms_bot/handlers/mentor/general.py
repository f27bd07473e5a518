"""The commands of mentors that help, count, and show what waits."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.principal import Role
from lms_bot.core.reports.students import INACTIVE_AFTER
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import PERIOD, STUDENT, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import counted, student_name
from lms_bot.render.pending import pending_text
from lms_bot.render.statistics import results_text
from lms_bot.reports import notifications, statistics

PENDING_LINES = 20
COMMAND = words("command", "One of my commands, to learn how it works.").optional()
COMMANDS = REGISTRY.section(Role.MENTOR, 1)


@COMMANDS.command("help", COMMAND)
def help_(request: Request, arguments: Arguments) -> str:
    """Say what I can do, or how one command works."""
    if arguments["command"]:
        return REGISTRY.find(arguments["command"].split()[0], request.audiences).explanation()
    lines = [f"* `{command.usage}` – {command.summary}" for command in REGISTRY.among(request.audiences)]
    return "\n".join(["**What you can ask me**", "", *lines, "", "`help` and a command say more about it."])


@COMMANDS.command("stats", STUDENT.optional(), replace(PERIOD, form="7d|30d|all"))
def stats(request: Request, arguments: Arguments) -> str:
    """Count what your students, or one of them, came to, and what you were told of it.

    Processed events are those of which nothing is owed to you any more, history included.
    """
    student, period = arguments["student"], arguments["period"]
    student_id = student.student_id if student else None
    results = statistics.results(request.transaction, request.principal, student_id, period.since, request.now)
    counts = statistics.statistics(request.transaction, request.principal, student_id=student_id, since=period.since)
    whose = f"of {student_name(student, bold=True)}, " if student else ""
    of = f" {whose}{period.words}" if student or period.since else ""
    active = period.words if period.since else f"the last {counted(INACTIVE_AFTER.days, 'day')}"
    return results_text(results, counts, of, active) + note_of_age(request)


@COMMANDS.command("pending")
def pending(request: Request, arguments: Arguments) -> str:
    """Show what I still have to tell you, and why it waits."""
    total, first = notifications.pending(
        request.transaction, request.principal, PENDING_LINES, request.settings, request.now
    )
    if not total:
        return "Nothing is waiting for you." + note_of_age(request)
    return pending_text(f"**{total} waiting for you**", total, first) + note_of_age(request)


@COMMANDS.command("more")
def more(request: Request, arguments: Arguments) -> str:
    """Go on with the list that I showed you last."""
    raise UserError("There is no list that I could go on with. Ask for one first, like `history @student`.")
