"""The commands of admins that help, count, and show what waits and who changed what."""

from __future__ import annotations

from lms_bot.core.principal import Role
from lms_bot.core.reports.overview import AuditEntry, Unnotified
from lms_bot.handlers.admin.control import paused_lines
from lms_bot.handlers.argument_types import count
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.dashboard import ACTION, dashboard
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.mentor.general import COMMAND, PENDING_LINES, help_, more
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES, WRITE_MORE, counted, lines_within, moment, quote
from lms_bot.render.accounts import unmapped_lines
from lms_bot.render.pending import pending_text
from lms_bot.render.statistics import statistics_text
from lms_bot.reports import notifications, overview
from lms_bot.reports.statistics import all_statistics

LISTED = 20
MOST_LISTED = 100
COMMANDS = REGISTRY.section(Role.ADMIN, 3, "general")

COMMANDS.command("help", COMMAND)(help_)


@COMMANDS.command("stats")
def stats(request: Request, arguments: Arguments) -> str:
    """Count all events, and what was told of them.

    Processed events are those of which nothing is owed any more, history included.
    """
    return statistics_text(all_statistics(request.transaction, request.principal)) + note_of_age(request)


@COMMANDS.command("pending")
def pending(request: Request, arguments: Arguments) -> str:
    """Show what is owed to mentors and why it waits, and what can be told to nobody."""
    transaction, principal, now = request.transaction, request.principal, request.now
    total, first = notifications.pending_for_everybody(transaction, principal, PENDING_LINES, request.settings, now)
    heading = f"**{counted(total, 'notification')} waiting**"
    unnotified = overview.unnotified(transaction, principal, LISTED)
    without_account = {mentor.mentor_id for mentor in unnotified.unmapped}
    waiting = pending_text(heading, total, first, without_account=without_account) if total else ""
    paused = "\n".join(paused_lines(overview.operation(transaction, principal, now)))
    parts = [waiting, paused, _without_mentor(unnotified), _unmapped(unnotified), _unknown_rows(unnotified)]
    return "\n\n".join([part for part in parts if part] or ["Nothing is waiting."]) + note_of_age(request)


@COMMANDS.command("audit", count(MOST_LISTED, LISTED, is_keyed=False))
def audit(request: Request, arguments: Arguments) -> Reply:
    """Show who changed what, newest first."""
    most, offset = arguments["n"], request.position or 0
    entries = overview.audit(request.transaction, request.principal, most + 1, offset)
    if not entries:
        return Reply("There is nothing more." if offset else "No admin has changed anything yet.")
    shown = lines_within([_audit_line(entry) for entry in entries[:most]], ROOM_FOR_LINES)
    goes_on = offset + len(shown) if len(entries) > len(shown) else None
    heading = "**Changes by admins**, newest first" if not offset else "**Changes by admins**, before that"
    return Reply("\n".join([heading, "", *shown]) + (WRITE_MORE if goes_on else ""), more=goes_on)


COMMANDS.command("dashboard", ACTION, changes=True, is_personal=True)(dashboard)


COMMANDS.command("more")(more)


def _audit_line(entry: AuditEntry) -> str:
    who = quote(entry.full_name or f"account {entry.zulip_user_id}")
    return f"* {moment(entry.at)} **{who}** · “{quote(entry.command)}”: {quote(entry.outcome)}"


def _without_mentor(found: Unnotified) -> str:
    lines = [
        f"* **{quote(name)}** (#{student_id}): {counted(count, 'event')}" for student_id, name, count in found.students
    ]
    return _listed("**Students without a mentor** (nobody is told)", lines, found.total)


def _unmapped(found: Unnotified) -> str:
    lines = unmapped_lines(found.unmapped, LISTED)
    return "\n".join(["**Mentors without a Zulip account**", *lines]) if lines else ""


def _unknown_rows(found: Unnotified) -> str:
    lines = [
        f"* {counted(count, 'row')} of `{table}` in the unknown state “{quote(state, 60)}”"
        for table, state, count in found.unknown_states
    ]
    if found.nameless_events:
        lines.append(f"* {counted(found.nameless_events, 'event')} of students that the LMS does not have")
    return _listed("**Rows of the LMS that I cannot place**", lines, len(lines))


def _listed(heading: str, lines: list[str], total: int) -> str:
    if not lines:
        return ""
    more = [f"* … and {total - LISTED:,} more"] if total > LISTED else []
    return "\n".join([heading, *lines[:LISTED], *more])
