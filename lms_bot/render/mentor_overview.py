"""What a mentor looks at first, as Zulip Markdown that fits the window of a phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lms_bot.core.alerts import DAY
from lms_bot.core.events import EventType
from lms_bot.core.reports.mentor_overview import Changes, MentorOverview, Returned
from lms_bot.render.alerts.entries import alert_entry_lines
from lms_bot.render.events import EMOJI, event_line
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import student_name
from lms_bot.render.students import need_line

NAMED = 4  # students, exams, who came back and alerts: so many lines of each; the others are counted


def mentor_overview_text(found: MentorOverview, now: datetime) -> str:
    """Return who needs attention, what changed since yesterday, and what is due."""
    attention = found.attention
    needy = [one for one in attention.summaries if attention.needs(one)]
    heading = f"**{counted(len(attention.summaries), 'student')}** · {_need_attention(len(needy))}"
    first = [need_line(one, attention, now) for one in needy[:NAMED]]
    sections = (
        (heading, _first(first, len(needy), "`students`")),
        ("**Since yesterday**", _changes(found.changes) or ["Nothing new."]),
        ("**Due**", _due(found) or ["No alert is open."]),
    )
    return "\n\n".join("\n".join([title, *lines]) for title, lines in sections)


def _need_attention(count: int) -> str:
    if not count:
        return "none needs attention"
    return f"{count:,} needs attention" if count == 1 else f"{count:,} need attention"


def _changes(changes: Changes) -> list[str]:
    failed = [one for one in changes.exams if one.event_type is EventType.EXAM_FAILED]
    passed = len(changes.exams) - len(failed)
    lines = _first([f"* {event_line(one)}" for one in failed[:NAMED]], len(failed), "`feed type:exam_failed since:1d`")
    if passed:
        lines.append(f"* {EMOJI[EventType.EXAM_PASSED]} {counted(passed, 'exam')} passed")
    lines += _first([_returned(one) for one in changes.returned[:NAMED]], len(changes.returned), "")
    if new := len(changes.concerns):
        lines.append(f"* 🔔 {counted(new, 'new alert')}")
    return lines


def _returned(one: Returned) -> str:
    return f"* 👋 {student_name(one.student, bold=True)} is back after {counted(one.absence // DAY, 'day')}"


def _due(found: MentorOverview) -> list[str]:
    return _first(alert_entry_lines(found.due[:NAMED]), len(found.due), "`open`")


def _first(lines: Sequence[str], total: int, command: str) -> list[str]:
    """Return the lines of the first few entries, and how many more there are, with what shows them."""
    left = total - NAMED
    if left <= 0:
        return list(lines)
    return [*lines, f"* … and {left:,} more{': ' if command else ''}{command}"]
