"""Reads since when students are enrolled, and how long exams take, where the LMS says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.inspection import read_if_there
from lms_bot.lms.source import EnrolmentQueries
from lms_bot.lms.values import integer, moment

LONGEST = 30 * 24 * 60  # minutes; what is said to take longer, or no time at all, is a mistake


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Since when students are enrolled, as (student id, aware UTC), and the minutes that exams take, by exam id."""

    students: tuple[tuple[int, datetime], ...]
    minutes: dict[int, int]


def read_enrolment(engine: sa.Engine, queries: EnrolmentQueries, zone: tzinfo) -> Enrolment:
    """Give nothing of what is not there, or not for our role to read. Raises LmsUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            enrolled = read_if_there(connection, queries.since)
            lengths = read_if_there(connection, queries.minutes)
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"when students were enrolled cannot be read: {reason(error)}") from error
    since = ((integer(who), moment(when, zone)) for who, when in enrolled)
    minutes = ((integer(exam), integer(length)) for exam, length in lengths)
    return Enrolment(
        tuple((who, when) for who, when in since if who is not None and when is not None),
        {exam: length for exam, length in minutes if exam is not None and length and 0 < length <= LONGEST},
    )
