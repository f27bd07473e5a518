"""The columns of the LMS that are read, and no others."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


class Time(sa.Text):
    """A time, read as text: see lms_bot.db.lms_engine."""


attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer),
    sa.Column("username", sa.Text),
    sa.Column("exam_id", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("date", Time),
    sa.Column("last_started_time", Time),
    sa.Column("last_answer_updated_time", Time),
    sa.Column("score", sa.Integer),
    sa.Column("percentage", sa.Integer),
    sa.Column("time_taken", sa.Text),
    sa.Column("correct_answers_count", sa.Integer),
    sa.Column("incorrect_answers_count", sa.Integer),
    sa.Column("unanswered_count", sa.Integer),
    sa.Column("percentile", sa.Float),
    sa.Column("speed", sa.Integer),
)

content_attempts = sa.Table(
    "content_attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer),
    sa.Column("course_id", sa.Integer),
    sa.Column("chapter_id", sa.Integer),
    sa.Column("chapter_content_id", sa.Integer),
    sa.Column("content_type", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("assessment_id", sa.Integer),
    sa.Column("correct_answers_count", sa.Integer),
    sa.Column("incorrect_answers_count", sa.Integer),
    sa.Column("created", Time),
    sa.Column("completed_on", Time),
)

students = sa.Table(
    "students",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("username", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("display_name", sa.Text),
    sa.Column("is_active", sa.Integer),  # no type that refuses: SQLite may hold anything here
)

mentors = sa.Table(
    "mentors",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("username", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("display_name", sa.Text),
)

mentor_to_student = sa.Table(
    "_MentorToStudent",
    metadata,
    sa.Column("A", sa.Integer, key="mentor_id"),
    sa.Column("B", sa.Integer, key="student_id"),
)

exams = sa.Table("exams", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text))
courses = sa.Table("courses", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text))
chapters = sa.Table("chapters", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
contents = sa.Table(
    "ChapterContent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("course_id", sa.Integer),
    sa.Column("examId", sa.Integer, key="exam_id"),
)
