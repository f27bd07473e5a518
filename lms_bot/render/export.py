"""Events and figures as a CSV file (RFC 4180, UTF-8 with a byte order mark) that no spreadsheet takes for formulas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.people import Student
from lms_bot.core.reports.academics.facts import DIFFICULTY, SUBJECT
from lms_bot.core.reports.academics.metrics import AcademicMetrics
from lms_bot.core.reports.academics.profile import AcademicProfile, Performance
from lms_bot.core.reports.feed import Exported
from lms_bot.render.quoting import plain, student_name

_METADATA = (
    *("course_title", "chapter_name", "content_type", "score", "percentage", "result", "time_taken"),
    *("correct_answers", "incorrect_answers", "unanswered", "percentile", "speed", "attempt_number", "progress"),
)
COLUMNS = ("time", "student_id", "student", "event", "activity_id", "activity", *_METADATA, "is_current")
PROFILE_COLUMNS = (
    *("student_id", "student", "is_active", "batches"),
    *(column for field in fields(AcademicMetrics) for column in (field.name, f"{field.name}_n")),
    *("strong_subjects", "struggling_subjects", "courses"),
)
PERFORMANCE_COLUMNS = (
    *("student_id", "student", "kind", "name", "value", "n"),
    *("correct", "incorrect", "unanswered", "total", "trend"),
)
NAME = 60
# A semicolon begins a new cell where the decimal sign is a comma; the wide signs are what some programs make of them.
_FORMULA = re.compile(r"(^|;)(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])")


def csv_pages(pages: Iterable[Iterable[Exported]]) -> bytes:
    """Return the file: a heading, and one line for each event of the pages."""
    return _file(COLUMNS, (_line(event) for page in pages for event in page))


def profiles_csv(profiles: Iterable[AcademicProfile]) -> bytes:
    """Return the file: a heading, and one line for each student."""
    return _file(PROFILE_COLUMNS, map(_profile_line, profiles))


def performances_csv(performances: Iterable[Performance]) -> bytes:
    """Return the file: a heading, and lines for each student: their figures, subjects and levels of difficulty."""
    return _file(PERFORMANCE_COLUMNS, (line for one in performances for line in _performance_lines(one)))


def file_name(student: Student | None, period: str, *, part: tuple[int, int] | None) -> str:
    """Return the name of a file about one student, or several, in a period; `part` are its first and last event."""
    whose = student_name(student) if student else "all students"
    words = [whose, period.removeprefix("the "), "{}-{}".format(*part) if part else ""]
    parts = (re.sub(r"\W+", "-", plain(word)).strip("-") for word in words)
    return f"{'_'.join(part[:NAME] for part in parts if part)}.csv"


def _file(heading: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heading)
    writer.writerows(lines)
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _profile_line(profile: AcademicProfile) -> list[object]:
    student = profile.student
    metrics = [getattr(profile.academic_metrics, field.name) for field in fields(profile.academic_metrics)]
    courses = [f"{one.title or one.course_id} {one.done}/{one.items}" for one in profile.current_courses]
    return [
        student.student_id,
        harmless(student.username),
        "yes" if student.is_active else "no",
        _joined(one.name or str(one.batch_id) for one in profile.batches),
        *(cell for metric in metrics for cell in (metric.value, metric.n)),
        _joined(part.label for part in profile.strong_subjects),
        _joined(part.label for part in profile.struggling_subjects),
        _joined(courses),
    ]


def _performance_lines(performance: Performance) -> Iterator[list[object]]:
    who = [performance.student.student_id, harmless(performance.student.username)]
    rank, minutes = performance.percentile_rank, performance.time_on_content
    nothing = [None] * 5
    yield [*who, "figure", "total_exams", performance.exams, performance.exams, *nothing]
    yield [*who, "figure", "percentile_rank", rank.value, rank.n, *nothing]
    yield [*who, "figure", "minutes_on_content", minutes.value, minutes.n, *nothing]
    for kind, parts in (
        (SUBJECT, performance.subject_performance),
        (DIFFICULTY, performance.difficulty_performance),
    ):
        for part in parts:
            counts = [part.correct, part.incorrect, part.unanswered, part.total]
            yield [*who, kind, harmless(part.label), part.percentage, part.n, *counts, part.trend]


def _joined(texts: Iterable[str]) -> object:
    return harmless(", ".join(texts))


def _line(event: Exported) -> list[object]:
    return [
        None if event.timestamp == UNKNOWN_TIME else _utc(event.timestamp),
        event.student_id,
        harmless(event.student_username),
        event.event_type,
        event.activity_id,
        harmless(event.activity_title),
        *(harmless(event.metadata.get(key)) for key in _METADATA),
        "yes" if event.is_current else "no",
    ]


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def harmless(value: Any) -> object:
    """Return a value for a cell: numbers as they are, text on one line, defused where it may be a formula."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return _defused(str(value))


@lru_cache(1_000)  # titles come again and again
def _defused(text: str) -> str:
    return _FORMULA.sub(r"\1'", plain(text))
