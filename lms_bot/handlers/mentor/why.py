"""The commands of mentors that say why they were told of something or not, and whom the bot takes them for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from lms_bot.core.events import STUDENT_ALERTS, EventClass
from lms_bot.core.notifications import DEFAULT_PREFERENCES, Preferences, Timing
from lms_bot.core.people import Mentor
from lms_bot.core.principal import Role
from lms_bot.core.schedule import timing_of
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import EVENT
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.alerts import explanation
from lms_bot.handlers.mentor.general import freshness, why_waiting, zone
from lms_bot.handlers.mentor.preferences import CLASS_NAMES
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.enqueue import is_enabled
from lms_bot.render import counted, moment, numbered_line, quote
from lms_bot.store.notifications import preferences
from lms_bot.store.notifications.queue import NOT_THEIR_STUDENT, TURNED_OFF, WITHDRAWN
from lms_bot.store.notifications.trace import TraceEntry, trace
from lms_bot.store.people import people

NAMED_STUDENTS = 10
_HOW = {Timing.NOW: "you are told of {} at once", Timing.DIGEST: "you are told of {} in the digest"}
_NOT_ANY_MORE = "by now you have turned off {}"


@REGISTRY.command("why", Role.MENTOR, EVENT)
def why(request: Request, arguments: Arguments) -> str:
    """Say why I told you of an event, or why not, or not yet.

    An exam that was started, and passed or failed later, has one number: you learn it of each of these. Of an alert
    about a student (`why A17`) you learn what it was based on, and what became of it.
    """
    asked = arguments["event"]
    if asked.source_table == STUDENT_ALERTS:
        return explanation(request, asked.number)
    found = trace(request.transaction, asked.source_table, asked.number, request.mentor_ids)
    if not found:
        raise UserError("None of your students has an event of that number. `history` and `feed` show their numbers.")
    wishes = preferences.effective(request.transaction, request.mentor_ids)
    by_event = groupby(found, key=lambda one: one.event.event_id)
    parts = [_explanation(request, list(of_event), wishes) for _, of_event in by_event]
    return "\n\n".join(parts) + freshness(request)


@REGISTRY.command("whoami", Role.MENTOR)
def whoami(request: Request, arguments: Arguments) -> str:
    """Show whom I take you for, which students you have, and what time it is for you."""
    lines = [_mentor_line(request, mentor) for mentor in request.mentors]
    lines.append(f"* **Time zone:** {quote(zone(request).key)}")
    stream = quote(request.settings.admin_stream)
    if Role.ADMIN in request.audiences:
        lines.append("* **Admin:** yes, here in the admin stream")
    elif request.asker.is_guest:
        lines.append("* **Admin:** no, a guest is none")
    else:
        lines.append(f"* **Admin:** not here, only in the private stream “{stream}”")
    return "\n".join([f"👤 **{quote(request.asker.full_name)}**, Zulip account {request.asker.user_id}", "", *lines])


def _explanation(request: Request, found: Sequence[TraceEntry], wishes: Mapping[int, Preferences]) -> str:
    """What became of one event for each of the asker's mentors."""
    first = found[0]
    lines = [numbered_line(first.event), "", f"* **Found:** {moment(first.found_at)}"]
    for one in found:
        whose = f" (mentor {quote(one.mentor_username)})" if len(found) > 1 else ""
        lines.append(f"* {_outcome(request, one, wishes.get(one.mentor_id, DEFAULT_PREFERENCES))}{whose}")
    if not first.is_current:
        lines.append("* The LMS says something else of it by now.")
    return "\n".join(lines)


def _outcome(request: Request, one: TraceEntry, wishes: Preferences) -> str:
    if one.pending is not None:
        return f"**Not told yet:** {why_waiting(request, one.pending, wishes)}"
    if one.is_sent:
        return f"**Told:** {_when(one)}, because {_because(request, one, wishes)}"
    return f"**Not told:** {_given_up(one) if one.is_finished else _never_owed(request, one, wishes)}"


def _when(one: TraceEntry) -> str:
    at = moment(one.told_at) if one.told_at else "some time ago"
    if one.with_end:
        return f"{at} with its end, which was told instead"
    return f"{at}, in one message with {counted(one.others, 'other event')}" if one.others else at


def _because(request: Request, one: TraceEntry, wishes: Preferences) -> str:
    kind = EventClass.of(one.event.event_type)
    how = _HOW.get(timing_of(kind, wishes, request.settings.delivery), _NOT_ANY_MORE)
    return f"**{quote(one.event.student_username)}** is your student; {how.format(CLASS_NAMES[kind])}"


def _given_up(one: TraceEntry) -> str:
    if one.reason == TURNED_OFF:
        return "you had turned it off before it was due"
    if one.reason == NOT_THEIR_STUDENT:
        return "when it was due, this student was not yours"
    if one.reason == WITHDRAWN:
        return WITHDRAWN
    return f"Zulip refused the message: {quote(one.reason)}. The LMS administrators can have it sent anew"


def _never_owed(request: Request, one: TraceEntry, wishes: Preferences) -> str:
    event, kind = one.event, EventClass.of(one.event.event_type)
    if event.is_history:
        return "it was old when I found it, or there before I began to watch"
    if event.mirrors is not None:
        return "it is the same as an exam, of which you are told"
    if not request.settings.notify_mentors or not is_enabled(event.event_type, request.settings):
        return "the settings of this bot leave it out"
    if timing_of(kind, wishes, request.settings.delivery) is Timing.OFF:
        return f"you have turned off {CLASS_NAMES[kind]}; `notify {kind} now` turns them on"
    return "when I found it, you had turned it off, or this student was not yours"


def _mentor_line(request: Request, mentor: Mentor) -> str:
    own = people.students_of(request.transaction, [mentor.mentor_id])
    names = ", ".join(quote(student.username, 60) for student in own[:NAMED_STUDENTS])
    if len(own) > NAMED_STUDENTS:
        names += f" and {len(own) - NAMED_STUDENTS:,} more (`students` has them all)"
    email = f", {quote(mentor.email)}" if mentor.email else ""
    students = f"{counted(len(own), 'student')}: {names}" if own else "no students"
    return f"* **Mentor in the LMS:** {quote(mentor.username)} (#{mentor.mentor_id}){email} · {students}"
