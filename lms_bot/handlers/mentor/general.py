"""The commands of mentors that help, count, and show what waits."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.principal import Role
from lms_bot.core.reports.statistics import ACTIVE_WITHIN
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import PERIOD, STUDENT, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.dashboard import ACTION, dashboard
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY, Command
from lms_bot.handlers.request import Request
from lms_bot.render import counted, student_name
from lms_bot.render.pending import pending_text
from lms_bot.render.statistics import results_text
from lms_bot.reports import notifications, statistics

PENDING_LINES = 20
ENDS = "\"'`“”.,;:!?"
COMMAND = words("command", "One of my commands, to learn how it works, or a topic.").optional()
FIRST = ("status", "unmapped", "map", "me", "open", "students", "student", "history", "stats", "pending", "user")
MOST_FIRST = 6  # with a heading and a last line, that is eight lines
COMMANDS = REGISTRY.section(Role.MENTOR, 1, "general")


@COMMANDS.command("help", COMMAND)
def help_(request: Request, arguments: Arguments) -> str:
    """Say what you need first, what there is about a topic, or how one command works."""
    commands = REGISTRY.among(request.audiences)
    topics = list(dict.fromkeys(command.topic for command in commands))
    if not arguments["command"]:
        first = sorted((one for one in commands if one.name in FIRST), key=lambda one: FIRST.index(one.name))
        more = ", ".join(f"`help {topic}`" for topic in topics)
        last = f"More: {more}; `help` and a command say how it works."
        return "\n".join(["**What you can ask me**", "", *map(_line, first[:MOST_FIRST]), "", last])
    word = arguments["command"].split()[0]
    topic = word.strip(ENDS).casefold()
    about = [command for command in commands if command.topic == topic and command.name != topic]
    if not about:
        return REGISTRY.find(word, request.audiences).explanation()
    own = [REGISTRY.find(topic, request.audiences).explanation()] if topic in {one.name for one in commands} else []
    return "\n".join([*own, *([""] if own else []), f"**About {topic}**", "", *map(_line, about)])


def _line(command: Command) -> str:
    return f"* `{command.usage}` – {command.summary}"


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
    active = period.words if period.since else f"the last {counted(ACTIVE_WITHIN.days, 'day')}"
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


COMMANDS.command("dashboard", ACTION)(dashboard)


@COMMANDS.command("more")
def more(request: Request, arguments: Arguments) -> str:
    """Go on with the list that I showed you last."""
    raise UserError("There is no list that I could go on with. Ask for one first, like `history @student`.")
