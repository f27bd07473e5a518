"""What a row of the LMS says, read leniently: anything may be NULL, misspelt or of the wrong type."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from lms_bot.domain import ATTEMPTS, CONTENT_ATTEMPTS, Activity

if TYPE_CHECKING:
    from lms_bot.lms.catalog import Catalog

EPOCH_MILLISECONDS = 100_000_000_000  # numbers above this are milliseconds since 1970, below it seconds
MARKS = (  # of attempts, in the order of lms_bot.lms.tables
    "score",
    "percentage",
    "time_taken",
    "correct_answers",
    "incorrect_answers",
    "unanswered",
    "percentile",
    "speed",
)


def fingerprint(row: tuple[Any, ...]) -> int:
    """A signed 64-bit number that changes when any value of the row does."""
    return int.from_bytes(
        blake2b(repr(tuple(row)).encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True
    )


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """A time as the LMS gives it, as aware UTC; naive ones are in `zone`; None for what is no time at all."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > EPOCH_MILLISECONDS else value
            return datetime.fromtimestamp(seconds, UTC)
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def text(value: Any) -> str | None:
    """A text without NUL characters, which PostgreSQL cannot store."""
    if value is None:
        return None
    told = value if type(value) is str else str(value)
    return told.replace("\x00", "") if "\x00" in told else told


def integer(value: Any) -> int | None:
    """A whole number where the value is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain(value: Any) -> Any:
    """A value that JSON can hold: NaN and infinity become None, anything unknown becomes text."""
    kind = type(value)
    if kind is int or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    return text(value)


def activity(table: str, row: Any, mark: int, catalog: Catalog, zone: tzinfo) -> Activity:
    """What one row of `attempts` or `content_attempts` states; `mark` is its fingerprint."""
    return _attempt(row, mark, catalog, zone) if table == ATTEMPTS else _content_attempt(row, mark, catalog, zone)


def _attempt(row: Any, mark: int, catalog: Catalog, zone: tzinfo) -> Activity:
    # Unpacked at once, in the order of lms_bot.lms.tables: this runs a hundred thousand times in a burst.
    source_id, user_id, username, exam, state, result, date, last_started, last_answer = row[:9]
    details = {
        name: value if value is None or type(value) is int else plain(value)
        for name, value in zip(MARKS, row[9:17], strict=True)
    }
    details["result"] = result = text(result)
    exam_id = integer(exam)
    details["course_title"] = catalog.exam_courses.get(exam_id)
    return Activity(
        source_table=ATTEMPTS,
        source_id=source_id,
        student_id=integer(user_id),
        student_username=text(username),
        activity_id=exam_id,
        title=catalog.exams.get(exam_id),
        state=text(state),
        result=result,
        started_at=moment(date, zone) or moment(last_started, zone),
        ended_at=moment(last_answer, zone),
        details=details,
        fingerprint=mark,
        mirrors=None,
    )


def _content_attempt(row: Any, mark: int, catalog: Catalog, zone: tzinfo) -> Activity:
    content_id = integer(row.chapter_content_id)
    ended_at = moment(row.completed_on, zone)
    content_type = text(row.content_type)
    is_exam = (content_type or "").strip().casefold() == "exam"
    return Activity(
        source_table=CONTENT_ATTEMPTS,
        source_id=row.id,
        student_id=integer(row.user_id),
        student_username=None,
        activity_id=content_id,
        title=catalog.contents.get(content_id),
        state=text(row.state),
        result=None,
        started_at=moment(row.created, zone),
        ended_at=ended_at,
        details={
            "content_type": content_type,
            "state": text(row.state),
            "course_title": catalog.courses.get(integer(row.course_id)),
            "chapter_name": catalog.chapters.get(integer(row.chapter_id)),
            "correct_answers": plain(row.correct_answers_count),
            "incorrect_answers": plain(row.incorrect_answers_count),
            "completed_on": ended_at.isoformat() if ended_at else None,
        },
        fingerprint=mark,
        mirrors=integer(row.assessment_id) if is_exam else None,
    )
