"""Notifications as Zulip Markdown: what waits and why, and what became of those of one event."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import AT_ONCE, Pending, Timing, Trace, Unsent
from lms_bot.render.alerts import listed_student
from lms_bot.render.events import numbered_line
from lms_bot.render.fitting import counted
from lms_bot.render.preferences import CLASS_NAMES
from lms_bot.render.quoting import moment, quote

_DECIDED = {
    AT_ONCE: "you were told of {} at once",
    "digest": "you were told of {} in the digest",
    "muted": "it waited until the student was not muted any more",
    "paused": "it waited for the end of your pause",
    "quiet time": "it waited for the end of your quiet time",
}
_BY_NOW = {
    Timing.NOW: "by your settings of now you are told of {} at once",
    Timing.DIGEST: "by your settings of now you are told of {} in the digest",
    Timing.OFF: "by now you have turned off {}",
}
_THEN = "when I found it, it was turned off for you, or this student was not yours"
_UNSENT: dict[Unsent, str] = {
    Unsent.CHOICE: "you had turned it off before it was due",
    Unsent.NOT_THEIRS: "when it was due, this student was not yours",
    Unsent.WITHDRAWN: "it was found later that this did not happen",
    Unsent.REFUSED: "Zulip refused the message: {error}. The LMS administrators can have it sent anew",
    Unsent.HISTORY: "it was old when I found it, or there before I began to watch",
    Unsent.MIRROR: "another event says the same, and you are told of that",
    Unsent.SETTINGS: "the settings of this bot leave it out",
    Unsent.CLASS_OFF: f"{_THEN}; by now you are not told of {{names}}, and `notify {{event_class}} now` changes that",
    Unsent.BEFORE: _THEN,
}


def pending_text(
    heading: str, total: int, first: Sequence[Pending], *, without_account: Collection[int] | None = None
) -> str:
    """Return the first of `total` notifications that wait, a line each, and why they wait.

    For admins with the mentor; `without_account` are then the mentors whom nobody can write to, by id.
    """
    lines = []
    for one in first:
        to = f" → **{quote(one.mentor_name or f'mentor {one.mentor_id}')}**" if without_account is not None else ""
        lines.append(f"* {numbered_line(one.event)}{to}: {_why(one, without_account or ())}")
    if total > len(first):
        lines.append(f"* … and {total - len(first):,} more")
    return "\n".join([heading, "", *lines])


def _why(pending: Pending, without_account: Collection[int]) -> str:
    if pending.error and pending.mentor_id in without_account:
        return f"{quote(pending.error)}; told as soon as there is an account"
    return why_pending(pending)


def why_pending(pending: Pending) -> str:
    """Return what a notification waits for, and until when."""
    if pending.error:
        return f"{quote(pending.error)}; next try {moment(pending.due_at)}"
    if pending.is_under_way:
        return "being sent now"
    why = f"{pending.postponed_by}, " if pending.postponed_by else ""
    return f"{why}due {moment(pending.due_at)}"


def trace_text(traces: Sequence[Trace]) -> str:
    """Return what became of one event for each of the asker's mentors."""
    first = traces[0]
    lines = [numbered_line(first.event), "", f"* **Found:** {moment(first.found_at)}"]
    for trace in traces:
        whose = f" (mentor {quote(trace.mentor_name)})" if len(traces) > 1 else ""
        lines.append(f"* {_outcome(trace)}{whose}")
    if not first.is_current:
        lines.append("* The LMS says something else of it by now.")
    return "\n".join(lines)


def _outcome(trace: Trace) -> str:
    event_class = EventClass.of(trace.event.event_type)
    names = CLASS_NAMES[event_class]
    if trace.pending is not None:
        return f"**Not told yet:** {why_pending(trace.pending)}"
    if trace.unsent is None:
        because = _DECIDED.get(trace.decision or "", _BY_NOW[trace.timing]).format(names)
        return f"**Told:** {_when_sent(trace)}, because {listed_student(trace.event)} is your student; {because}"
    return "**Not told:** " + _UNSENT[trace.unsent].format(
        names=names, event_class=event_class, error=quote(trace.error)
    )


def _when_sent(trace: Trace) -> str:
    at = moment(trace.sent_at) if trace.sent_at else "some time ago"
    if trace.with_end:
        return f"{at} with its end, which was told instead"
    return f"{at}, in one message with {counted(trace.others, 'other event')}" if trace.others else at
