"""How far a student is, how they learn and what should happen next, as Zulip Markdown for a phone."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bot.core.recommendations import Evidence, Recommendation
from lms_bot.core.reports.academics.facts import CourseProgress
from lms_bot.core.reports.patterns import Progress
from lms_bot.render.events import event_number
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import quote, student_name

MOST_COURSES = 6
MOST_EVIDENCE = 4  # events named beside a recommendation
TITLE, SENTENCE = 60, 200


def progress_text(found: Progress, limit: int = MESSAGE_LIMIT) -> str:
    """Return what should happen next, the courses, and in short sentences how the student learns."""
    text = f"🧭 {student_name(found.student, bold=True)}"
    sections = (
        ("Next", [f"* {_recommendation(one)}" for one in found.recommendations]),
        ("Courses", _courses(found.courses)),
        ("Learning", [f"* {pattern.sentence}" for pattern in found.patterns.known]),
    )
    if not any(lines for _, lines in sections):
        return f"{text}\n\nToo little is known yet to say how far {student_name(found.student)} is."
    for title, lines in sections:
        start = f"\n\n**{title}**\n"
        section = listed(lines, len(lines), limit - len(text) - len(start), lambda count: f"* … and {count:,} more")
        if section.text:
            text += start + section.text
    return text


def _recommendation(one: Recommendation) -> str:
    return f"{quote(one.sentence, SENTENCE)} · {_evidence(one.evidence)}"


def _evidence(events: Sequence[Evidence]) -> str:
    numbers = " ".join(f"`{event_number(one.source_table, one.source_id)}`" for one in events[:MOST_EVIDENCE])
    left = len(events) - MOST_EVIDENCE
    return f"{numbers} and {left:,} more" if left > 0 else numbers


def _courses(courses: Sequence[CourseProgress]) -> list[str]:
    lines = [f"* {_course(one)}" for one in courses[:MOST_COURSES]]
    left = len(courses) - MOST_COURSES
    return [*lines, f"* … and {counted(left, 'course')} more"] if left > 0 else lines


def _course(course: CourseProgress) -> str:
    title = quote(course.title, TITLE) if course.title else f"course #{course.course_id}"
    if course.percentage is None:
        return f"**{title}** · nothing in it yet"
    others = "" if course.median is None else f", others {round(course.median)}%"
    return f"**{title}** · {course.done:,} of {course.items:,} ({round(course.percentage)}%{others})"
