"""The commands of admins, answered in the private admin stream."""

from __future__ import annotations

from lms_bot.core.principal import Role
from lms_bot.core.reports import overview
from lms_bot.handlers.admin.control import paused_lines
from lms_bot.handlers.admin.messages import unmapped_lines
from lms_bot.handlers.argument_types import count
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import COMMAND, PENDING_LINES, freshness, help_, more, owed_lines, statistics_text
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES, WRITE_MORE, counted, lines_within, moment, quote
from lms_bot.store.events import cursors
from lms_bot.store.notifications import queue
from lms_bot.store.people import accounts, directory
from lms_bot.store.questions import audit as audits
from lms_bot.store.reports import statistics

LISTED = 20
MOST_LISTED = 100

REGISTRY.command("help", Role.ADMIN, COMMAND)(help_)


@REGISTRY.command("stats", Role.ADMIN)
def stats(request: Request, arguments: Arguments) -> str:
    """Count all events, and what was told of them.

    Processed events are those of which nothing is owed any more, history included.
    """
    return statistics_text(statistics.statistics(request.transaction)) + freshness(request)


@REGISTRY.command("pending", Role.ADMIN)
def pending(request: Request, arguments: Arguments) -> str:
    """Show what is owed to mentors and why it waits, and what can be told to nobody."""
    total, owed = queue.pending_for_everybody(request.transaction, PENDING_LINES)
    heading = f"**{counted(total, 'notification')} waiting**"
    parts = [owed_lines(request, heading, total, owed, with_mentor=True)] if total else []
    parts += [
        part
        for part in ("\n".join(paused_lines(request)), _without_mentor(request), _unmapped(request), _odd_rows(request))
        if part
    ]
    return "\n\n".join(parts or ["Nothing is waiting."]) + freshness(request)


@REGISTRY.command("audit", Role.ADMIN, count(MOST_LISTED, LISTED, is_keyed=False))
def audit(request: Request, arguments: Arguments) -> Reply:
    """Show who changed what, newest first."""
    most, offset = arguments["n"], request.position or 0
    entries = audits.last(request.transaction, most + 1, offset)
    if not entries:
        return Reply("There is nothing more." if offset else "No admin has changed anything yet.")
    shown = lines_within([_audit_line(entry) for entry in entries[:most]], ROOM_FOR_LINES)
    goes_on = offset + len(shown) if len(entries) > len(shown) else None
    heading = "**Changes by admins**, newest first" if not offset else "**Changes by admins**, before that"
    return Reply("\n".join([heading, "", *shown]) + (WRITE_MORE if goes_on else ""), more=goes_on)


REGISTRY.command("more", Role.ADMIN)(more)


def _audit_line(entry: overview.AuditEntry) -> str:
    who = quote(entry.full_name or f"account {entry.zulip_user_id}")
    return f"* {moment(entry.at)} **{who}** · “{quote(entry.command)}”: {quote(entry.outcome)}"


def _without_mentor(request: Request) -> str:
    total, found = directory.students_without_mentor(request.transaction, LISTED)
    lines = [
        f"* **{quote(username)}** (#{student_id}): {counted(count, 'event')}" for student_id, username, count in found
    ]
    return _listed("**Students without a mentor** (nobody is told)", lines, total)


def _unmapped(request: Request) -> str:
    found = accounts.unmapped(request.transaction)
    return "\n".join(["**Mentors without a Zulip account**", *unmapped_lines(found, LISTED)]) if found else ""


def _odd_rows(request: Request) -> str:
    lines = [
        f"* {counted(count, 'row')} of `{table}` in the unknown state “{quote(state, 60)}”"
        for table, state, count in cursors.unknown_states(request.transaction)
    ]
    nameless = directory.count_events_without_student(request.transaction)
    if nameless:
        lines.append(f"* {counted(nameless, 'event')} of students that the LMS does not have")
    return _listed("**Rows of the LMS that I cannot place**", lines, len(lines))


def _listed(heading: str, lines: list[str], total: int) -> str:
    if not lines:
        return ""
    more = [f"* … and {total - LISTED:,} more"] if total > LISTED else []
    return "\n".join([heading, *lines[:LISTED], *more])
