"""What the days of students add up to."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.store.tables.base import Id, metadata

# A day on which a student did something, as the student's time zone cuts days; how much is counted from the events.
student_days = sa.Table(
    "student_days",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    # Some event is of that day; something was finished then.
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("is_learned", sa.Boolean, nullable=False),
    # The LMS saw the student, whether or not an event says what they did.
    sa.Column("in_lms", sa.Boolean, nullable=False),
)

streaks = sa.Table(
    "streaks",
    metadata,
    sa.Column("streak_id", Id, primary_key=True),
    sa.Column("student_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.UniqueConstraint("student_id", "kind", "last_day"),
    # For the turn of the day, which looks at streaks that end about then.
    sa.Index(None, "kind", "last_day"),
    sqlite_autoincrement=True,  # what a streak came to is known by its id, which is not given again
)

# What streaks came to, each told as one event: so many days, or the end (0).
streak_marks = sa.Table(
    "streak_marks",
    metadata,
    sa.Column("mark_id", Id, primary_key=True),
    sa.Column("streak_id", sa.BigInteger, nullable=False),
    sa.Column("milestone", sa.Integer),  # NULL: an end that was none, as was found later
    sa.UniqueConstraint("streak_id", "milestone"),
    sqlite_autoincrement=True,  # the event of a milestone is known by its id
)

# By which time zone a student's days are cut, where it is not the one of the settings.
student_zones = sa.Table(
    "student_zones",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("zone", sa.String(64), nullable=False),
)
