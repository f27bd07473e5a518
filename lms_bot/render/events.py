"""One event as Zulip Markdown, in full or on one line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lms_bot.core.events import PAGE_REPORTS, STREAK_MARKS, Event, EventType
from lms_bot.lms.schemas import letter_of, sources_with
from lms_bot.render.alerts import about_student, alert_line, alert_name, alert_text, listed_student
from lms_bot.render.quoting import NOTHING, ago, link, moment, number, percent, quote

EMOJI: dict[EventType, str] = {
    EventType.EXAM_STARTED: "📝",
    EventType.EXAM_COMPLETED: "✅",
    EventType.EXAM_FAILED: "❌",
    EventType.EXAM_PASSED: "🎉",
    EventType.CONTENT_STARTED: "📖",
    EventType.CONTENT_COMPLETED: "📚",
    EventType.CONTENT_WATCHED: "👀",
    EventType.CONTENT_PROGRESS: "▶️",
    EventType.CERTIFICATION_ISSUED: "🏅",
    EventType.STREAK_MILESTONE: "🔥",
    EventType.STREAK_BROKEN: "💔",
    EventType.STUDENT_ALERT: "🔔",
    EventType.ALERT_REMINDER: "🔁",
}
TITLES: dict[EventType, str] = {
    EventType.EXAM_STARTED: "Exam Started",
    EventType.EXAM_COMPLETED: "Exam Completed",
    EventType.EXAM_FAILED: "Exam Failed",
    EventType.EXAM_PASSED: "Exam Passed!",
    EventType.CONTENT_STARTED: "Content Started",
    EventType.CONTENT_COMPLETED: "Content Completed",
    EventType.CONTENT_WATCHED: "Content Watched",
    EventType.CONTENT_PROGRESS: "Content Progress",
    EventType.CERTIFICATION_ISSUED: "Certification Issued",
    EventType.STREAK_MILESTONE: "Streak Milestone",
    EventType.STREAK_BROKEN: "Streak Broken",
    EventType.STUDENT_ALERT: "Alert",
    EventType.ALERT_REMINDER: "Alert Reminder",
}
_OWN_LETTERS = {STREAK_MARKS: "s", PAGE_REPORTS: "w"}  # before the numbers of our own rows, as people type them

_NAMELESS = {
    "exam": ("exam", "an exam"),
    "content": ("content", "some content"),
    "certification": ("certificate", "a certificate"),
}
_REACHED = {EventType.CONTENT_WATCHED: "Watched", EventType.CONTENT_PROGRESS: "Reached"}
_COURSE = (("Course", "course_title"),)
_PLACE = (("Chapter", "chapter_name"), ("Type", "content_type"))
_RESULT = (("Result", "result"), ("Time Taken", "time_taken"))
_ANSWERS = (("Correct", "correct_answers"), ("Incorrect", "incorrect_answers"), ("Unanswered", "unanswered"))


def event_text(event: Event) -> str:
    """Return one event in full: title, empty line, what happened, what is known of it, when."""
    kind = event.event_type
    if kind.is_alert:
        return alert_text(event)
    heading = [f"{EMOJI[kind]} **{TITLES[kind]}**", ""]
    if kind.is_by_clock:
        return "\n".join([*heading, f"{about_student(event)} {_streak_words(event)}", *_streak_line(event)])
    happened = f"{about_student(event)} has {_deed(event)}: {_linked(event)}"
    return "\n".join([*heading, happened, *_facts_lines(event), _closing_line(event)])


def event_line(event: Event, *, named: bool = True) -> str:
    """Return one event on one line, for lists; with the student, unless a line above has `named` them."""
    kind = event.event_type
    if kind.is_alert:
        return alert_line(event)
    start = f"{EMOJI[kind]} {listed_student(event)}" if named else EMOJI[kind]
    if kind.is_by_clock:
        return f"{start} {_streak_words(event)} · {moment(event.timestamp)}"
    parts = [f"{start} {_deed(event)} {_linked(event)}"]
    if kind.is_exam_end:
        parts += _outcome(event)
    return " · ".join([*parts, moment(event.timestamp)])


def numbered_line(event: Event) -> str:
    """Return one event on one line, with the number by which `why` knows it.

    That is the number of its row in the LMS, behind a letter for the table: our own would tell how much happens to the
    students of others. An alert has its own name.
    """
    if event.event_type.is_alert:
        return f"{event_line(event)} · `{alert_name(event)}`"
    return f"{event_line(event)} · `{event_number(event.source_table, event.source_id)}`"


def event_number(source_table: str, source_id: int) -> str:
    """Return the number by which `why` knows the events of a row: its own, behind the letter of its table."""
    return f"{_OWN_LETTERS.get(source_table) or letter_of(source_table)}{source_id}"


def source_tables(letter: str) -> tuple[str, ...]:
    """Return the source tables whose events' numbers have this letter."""
    return (*(name for name, own in _OWN_LETTERS.items() if own == letter), *sources_with(letter))


