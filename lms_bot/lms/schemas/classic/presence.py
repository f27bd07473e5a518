"""On which days the LMS saw students, where it says so: browsing leaves no attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import inspection
from lms_bot.lms.values import moment, text

MOST_ROWS = 50_000  # of days at a time; what is more is read the next time
OVERLAP = 10_000  # ids read again, for rows that were committed late

metadata = sa.MetaData()
activity_dates = sa.Table(
    "student_activity_dates",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("student_id", sa.Text),
    sa.Column("activity_date", sa.Text),
)
last_active = sa.Table(
    "students", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("last_active_date", sa.Text)
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Days as (student id, day), last moments as (student id, aware UTC), and how far the days were read."""

    days: tuple[tuple[int, date], ...]
    moments: tuple[tuple[int, datetime], ...]
    last_id: int


def read_presence(engine: sa.Engine, zone: tzinfo, last_id: int) -> Seen:
    """Days that the LMS noted since `last_id` was read, and when each student was last active.

    Nothing of what is not there, or not for our role to read. Raises LmsUnavailable.
    """
    found = inspection.readable(engine, metadata)
    days: list[Any] = []
    students: list[Any] = []
    try:
        with engine.connect() as connection, connection.begin():
            if "student_activity_dates" in found:
                c = activity_dates.c
                query = sa.select(c.id, c.student_id, c.activity_date).where(c.id > last_id - OVERLAP).order_by(c.id)
                days = list(connection.execute(query.limit(MOST_ROWS)))
            if "students" in found:
                c = last_active.c
                query = sa.select(c.id, c.last_active_date).where(c.last_active_date.is_not(None))
                students = list(connection.execute(query))
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"the days of students cannot be read: {reason(error)}") from error
    moments = ((student_id, moment(when, zone)) for student_id, when in students)
    return Seen(
        tuple(_days(days)),
        tuple((student_id, when) for student_id, when in moments if when is not None),
        max([last_id, *(row.id for row in days)]),
    )


def _days(rows: list[Any]) -> Iterator[tuple[int, date]]:
    """Those that name a student by number and a day of the calendar."""
    for row in rows:
        student, day = text(row.student_id) or "", moment(text(row.activity_date), UTC)
        if student.isascii() and student.isdigit() and len(student) < 19 and day is not None:
            yield int(student), day.date()
