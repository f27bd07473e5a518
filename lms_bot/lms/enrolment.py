"""Reads since when students are enrolled, how long exams take, and deadlines, where the LMS says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms.inspection import read_if_there
from lms_bot.lms.source import EnrolmentQueries
from lms_bot.lms.values import integer, moment, text

LONGEST = 30 * 24 * 60  # minutes; what is said to take longer, or no time at all, is a mistake


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Since when students are enrolled, how long exams take, and until when something is to be done.

    `students` are (student id, aware UTC), `minutes` are by exam id, and `deadlines` are (source, activity id, aware
    UTC, title).
    """

    students: tuple[tuple[int, datetime], ...]
    minutes: dict[int, int]
    deadlines: tuple[tuple[str, int, datetime, str | None], ...] = ()


def read_enrolment(engine: sa.Engine, queries: EnrolmentQueries, zone: tzinfo) -> Enrolment:
    """Give nothing of what is not there, or not for our role to read. Raises LmsUnavailable."""
    try:
        with engine.connect() as connection, connection.begin():
            enrolled, lengths = (
                [] if query is None else read_if_there(connection, query) for query in (queries.since, queries.minutes)
            )
            deadlines = {name: read_if_there(connection, query) for name, query in queries.deadlines.items()}
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"when students were enrolled cannot be read: {reason(error)}") from error
    until = (
        (source, integer(activity), moment(when, zone), text(title[0]) if title else None)
        for source, read in deadlines.items()
        for activity, when, *title in read
    )
    since = ((integer(who), moment(when, zone)) for who, when in enrolled)
    minutes = ((integer(exam), integer(length)) for exam, length in lengths)
    return Enrolment(
        tuple((who, when) for who, when in since if who is not None and when is not None),
        {exam: length for exam, length in minutes if exam is not None and length and 0 < length <= LONGEST},
        tuple(
            (source, activity, when, title)
            for source, activity, when, title in until
            if activity is not None and when is not None
        ),
    )
