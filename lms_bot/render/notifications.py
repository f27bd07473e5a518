"""What one message says about events that are sent together, within Zulip's length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from lms_bot.core.events import Event, EventType
from lms_bot.render.events import EMOJI, TITLES, event_line, event_text
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import cut

FULL_EVENTS = 3
ATTENTION_LINES = 10
_BY_WEIGHT = (
    EventType.STUDENT_ALERT,
    EventType.ALERT_REMINDER,
    EventType.EXAM_FAILED,
    EventType.STREAK_BROKEN,
    EventType.EXAM_PASSED,
    EventType.CERTIFICATION_ISSUED,
    EventType.EXAM_COMPLETED,
    EventType.STREAK_MILESTONE,
    EventType.CONTENT_COMPLETED,
    EventType.CONTENT_WATCHED,
    EventType.EXAM_STARTED,
    EventType.CONTENT_PROGRESS,
    EventType.CONTENT_STARTED,
)
_WEIGHTS = {kind: weight for weight, kind in enumerate(_BY_WEIGHT)}
_SETTLED = len(_BY_WEIGHT)  # the weight of a failure that stands no more
_OfStudent = Sequence[Event]  # the events of one student, what matters most first

INTRODUCTION = (
    "👋 From now on I tell you here when your students start, pass, fail or finish something. Too much? Write `digest` "
    "for one message a day, `notify` to choose what you are told, `help` to see what else you can ask me."
)


def notification_text(
    events: Sequence[Event],
    *,
    stale: Collection[int] = (),
    settled: Collection[int] = (),
    introduction: str | None = None,
    limit: int = MESSAGE_LIMIT,
) -> str:
    """Return one message, shorter than `limit` characters, about events that are sent together.

    What matters most comes first. Up to three events stand in full; more of them, or any whose event_id is in `stale`
    (found late), become a summary by student that leaves out whole entries where it has to and counts them. `settled`
    are failures that stand no more. The introduction is its last lines.
    """
    late, over = frozenset(stale), frozenset(settled)
    ending = (introduction or "").strip()
    room = limit - 1 - (len(ending) + 2 if ending else 0)
    body = _in_full(events, late, over)
    if not body or len(body) > room:
        body = _summary(events, late, over, room)
    if not ending:
        return cut(body, limit - 1)
    return cut(f"{body}\n\n{ending}" if len(body) <= room else ending, limit - 1)


def _in_full(events: Sequence[Event], late: Collection[int], settled: Collection[int]) -> str:
    if len(events) > FULL_EVENTS or any(event.event_id in late for event in events):
        return ""
    in_order = sorted(events, key=lambda event: (_weight(event, settled), event.timestamp, event.event_id))
    return "\n\n---\n\n".join(event_text(event) for event in in_order)


def _summary(events: Sequence[Event], late: Collection[int], settled: Collection[int], room: int) -> str:
    """Return heading and counts always, then as much of the rest as `room` characters hold."""
    students = _by_student(events, settled)
    text = _heading(events, len(students), late, settled)
    least = len("\n\n```spoiler Details\n\n```") + len(_see_more(len(events)))
    failed = [one for one in students if _weight(one[0], settled) == _WEIGHTS[EventType.EXAM_FAILED]]
    above, below = _parted(failed, ATTENTION_LINES)
    attention = "\n".join(["\n\n**Needs attention**", *_lines(above, settled)])
    if not above or len(text) + len(attention) > room - least:
        return text + _details(students, settled, room - len(text))
    rest = [*below, *students[len(failed) :]]
    return text + attention + _details(rest, settled, room - len(text) - len(attention))


def _by_student(events: Sequence[Event], settled: Collection[int]) -> list[_OfStudent]:
    """Return the events of each student, what matters most first, and the newest of that."""
    in_order = sorted(
        events, key=lambda event: (_weight(event, settled), -event.timestamp.timestamp(), -event.event_id)
    )
    students: dict[int | str | None, list[Event]] = {}
    for event in in_order:
        student = event.student_username if event.student_id is None else event.student_id
        students.setdefault(student, []).append(event)
    return list(students.values())


def _parted(students: Sequence[_OfStudent], lines: int) -> tuple[list[_OfStudent], list[_OfStudent]]:
    """Return the first students, with so many events at most, and the rest; only the very first is divided."""
    above: list[_OfStudent] = []
    for place, one in enumerate(students):
        if len(one) > lines:
            first = [] if above else [one[:lines]]
            return above + first, [one[lines:] if first else one, *students[place + 1 :]]
        above.append(one)
        lines -= len(one)
    return above, []


def _weight(event: Event, settled: Collection[int]) -> int:
    return _SETTLED if event.event_id in settled else _WEIGHTS[event.event_type]


def _heading(events: Sequence[Event], students: int, late: Collection[int], settled: Collection[int]) -> str:
    heading = f"📬 **{counted(len(events), 'event')} of {counted(students, 'student')}**"
    found_late = sum(event.event_id in late for event in events)
    if found_late:
        heading += f" · {found_late:,} found late"
    counts = Counter(_weight(event, settled) for event in events)
    kinds = [f"{EMOJI[kind]} {TITLES[kind]} {counts[at]:,}" for at, kind in enumerate(_BY_WEIGHT) if counts[at]]
    if counts[_SETTLED]:
        kinds.append(f"↩️ Passed Since {counts[_SETTLED]:,}")
    return "\n".join([heading, " · ".join(kinds)]).rstrip()


def _see_more(count: int) -> str:
    return f"… and {count:,} more. See them with `feed` or `history @student`."


def _details(students: Sequence[_OfStudent], settled: Collection[int], room: int) -> str:
    start, end = "\n\n```spoiler Details\n", "\n```"
    text = listed(_lines(students, settled), sum(map(len, students)), room - len(start) - len(end), _see_more).text
    return f"{start}{text}{end}" if text else ""


def _lines(students: Sequence[_OfStudent], settled: Collection[int]) -> Iterator[str]:
    """Yield a line for each event of these students, each of whom is named in the first one."""
    for of_student in students:
        for place, event in enumerate(of_student):
            line = event_line(event, named=place == 0) + (" · passed since" if event.event_id in settled else "")
            yield f"  * {line}" if place else f"* {line}"
