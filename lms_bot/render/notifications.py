"""What one message says about events that are sent together, within Zulip's length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from lms_bot.core.events import Event, EventType
from lms_bot.render.events import EMOJI, TITLES, event_line, event_text
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import cut

FULL_EVENTS = 3
ATTENTION_LINES = 10
_BY_WEIGHT = (
    EventType.EXAM_PASSED,
    EventType.EXAM_FAILED,
    EventType.EXAM_COMPLETED,
    EventType.EXAM_STARTED,
    EventType.CONTENT_COMPLETED,
    EventType.CONTENT_WATCHED,
    EventType.CONTENT_STARTED,
    EventType.STREAK_BROKEN,
    EventType.STREAK_MILESTONE,
    EventType.STUDENT_ALERT,
    EventType.ALERT_REMINDER,
)

INTRODUCTION = (
    "👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` "
    "for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me."
)


def notification_text(
    events: Sequence[Event],
    *,
    stale: Collection[int] = (),
    introduction: str | None = None,
    limit: int = MESSAGE_LIMIT,
) -> str:
    """Return one message, shorter than `limit` characters, about events that are sent together.

    Up to three stand in full; more of them, or any whose event_id is in `stale` (found late), become a
    summary that leaves out whole entries where it has to and counts them. The introduction is its last lines.
    """
    late = frozenset(stale)
    ending = (introduction or "").strip()
    room = limit - 1 - (len(ending) + 2 if ending else 0)
    body = _in_full(events, late)
    if not body or len(body) > room:
        body = _summary(events, late, room)
    if not ending:
        return cut(body, limit - 1)
    return cut(f"{body}\n\n{ending}" if len(body) <= room else ending, limit - 1)


def _in_full(events: Sequence[Event], late: Collection[int]) -> str:
    if len(events) > FULL_EVENTS or any(event.event_id in late for event in events):
        return ""
    return "\n\n---\n\n".join(event_text(event) for event in events)


def _summary(events: Sequence[Event], late: Collection[int], room: int) -> str:
    """Return heading and counts always, then as much of the rest as `room` characters hold."""
    newest = sorted(events, key=lambda event: (event.timestamp, event.event_id), reverse=True)
    failed = [event for event in newest if event.event_type is EventType.EXAM_FAILED]
    others = [event for event in newest if event.event_type is not EventType.EXAM_FAILED]
    text = _heading(events, late)
    least = len("\n\n```spoiler Details\n\n```") + len(_see_more(len(events)))
    text += _section("\n\n**Needs attention**\n", failed, ATTENTION_LINES, room - len(text) - least, _and_more)
    return text + _section(
        "\n\n```spoiler Details\n", failed + others, len(events), room - len(text), _see_more, "\n```"
    )


def _heading(events: Sequence[Event], late: Collection[int]) -> str:
    students = {event.student_username if event.student_id is None else event.student_id for event in events}
    heading = f"📬 **{counted(len(events), 'event')} of {counted(len(students), 'student')}**"
    found_late = sum(event.event_id in late for event in events)
    if found_late:
        heading += f" · {found_late:,} found late"
    counts = Counter(event.event_type for event in events)
    kinds = [f"{EMOJI[kind]} {TITLES[kind]} {counts[kind]:,}" for kind in _BY_WEIGHT if counts[kind]]
    return "\n".join([heading, " · ".join(kinds)]).rstrip()


def _and_more(count: int) -> str:
    return f"and {count:,} more"


def _see_more(count: int) -> str:
    return f"… and {count:,} more. See them with `feed` or `history @student`."


def _section(
    start: str, events: Sequence[Event], most: int, room: int, rest: Callable[[int], str], end: str = ""
) -> str:
    lines = (event_line(event) for event in events[:most])
    text = listed(lines, len(events), room - len(start) - len(end), rest).text
    return f"{start}{text}{end}" if text else ""
