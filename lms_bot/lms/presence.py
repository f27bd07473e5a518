"""Reads on which days the LMS saw students, where it says so: browsing states no event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.inspection import read_if_there
from lms_bot.lms.source import PresenceQueries, Query
from lms_bot.lms.values import moment, text

MOST_ROWS = 50_000  # of days at a time; what is more is read the next time
OVERLAP = 10_000  # ids read again, for rows that were committed late


@dataclass(frozen=True, slots=True)
class Presence:
    """Days as (student id, day), last moments as (student id, aware UTC), and how far the days were read."""

    days: tuple[tuple[int, date], ...]
    moments: tuple[tuple[int, datetime], ...]
    last_id: int


def read_presence(engine: sa.Engine, queries: PresenceQueries, zone: tzinfo, last_id: int) -> Presence:
    """Return the days noted since `last_id` was read, and when each student was last active.

    Gives nothing of what is not there, or not for our role to read. Raises LmsUnavailable.
    """
    try:
        with engine.connect() as connection, connection.begin():
            days = read_if_there(connection, _newest(queries.days, last_id)) if queries.days is not None else []
            seen = [row for query in queries.moments for row in read_if_there(connection, query)]
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"the days of students cannot be read: {reason(error)}") from error
    moments = ((student_id, moment(when, zone)) for student_id, when in seen)
    return Presence(
        tuple(_days(days)),
        tuple((student_id, when) for student_id, when in moments if when is not None),
        max([last_id, *(row[0] for row in days)]),
    )


def _newest(days: Query, last_id: int) -> Query:
    key = days.selected_columns[0]
    return days.where(key > last_id - OVERLAP).order_by(key).limit(MOST_ROWS)


def _days(rows: list[Any]) -> Iterator[tuple[int, date]]:
    """Give those that name a student by number and a day of the calendar."""
    for _, student_id, day in rows:
        student, at = text(student_id) or "", moment(text(day), UTC)
        if student.isascii() and student.isdigit() and len(student) < 19 and at is not None:
            yield int(student), at.date()