def exam_line(event: Event, now: datetime) -> str:
    """Return a finished exam on one line, for lists about one student."""
    return " · ".join([f"{EMOJI[event.event_type]} {_linked(event)}", *_outcome(event), ago(event.timestamp, now)])


def _streak_words(event: Event) -> str:
    """Return what a student's streak came to."""
    days = number(event.metadata.get("days"))
    if event.event_type is EventType.STREAK_MILESTONE:
        return f"has finished something on **{days} days** in a row"
    return f"has ended a streak of **{days} days**"


def _streak_line(event: Event) -> list[str]:
    first, last = (number(event.metadata.get(name)) for name in ("first_day", "last_day"))
    return [] if NOTHING in (first, last) else [f"📅 From {first} to {last}"]


def _deed(event: Event) -> str:
    """Return what the student did, as it stands after "has" and before the title."""
    kind = event.event_type
    if kind is EventType.CERTIFICATION_ISSUED:
        return "earned"
    if kind is not EventType.CONTENT_PROGRESS:
        return kind.partition("_")[2]
    share = event.metadata.get("progress")
    return f"watched {share} % of" if type(share) is int else "made progress in"


def _linked(event: Event) -> str:
    """Return the title in bold, as a link where it is known where the LMS shows it."""
    return link(f"**{title(event)}**", event.url)


def title(event: Event, limit: int = 200) -> str:
    """Return what the exam, content or certificate is called, or its number where it has no name."""
    quoted = quote(event.activity_title, limit)
    if quoted != NOTHING:
        return quoted
    thing, some = _NAMELESS[event.event_type.partition("_")[0]]
    return some if event.activity_id is None else f"{thing} #{event.activity_id}"


def _facts_lines(event: Event) -> list[str]:
    if event.event_type is EventType.EXAM_STARTED:
        lines = [_facts("📚", _known(event, _COURSE)), _attempt_line(event)]
    elif event.event_type.is_exam_end:
        lines = [_facts("📊", _marks(event) + _known(event, _RESULT))]
    elif event.event_type is EventType.CERTIFICATION_ISSUED:
        lines = [_facts("📚", _known(event, _COURSE))]
    else:
        lines = [_facts("📚", _known(event, _COURSE + _PLACE))]
    return [line for line in lines if line]


def _known(event: Event, keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    facts = [(label, number(event.metadata.get(key))) for label, key in keys]
    return [(label, text) for label, text in facts if text != NOTHING]


def _facts(emoji: str, facts: Iterable[tuple[str, str]]) -> str:
    line = " | ".join(f"**{label}:** {text}" for label, text in facts)
    return f"{emoji} {line}" if line else ""


def _marks(event: Event) -> list[tuple[str, str]]:
    """Return score and percentage, or the answers that were counted where the LMS has neither."""
    marks = _known(event, [("Score", "score")])
    share = percent(event.metadata.get("percentage"))
    if share != NOTHING:
        marks.append(("Percentage", share))
    return marks or _known(event, _ANSWERS)


def _attempt_line(event: Event) -> str:
    attempt = event.metadata.get("attempt_number")
    is_repeated = isinstance(attempt, int | float) and attempt > 1
    return _facts("🔁", [("Attempt", number(attempt))]) if is_repeated else ""


def _closing_line(event: Event) -> str:
    kind = event.event_type
    if kind in (EventType.EXAM_PASSED, EventType.CERTIFICATION_ISSUED):
        return "🎉 Congratulations to the student!"
    verb = "Started" if kind.is_start else _REACHED.get(kind, "Completed")
    return f"📅 {verb} at: {moment(event.timestamp)}"


def _outcome(event: Event) -> list[str]:
    share, score = percent(event.metadata.get("percentage")), number(event.metadata.get("score"))
    if share != NOTHING:
        return [share]
    return [] if score == NOTHING else [f"score {score}"]
