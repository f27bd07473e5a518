"""What a row of the LMS says, read leniently: anything may be NULL, misspelt or of the wrong type."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from lms_bot.core.events import ATTEMPTS, CONTENT_ATTEMPTS, Activity
from lms_bot.lms.values import integer, moment, plain, text

if TYPE_CHECKING:
    from lms_bot.lms.schemas.classic.catalog import Catalog

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
