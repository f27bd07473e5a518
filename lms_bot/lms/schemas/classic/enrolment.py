"""Since when students are enrolled, and how long exams take, where the LMS says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa

from lms_bot.db.engine import reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import inspection
from lms_bot.lms.values import integer, moment

LONGEST = 30 * 24 * 60  # minutes; what is said to take longer, or no time at all, is a mistake

metadata = sa.MetaData()
enrolled = sa.Table("students", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("created", sa.Text))
exams = sa.Table("exams", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("duration", sa.Integer))


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Since when students are enrolled, as (student id, aware UTC), and the minutes that exams take, by exam id."""

    students: tuple[tuple[int, datetime], ...]
    minutes: dict[int, int]


def read_enrolment(engine: sa.Engine, zone: tzinfo) -> Enrolment:
    """Nothing of what is not there, or not for our role to read. Raises LmsUnavailable."""
    found = inspection.readable(engine, metadata)
    rows: dict[str, list[tuple[object, object]]] = {}
    try:
        with engine.connect() as connection, connection.begin():
            for table in metadata.sorted_tables:
                if table.name in found:
                    rows[table.name] = [(row[0], row[1]) for row in connection.execute(sa.select(*table.c))]
    except sa.exc.SQLAlchemyError as error:
        raise LmsUnavailable(f"when students were enrolled cannot be read: {reason(error)}") from error
    since = ((integer(who), moment(when, zone)) for who, when in rows.get("students", ()))
    minutes = ((integer(exam), integer(length)) for exam, length in rows.get("exams", ()))
    return Enrolment(
        tuple((who, when) for who, when in since if who is not None and when is not None),
        {exam: length for exam, length in minutes if exam is not None and length and 0 < length <= LONGEST},
    )
