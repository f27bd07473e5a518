"""What happened in the LMS before a store was dumped: rows with fixed values, so that they are known again later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bot.store.session import Store
from lms_bot.store.tables import metadata
from tests.bot_process import GULNORA, JANE, RAVI, SOFIA, LmsHands
from tests.lms_rows import NOW

_ATTEMPT = (
    "INSERT INTO attempts (id, date, exam_id, user_id, state, result, percentage, last_answer_updated_time)"
    " VALUES (:id, '2026-01-05 09:00:00', 501, :student, :state, :result, 85, :ended)"
)
_CONTENT = (
    "INSERT INTO content_attempts"
    " (id, user_id, course_id, chapter_id, chapter_content_id, content_type, state, created)"
    " VALUES (:id, :student, 1, 11, 1101, 'video', 'watched', '2026-01-05 09:00:00')"
)


def history(lms: LmsHands) -> None:
    """Rows that are there before the first poll: one finished, one open, one in an unknown state."""
    _attempt(lms, 1, JANE, "completed", "pass", "2026-01-05 10:00:00")
    _attempt(lms, 2, RAVI, "started")
    _attempt(lms, 3, SOFIA, "suspended")


def told(lms: LmsHands) -> None:
    """Rows that are found later, without a time of their end, so that they are new whenever they are found."""
    _attempt(lms, 11, JANE, "completed", "fail")
    lms.run(_CONTENT, id=12, student=GULNORA)
    lms.run("UPDATE attempts SET state = 'completed', result = 'pass' WHERE id = 2")


def waiting(lms: LmsHands) -> None:
    """A row that is found while Zulip is away."""
    _attempt(lms, 21, RAVI, "completed", "pass")


def afterwards(lms: LmsHands) -> None:
    """A row that comes after everything."""
    _attempt(lms, 31, JANE, "completed", "pass")


def _attempt(lms: LmsHands, attempt_id: int, student: int, state: str, *rest: str) -> None:
    result, ended = [*rest, None, None][:2]
    lms.run(_ATTEMPT, id=attempt_id, student=student, state=state, result=result, ended=ended)


def fill_what_is_empty(store: Store) -> None:
    """Put a row into every table that has none."""
    with store.writing() as transaction:
        for table in metadata.sorted_tables:
            if transaction.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                transaction.execute(sa.insert(table).values({c.name: _value(c) for c in table.columns}))


def _value(column: sa.Column[Any]) -> Any:
    if column.type.python_type is int:
        return 7_000
    if isinstance(column.type, sa.JSON):
        return {}
    samples = {str: "kept", bool: True, float: 1.5, bytes: b"kept"}
    return samples.get(column.type.python_type, NOW)
