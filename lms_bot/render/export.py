"""Events as a CSV file (RFC 4180, UTF-8 with a byte order mark) that no spreadsheet takes for formulas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.people import Student
from lms_bot.core.reports.feed import Exported
from lms_bot.render.quoting import plain, student_name

_METADATA = (
    *("course_title", "chapter_name", "content_type", "score", "percentage", "result", "time_taken"),
    *("correct_answers", "incorrect_answers", "unanswered", "percentile", "speed", "attempt_number", "progress"),
)
COLUMNS = ("time", "student_id", "student", "event", "activity_id", "activity", *_METADATA, "is_current")
NAME = 60
# A semicolon begins a new cell where the decimal sign is a comma; the wide signs are what some programs make of them.
_FORMULA = re.compile(r"(^|;)(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])")


def csv_pages(pages: Iterable[Iterable[Exported]]) -> bytes:
    """Return the file: a heading, and one line for each event of the pages."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for page in pages:
        writer.writerows(_line(event) for event in page)
    return codecs.BOM_UTF8 + text.getvalue().encode()


def file_name(student: Student | None, period: str, *, part: tuple[int, int] | None) -> str:
    """Return the name of a file about one student, or several, in a period; `part` are its first and last event."""
    whose = student_name(student) if student else "all students"
    words = [whose, period.removeprefix("the "), "{}-{}".format(*part) if part else ""]
    parts = (re.sub(r"\W+", "-", plain(word)).strip("-") for word in words)
    return f"{'_'.join(part[:NAME] for part in parts if part)}.csv"


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
