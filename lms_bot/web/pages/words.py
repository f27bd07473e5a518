"""Numbers and events in words, and what each number means (docs/definitions.md says more)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from lms_bot.core.alerts import AlertEntry, Rule, StudentAlert
from lms_bot.core.attention import COMPARED_DAYS, HIGHEST, SILENT_DAYS, WEIGHTS
from lms_bot.core.events import Event, EventType, percentage
from lms_bot.core.reports.mentor_overview import CHANGED_WITHIN
from lms_bot.core.reports.overview import NewestEvent
from lms_bot.core.reports.school import DAYS_SHOWN, FEWEST_SHOWN
from lms_bot.core.reports.students import LAST_EXAMS, PASS_LINE
from lms_bot.core.streaks import MILESTONES
from lms_bot.render import quoting
from lms_bot.render.alerts.messages import HEADINGS, reason
from lms_bot.render.events import TITLES

NOTHING = quoting.NOTHING


class Look(NamedTuple):
    """How a kind of events looks: a symbol, a colour by its tone, and what somebody did, before the title."""

    symbol: str
    tone: str
    deed: str


LOOKS: Mapping[EventType, Look] = MappingProxyType(
    {
        EventType.EXAM_STARTED: Look("pen", "calm", "started"),
        EventType.EXAM_COMPLETED: Look("check", "calm", "completed"),
        EventType.EXAM_FAILED: Look("cross", "bad", "failed"),
        EventType.EXAM_PASSED: Look("check", "good", "passed"),
        EventType.CONTENT_STARTED: Look("book", "calm", "started"),
        EventType.CONTENT_COMPLETED: Look("book", "good", "completed"),
        EventType.CONTENT_WATCHED: Look("eye", "good", "watched"),
        EventType.CONTENT_PROGRESS: Look("play", "calm", "made progress in"),
        EventType.CERTIFICATION_ISSUED: Look("medal", "good", "earned"),
        EventType.STREAK_MILESTONE: Look("flame", "warn", "has learned on so many days in a row:"),
        EventType.STREAK_BROKEN: Look("flame", "bad", "has ended a streak of so many days:"),
    }
)
SHOWN_TYPES = tuple(LOOKS)

MEANINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "attention": (
            "Attention",
            f"Points from 0 to {HIGHEST} that say how much a student needs their mentor: up to "
            + ", ".join(f"{points} for {name}" for name, points in WEIGHTS.items())
            + ". Each part has its reason beside it.",
        ),
        "average": ("Average", "The mean percentage of the finished exams that have one, by today's outcome of each."),
        "finished": ("Exams finished", "Attempts that are passed, failed, or completed without a verdict."),
        "pass-mark": ("Pass mark", f"{PASS_LINE:g} %, where an exam has no mark of its own."),
        "pass-rate": ("Pass rate", "Passed of passed and failed exams; those without a verdict are left out."),
        "rank": ("Better than", "The mean share of the batch that scored below, in exams that 10 or more took."),
        "streak": (
            "Streak",
            "Days in a row, by the student's clock, with at least one exam or content finished. Milestones are "
            + ", ".join(map(str, MILESTONES))
            + " days.",
        ),
        "calendar": (
            "Days",
            "A complete day has as many things finished as the daily goal says; a partial day has any activity.",
        ),
        "subject": ("Subjects", "The share of questions of a subject that were right, in all finished exams."),
        "videos": ("Videos watched", "Pieces of content of the kind video that were watched or completed."),
        "quiet": (
            "Quiet",
            f"Nothing was finished for {SILENT_DAYS:g} days, or for three times the student's usual gap if that is "
            "longer.",
        ),
        "changes": (
            "Since yesterday",
            f"The last {CHANGED_WITHIN.total_seconds() / 3600:g} hours: exams passed and failed, alerts opened, and "
            "who came back after a silence.",
        ),
        "alerts": ("Open alerts", "What a rule found about a student, until its reason is gone or somebody closes it."),
        "last-active": ("Last active", "The newest thing that the LMS recorded of the student, of any kind."),
        "active": (
            "Active students",
            "Students with any activity on at least one of the days: today, the last 7 days, the last 30 days, by each "
            "student's own clock.",
        ),
        "stickiness": (
            "Daily of monthly",
            "The mean number of students active on a day of the last 30, as a share of those active on any of them.",
        ),
        "completion": (
            "Completion",
            f"Of the exams and contents of a course opened in the last {DAYS_SHOWN} days, the share that is finished.",
        ),
        "peak": (
            "Peak times",
            f"How many things happened in each hour of each weekday, in the last {DAYS_SHOWN} days.",
        ),
        "streaks": ("Streaks now", "How many students are on a learning streak of so many days."),
        "engagement": (
            "Engagement",
            f"Things finished for each active student in the last {COMPARED_DAYS} days, and in the {COMPARED_DAYS} "
            "before.",
        ),
        "acted": (
            "Acted on",
            f"Alerts that a mentor took, put off or closed, of those told in the last {DAYS_SHOWN} days.",
        ),
        "last-exams": ("Last exams", f"The newest finished exams, {LAST_EXAMS} at most where there is little room."),
        "hidden": (
            "Hidden",
            f"Groups of fewer than {FEWEST_SHOWN} students are not shown: they would say something of single people.",
        ),
    }
)


def meaning_of(key: str) -> str:
    """Return what the number that has this key is called."""
    return MEANINGS[key][0]


def number(value: float | None) -> str:
    """Return a number with at most one decimal; a dash where it is not known."""
    return NOTHING if value is None else f"{round(value, 1):,g}"


def percent(value: float | None) -> str:
    """Return a number in percent, with at most one decimal; a dash where it is not known."""
    return quoting.mean(value)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def title(event: Event) -> str:
    """Return what an event is about, or its number where that has no name."""
    if event.event_type.is_by_clock:
        return counted(int(event.metadata.get("days") or 0), "day")
    known = quoting.plain(event.activity_title)
    thing = event.event_type.partition("_")[0].replace("certification", "certificate")
    return known or (f"{thing} #{event.activity_id}" if event.activity_id is not None else f"a {thing}")


def label(kind: EventType) -> str:
    """Return what a kind of events is called, as in chat."""
    return TITLES[kind].rstrip("!")


def detail(event: Event) -> str:
    """Return what is known beside: the result of an exam, how far somebody came, the course."""
    share = percentage(event.metadata)
    progress = event.metadata.get("progress")
    parts = [percent(share)] if share is not None else []
    parts += [f"{progress} %"] if isinstance(progress, int) else []
    parts += [quoting.plain(str(event.metadata["course_title"]))] if event.metadata.get("course_title") else []
    return " · ".join(parts)


def student(event: Event) -> str:
    """Return whom an event is about, with the username where two of the reader's students share a name."""
    name = quoting.plain(event.student_name or event.student_username) or f"student #{event.student_id}"
    return f"{name} ({quoting.plain(event.student_username)})" if event.shares_name else name


