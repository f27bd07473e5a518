"""What is known of studies beside events: batches, courses, results by subject, the LMS's own counts, snapshots."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import metadata

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text),
)

batch_students = sa.Table(
    "batch_students",
    metadata,
    sa.Column("batch_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "student_id"),
)

courses = sa.Table(
    "courses",
    metadata,
    sa.Column("course_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text),
)

# Who takes a course: all of a batch, or one student.
course_batches = sa.Table(
    "course_batches",
    metadata,
    sa.Column("course_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("batch_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "batch_id"),
)
course_students = sa.Table(
    "course_students",
    metadata,
    sa.Column("course_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "student_id"),
)

# What a course consists of. An item is done when any of its activities is: a video by its own row or the content's.
course_items = sa.Table(
    "course_items",
    metadata,
    sa.Column("course_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item", sa.String(64), primary_key=True),
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("activity_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "source_table", "activity_id"),
)

# What pages may report of. The exam, of a source, must be passed before the lesson is complete.
lessons = sa.Table(
    "lessons",
    metadata,
    sa.Column("lesson_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text),
    sa.Column("quiz_source", sa.String(32)),
    sa.Column("quiz_id", sa.BigInteger),
)

# Until when something is to be done, by whoever takes a course that has it; and the class then: how many those are, and
# how many of them have done it (both 0 until they are counted).
deadlines = sa.Table(
    "deadlines",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("activity_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("expected", sa.Integer, nullable=False, server_default="0"),
    sa.Column("handed_in", sa.Integer, nullable=False, server_default="0"),
)

# What everybody's results in an exam come to: how many there are, and their mean percentage.
class_results = sa.Table(
    "class_results",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("activity_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("results", sa.Integer, nullable=False),
    sa.Column("average", sa.Double, nullable=False),
)

# A part of an attempt's result: of one subject, or of one level of difficulty. Whose attempt it is, the events say.
attempt_results = sa.Table(
    "attempt_results",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("exam_source", sa.String(32), nullable=False),
    sa.Column("attempt_id", sa.BigInteger, nullable=False),
    sa.Column("dimension", sa.String(16), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("correct", sa.Integer, nullable=False),
    sa.Column("incorrect", sa.Integer, nullable=False),
    sa.Column("unanswered", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Index(None, "attempt_id", "exam_source"),
)

# What the LMS itself counts of a student, as of its last such day.
lms_counts = sa.Table(
    "lms_counts",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source_id", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("current_streak", sa.Integer),
    sa.Column("highest_streak", sa.Integer),
    sa.Column("videos", sa.Integer),
    sa.Column("exams", sa.Integer),
    sa.Column("downloads", sa.Integer),
    sa.Column("conferences", sa.Integer),
)

# A row of the LMS that cannot be quite right; it is kept and counted all the same. `row` is what it holds.
sync_conflicts = sa.Table(
    "sync_conflicts",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("problem", sa.String(32), primary_key=True),
    sa.Column("row", sa.JSON, nullable=False),
    sa.Column("found_at", UtcDateTime, nullable=False),
)

# How a student stood on one day, once a week.
snapshots = sa.Table(
    "student_academic_snapshots",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("snapshot_date", sa.Date, primary_key=True),
    sa.Column("total_exams_taken", sa.Integer, nullable=False),
    sa.Column("average_score", sa.Double),
    sa.Column("videos_watched", sa.Integer, nullable=False),
    sa.Column("streak_count", sa.Integer, nullable=False),
    sa.Column("subject_scores", sa.JSON, nullable=False),
    sa.Index(None, "snapshot_date"),
)

# Students whose past turned out to be another than their snapshots say, `since` the earliest time of what changed.
outdated_snapshots = sa.Table(
    "outdated_snapshots",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("since", UtcDateTime, nullable=False),
)
