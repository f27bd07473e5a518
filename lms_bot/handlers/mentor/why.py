"""The commands of mentors that say why they were told of something or not, and whom the bot takes them for."""

from __future__ import annotations

from itertools import groupby

from lms_bot.core.people import Mentor
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import EVENT
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.mentor.alerts import own_alert
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import counted, quote, student_name
from lms_bot.render.alerts import alert_explanation
from lms_bot.render.pending import trace_text
from lms_bot.reports import access
from lms_bot.reports.accounts import mentor_account
from lms_bot.reports.notifications import traces
from lms_bot.reports.preferences import time_zone

NAMED_STUDENTS = 10
COMMANDS = REGISTRY.section(Role.MENTOR, 8, "general")


@COMMANDS.command("why", EVENT)
def why(request: Request, arguments: Arguments) -> str:
    """Say why I told you of an event, or why not, or not yet.

    An exam that was started, and passed or failed later, has one number: you learn it of each of these. Of an alert
    about a student (`why KT4821`) you learn what it was based on, and what became of it.
    """
    asked = arguments["event"]
    if isinstance(asked, str):
        return alert_explanation(own_alert(request, asked)) + note_of_age(request)
    found = traces(request.transaction, request.principal, asked, request.settings, request.now)
    if not found:
        raise UserError("None of your students has an event of that number. `history` and `feed` show their numbers.")
    by_event = groupby(found, key=lambda one: one.event.event_id)
    return "\n\n".join(trace_text(list(of_event)) for _, of_event in by_event) + note_of_age(request)


@COMMANDS.command("whoami")
def whoami(request: Request, arguments: Arguments) -> str:
    """Show whom I take you for, which students you have, and what time it is for you."""
    lines = [_mentor_line(request, mentor) for mentor in request.principal.mentors]
    zone = time_zone(request.transaction, request.principal, request.settings)
    lines.append(f"* **Time zone:** {quote(zone.key)}")
    _, channel = access.admin_channel_for(request.transaction, request.asker)
    name = quote(request.settings.admin_stream if channel is None else channel.name)
    if Role.ADMIN in request.audiences:
        lines.append("* **Admin:** yes, here in the admin channel")
    elif request.asker.is_guest:
        lines.append("* **Admin:** no, a guest is none")
    else:
        lines.append(f"* **Admin:** not here, only in the private channel “{name}”")
    return "\n".join(
        [f"👤 **{quote(request.asker.full_name)}**, Zulip account {request.asker.user_id}", "", *lines]
    ) + note_of_age(request)


def _mentor_line(request: Request, mentor: Mentor) -> str:
    own = mentor_account(request.transaction, request.principal, mentor.mentor_id).students
    names = ", ".join(student_name(student, limit=60) for student in own[:NAMED_STUDENTS])
    if len(own) > NAMED_STUDENTS:
        names += f" and {len(own) - NAMED_STUDENTS:,} more (`students` has them all)"
    email = f", {quote(mentor.email)}" if mentor.email else ""
    students = f"{counted(len(own), 'student')}: {names}" if own else "no students"
    return f"* **Mentor in the LMS:** {quote(mentor.name)} (#{mentor.mentor_id}){email} · {students}"
