"""The commands of admins, answered in the private admin stream."""

from __future__ import annotations

from lms_bot.handlers.mentor import PENDING_LINES, freshness, help_, owed_lines, statistics_text
from lms_bot.handlers.registry import REGISTRY, Audience, Request
from lms_bot.render import counted, quote
from lms_bot.store import cursors, people, queries

LISTED = 20

REGISTRY.command("help [command]", Audience.ADMIN)(help_)


@REGISTRY.command("stats", Audience.ADMIN)
def stats(request: Request, words: str) -> str:
    """Count all events, and what was told of them.

    Processed events are those of which nothing is owed any more, history included.
    """
    return statistics_text(queries.statistics(request.transaction)) + freshness(request)


@REGISTRY.command("pending", Audience.ADMIN)
def pending(request: Request, words: str) -> str:
    """Show what is owed to mentors and why it waits, and what can be told to nobody."""
    count, owed = queries.owed_to_anybody(request.transaction, PENDING_LINES)
    parts = (
        [owed_lines(f"**{counted(count, 'notification')} waiting**", count, owed, with_mentor=True)] if count else []
    )
    parts += [part for part in (_without_mentor(request), _unmapped(request), _odd_rows(request)) if part]
    return "\n\n".join(parts or ["Nothing is waiting."]) + freshness(request)


def _without_mentor(request: Request) -> str:
    found = queries.without_mentor(request.transaction)
    if not found:
        return ""
    lines = [
        f"* **{quote(username)}** (#{student_id}): {counted(count, 'event')}" for student_id, username, count in found
    ]
    return _listed("**Students without a mentor** (nobody is told)", lines)


def _unmapped(request: Request) -> str:
    lines = [
        f"* **{quote(mentor.username)}** (#{mentor.mentor_id}): {quote(mentor.unmapped_reason or 'not looked up yet')}"
        for mentor in people.unmapped(request.transaction)
    ]
    return _listed("**Mentors without a Zulip account**", lines)


def _odd_rows(request: Request) -> str:
    lines = [
        f"* {counted(count, 'row')} of `{table}` in the unknown state “{quote(state, 60)}”"
        for table, state, count in cursors.unknown_states(request.transaction)
    ]
    nameless = queries.without_student(request.transaction)
    if nameless:
        lines.append(f"* {counted(nameless, 'event')} of students that the LMS does not have")
    return _listed("**Rows of the LMS that I cannot place**", lines)


def _listed(heading: str, lines: list[str]) -> str:
    if not lines:
        return ""
    more = [f"* … and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    return "\n".join([heading, *lines[:LISTED], *more])