def alert_sentence(entry: AlertEntry, named: bool) -> str:
    """Return what is so of a student, as chat says it, in Markdown; it follows their name where that is given."""
    said = reason(entry.alert.rule, entry.alert.numbers, entry.alert.title)
    return said if named and entry.student else said[:1].upper() + said[1:]


def alert_heading(alert: StudentAlert) -> str:
    """Return what an alert is called."""
    return HEADINGS[alert.rule]


def alert_state(entry: AlertEntry) -> str:
    """Return who took an alert, if somebody did."""
    if entry.alert.taken_at is None:
        return ""
    return "Taken by you" if entry.is_mine else f"Taken by {quoting.plain(entry.taken_by) or 'a mentor'}"


def told(event: Event) -> str:
    """Return one notification in a few words."""
    if event.event_type.is_alert:
        return f"Alert {event.metadata.get('name', '')}: {HEADINGS[Rule(event.metadata['rule'])]}"
    return f"{label(event.event_type)}: {title(event)}"


def dated(days: Sequence[tuple[date, int | None]]) -> list[tuple[str, float]]:
    """Return counts by day for a chart; too few are drawn as none."""
    return [(f"{day.day} {day:%b}", count or 0) for day, count in days]


def lag(newest: NewestEvent) -> str:
    """Return how long after it happened the newest event was recorded."""
    return quoting.ago(newest.happened_at, max(newest.happened_at, newest.stored_at))
