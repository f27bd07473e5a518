"""The commands of mentors about alerts: which are open, taking, snoozing and closing one, and what the rules say."""

from __future__ import annotations

from lms_bot.core.alerts import AlertEntry, StudentAlert
from lms_bot.core.principal import Role
from lms_bot.errors import NotFound, UserError
from lms_bot.handlers.argument_types import ALERT, DURATION, STUDENT, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_absence
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.pipeline.actions import alerts as actions
from lms_bot.render import ROOM_FOR_LINES, WRITE_MORE, counted, lines_within, moment, quote, student_name
from lms_bot.render.alerts import NOTE_LENGTH, alert_entry_lines, rules_text
from lms_bot.reports import alerts as reports

NOTE = words("note", "What you did, for you and the student's other mentors.")
COMMANDS = REGISTRY.section(Role.MENTOR, 4, "alerts")


@COMMANDS.command("open")
def open_(request: Request, arguments: Arguments) -> Reply:
    """Show which of your students need you, the most serious first.

    An alert is closed by itself when its reason is gone, or by `done`.
    """
    found = reports.open_alerts(request.transaction, request.principal)
    if not found:
        return Reply("✅ None of your students needs you just now." + note_of_absence(request))
    lines = alert_entry_lines(found)
    skip = min(request.position or 0, len(lines) - 1)
    shown = lines_within(lines[skip:], ROOM_FOR_LINES)
    seen = skip + len(shown)
    heading = f"**{counted(len(found), 'open alert')}**"
    text = "\n".join([heading, "", *shown]) + (WRITE_MORE if seen < len(lines) else "")
    return Reply(text + note_of_absence(request), more=seen if seen < len(lines) else None)


@COMMANDS.command("ack", ALERT)
def ack(request: Request, arguments: Arguments) -> str:
    """Say that you take an alert: nobody is reminded of it any more."""
    alert = _open_alert(request, arguments["alert"])
    actions.take(request.transaction, alert, request.now)
    return f"👍 {alert.name} is yours. It is closed by itself when its reason is gone, or by `done {alert.name} …`."


@COMMANDS.command("snooze", ALERT, DURATION.by_default("1d"))
def snooze(request: Request, arguments: Arguments) -> str:
    """Hear of an alert again later, if it is still so then."""
    alert, until = _open_alert(request, arguments["alert"]), request.now + arguments["duration"]
    actions.snooze(request.transaction, alert, until, request.now)
    return f"⏰ {alert.name} comes back {moment(until)}, if it is still so."


@COMMANDS.command("done", ALERT, NOTE)
def done(request: Request, arguments: Arguments) -> str:
    """Close an alert, and say what you did.

    It does not come back for the same reason; what becomes more serious does.
    """
    alert, note = _open_alert(request, arguments["alert"]), arguments["note"][:NOTE_LENGTH]
    actions.close(request.transaction, alert, note, request.now)
    return f"✅ {alert.name} is done: {quote(note, NOTE_LENGTH)}"


@COMMANDS.command("why-not", STUDENT)
def why_not(request: Request, arguments: Arguments) -> str:
    """Say for each rule why there is an alert about one of your students, or why there is none."""
    student = arguments["student"]
    found = reports.student_rules(
        request.transaction, request.principal, student.student_id, request.settings, request.now
    )
    if not found:
        nothing = f"I have not looked at {student_name(student, bold=True)} yet; that is done with every poll."
        return nothing + note_of_absence(request)
    return "\n\n".join(rules_text(one, student) for one in found) + note_of_absence(request)


def own_alert(request: Request, name: str) -> AlertEntry:
    """Return the asker's alert of this name. Raises UserError."""
    try:
        return reports.alert(request.transaction, request.principal, name)
    except NotFound as error:
        raise UserError(f"You have no alert {name}. `open` shows the alerts about your students.") from error


def _open_alert(request: Request, name: str) -> StudentAlert:
    alert = own_alert(request, name).alert
    if not alert.is_open:
        raise UserError(f"{alert.name} is closed already; `why {alert.name}` says how.")
    return alert
