"""The commands of mentors, about their own students and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from lms_bot.core.notifications import DEFAULT_PREFERENCES, Preferences
from lms_bot.core.principal import Role
from lms_bot.core.reports.statistics import Statistics
from lms_bot.core.schedule import zone_of
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import PERIOD, STUDENT, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.freshness import POLLS_MISSED
from lms_bot.pipeline.recheck import still_due
from lms_bot.render import moment, numbered_line, quote
from lms_bot.store import state
from lms_bot.store.notifications import preferences, queue
from lms_bot.store.notifications.queue import QueueEntry
from lms_bot.store.reports import statistics

PENDING_LINES = 20
COMMAND = words("command", "One of my commands, to learn how it works.").optional()


@REGISTRY.command("help", Role.MENTOR, COMMAND)
def help_(request: Request, arguments: Arguments) -> str:
    """Say what I can do, or how one command works."""
    if arguments["command"]:
        return REGISTRY.find(arguments["command"].split()[0], request.audiences).explanation()
    lines = [f"* `{command.usage}` – {command.summary}" for command in REGISTRY.among(request.audiences)]
    return "\n".join(["**What you can ask me**", "", *lines, "", "`help` and a command say more about it."])


@REGISTRY.command("stats", Role.MENTOR, STUDENT.optional(), replace(PERIOD, form="7d|30d|all"))
def stats(request: Request, arguments: Arguments) -> str:
    """Count what happened to your students, or to one of them, and what you were told of it.

    Processed events are those of which nothing is owed to you any more, history included.
    """
    student, period = arguments["student"], arguments["period"]
    counts = statistics.own_statistics(
        request.transaction,
        request.mentor_ids,
        student_id=student.student_id if student else None,
        since=period.since,
    )
    whose = f"of **{quote(student.username)}**, " if student else ""
    of = f" {whose}{period.words}" if student or period.since else ""
    return statistics_text(counts, of) + freshness(request)


@REGISTRY.command("pending", Role.MENTOR)
def pending(request: Request, arguments: Arguments) -> str:
    """Show what I still have to tell you, and why it waits."""
    total, owed = queue.pending_for_mentors(request.transaction, request.mentor_ids, PENDING_LINES)
    if not total:
        return "Nothing is waiting for you." + freshness(request)
    return owed_lines(request, f"**{total} waiting for you**", total, owed) + freshness(request)


@REGISTRY.command("more", Role.MENTOR)
def more(request: Request, arguments: Arguments) -> str:
    """Go on with the list that I showed you last."""
    raise UserError("There is no list that I could go on with. Ask for one first, like `history @student`.")


def owed_lines(
    request: Request, heading: str, count: int, owed: Sequence[QueueEntry], *, with_mentor: bool = False
) -> str:
    """What is owed, a line each, and why it waits."""
    wishes = preferences.effective(request.transaction, {one.mentor_id for one in owed})
    lines = []
    for one in owed:
        wanted = wishes.get(one.mentor_id, DEFAULT_PREFERENCES)
        to = f" → **{quote(one.mentor_username or f'mentor {one.mentor_id}')}**" if with_mentor else ""
        lines.append(f"* {numbered_line(one.event)}{to}: {why_waiting(request, one, wanted)}")
    if count > len(owed):
        lines.append(f"* … and {count - len(owed):,} more")
    return "\n".join([heading, "", *lines])


def freshness(request: Request) -> str:
    """A last line that says how old the data is, where it is old."""
    polled_at = state.noted_at(request.transaction, state.POLLED)
    if polled_at is None:
        return "\n\n⏳ I have not read the LMS yet."
    age = request.now - polled_at
    if age <= timedelta(seconds=max(60, POLLS_MISSED * request.settings.poll_interval)):
        return ""
    return f"\n\n⏳ The LMS could last be read at {moment(polled_at)}: newer events are missing here."


def zone(request: Request) -> ZoneInfo:
    """The time zone that the asker is shown days in."""
    wishes = preferences.effective(request.transaction, request.mentor_ids[:1])
    return zone_of(next(iter(wishes.values()), DEFAULT_PREFERENCES), request.settings.timezone)


def why_waiting(request: Request, owed: QueueEntry, wishes: Preferences) -> str:
    """What holds a notification that is owed, and until when."""
    if owed.reason:
        return f"{quote(owed.reason)}; next try {moment(owed.due_at)}"
    if owed.under_way:
        return "being sent now"
    held = still_due(owed.event, owed.found_at, wishes, request.settings, request.now)
    reason = held.reason or ("more than a day's number of alerts" if owed.event.event_type.is_alert else "")
    why = f"{reason}, " if reason and owed.due_at > request.now else ""
    return f"{why}due {moment(owed.due_at)}"


def statistics_text(counts: Statistics, of: str = "") -> str:
    heading = f"📊 **Statistics**{of}"
    return "\n".join([heading, "", *(f"* **{name}:** {count:,}" for _, name, count in counts.named())])
