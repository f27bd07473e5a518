"""The commands of mentors, about their own students and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from lms_bot.errors import UserError
from lms_bot.handlers.registry import REGISTRY, Audience, Command, Request
from lms_bot.handlers.students import the_student
from lms_bot.insights import Statistics
from lms_bot.render import event_line, moment, quote
from lms_bot.store import facts, queries
from lms_bot.store.queries import Owed

HISTORY_LINES = 20
PENDING_LINES = 20
POLLS_MISSED = 3  # data older than this many poll intervals is called old


@REGISTRY.command("help [command]", Audience.MENTOR)
def help_(request: Request, words: str) -> str:
    """Say what I can do, or how one command works."""
    if words:
        return _one_command(REGISTRY.find(words.split()[0], request.audiences))
    lines = [f"* `{command.usage}` – {command.summary}" for command in REGISTRY.among(request.audiences)]
    return "\n".join(["**What you can ask me**", "", *lines])


@REGISTRY.command("stats", Audience.MENTOR)
def stats(request: Request, words: str) -> str:
    """Count what happened to your students, and what you were told of it.

    Processed events are those of which nothing is owed to you any more, history included.
    """
    return statistics_text(queries.statistics(request.transaction, request.mentor_ids)) + freshness(request)


@REGISTRY.command("history @student", Audience.MENTOR)
def history(request: Request, words: str) -> str:
    """Show what one of your students did, newest first.

    The student is a mention, a username, an e-mail address, `#id`, or a part of the name that only one has.
    """
    if not words:
        raise UserError("Whose history? Write `history` and a student, like `history @jane_smith`.")
    student = the_student(request, words)
    events = queries.history(request.transaction, student.student_id, None, HISTORY_LINES + 1)
    if not events:
        return f"**{quote(student.username)}** has done nothing yet that the LMS told me of." + freshness(request)
    lines = [f"* {event_line(event)}" for event in events[:HISTORY_LINES]]
    heading = f"**{quote(student.username)}**, newest first"
    if len(events) > HISTORY_LINES:
        heading += f" (the last {HISTORY_LINES})"
    return "\n".join([heading, "", *lines]) + freshness(request)


@REGISTRY.command("pending", Audience.MENTOR)
def pending(request: Request, words: str) -> str:
    """Show what I still have to tell you, and why it waits."""
    count, owed = queries.owed_to(request.transaction, request.mentor_ids, PENDING_LINES)
    if not count:
        return "Nothing is waiting for you." + freshness(request)
    return owed_lines(f"**{count} waiting for you**", count, owed) + freshness(request)


def owed_lines(heading: str, count: int, owed: Sequence[Owed], *, with_mentor: bool = False) -> str:
    """What is owed, a line each."""
    lines = []
    for one in owed:
        to = f" → **{quote(one.mentor_username or f'mentor {one.mentor_id}')}**" if with_mentor else ""
        lines.append(f"* {event_line(one.event)}{to}: {_why(one)}")
    if count > len(owed):
        lines.append(f"* … and {count - len(owed):,} more")
    return "\n".join([heading, "", *lines])


def freshness(request: Request) -> str:
    """A last line that says how old the data is, where it is old."""
    polled_at = facts.noted_at(request.transaction, facts.POLLED)
    if polled_at is None:
        return "\n\n⏳ I have not read the LMS yet."
    age = request.now - polled_at
    if age <= timedelta(seconds=max(60, POLLS_MISSED * request.settings.poll_interval)):
        return ""
    return f"\n\n⏳ The LMS could last be read at {moment(polled_at)}: newer events are missing here."


def _why(owed: Owed) -> str:
    if owed.reason:
        return f"{quote(owed.reason)}; next try {moment(owed.due_at)}"
    return "being sent now" if owed.under_way else f"due {moment(owed.due_at)}"


def statistics_text(counts: Statistics) -> str:
    return "\n".join(["📊 **Statistics**", "", *(f"* **{name}:** {count:,}" for _, name, count in counts.named())])


def _one_command(command: Command) -> str:
    return "\n\n".join(part for part in (f"`{command.usage}`", command.summary, command.details) if part)
