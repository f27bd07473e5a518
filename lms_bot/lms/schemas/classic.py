"""The classic LMS: exam attempts and attempts at course content, and links between mentors and students."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.lms.source import (
    EnrolmentQueries,
    Id,
    Kind,
    Mirror,
    PeopleQueries,
    PresenceQueries,
    Schema,
    Source,
    Time,
    Title,
)

metadata = sa.MetaData()

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id),
    sa.Column("username", sa.Text),
    sa.Column("exam_id", Id),
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
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id),
    sa.Column("course_id", Id),
    sa.Column("chapter_id", Id),
    sa.Column("chapter_content_id", Id),
    sa.Column("content_type", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("assessment_id", Id),
    sa.Column("correct_answers_count", sa.Integer),
    sa.Column("incorrect_answers_count", sa.Integer),
    sa.Column("created", Time),
    sa.Column("completed_on", Time),
)
students = sa.Table(
    "students",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("username", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("display_name", sa.Text),
    sa.Column("is_active", sa.Integer),  # no type that refuses: SQLite may hold anything here
    sa.Column("created", Time),
    sa.Column("last_active_date", Time),
)
mentors = sa.Table(
    "mentors",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("username", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("display_name", sa.Text),
)
mentor_to_student = sa.Table(
    "_MentorToStudent", metadata, sa.Column("A", Id, key="mentor_id"), sa.Column("B", Id, key="student_id")
)
exams = sa.Table(
    "exams",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("duration", sa.Integer),
)
courses = sa.Table("courses", metadata, sa.Column("id", Id, primary_key=True), sa.Column("title", sa.Text))
chapters = sa.Table("chapters", metadata, sa.Column("id", Id, primary_key=True), sa.Column("name", sa.Text))
contents = sa.Table(
    "ChapterContent",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("course_id", Id),
    sa.Column("examId", Id, key="exam_id"),
)
activity_dates = sa.Table(
    "student_activity_dates",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("student_id", sa.Text),
    sa.Column("activity_date", sa.Text),
)

SCHEMA = Schema(
    name="classic",
    sources=(
        Source(
            name="attempts",
            kind=Kind.EXAM,
            letter="e",
            table=attempts,
            student="user_id",
            username="username",
            activity="exam_id",
            title="exams",
            state="state",
            states={
                **dict.fromkeys(("started", "in_progress"), EventType.EXAM_STARTED),
                **dict.fromkeys(("completed", "finished"), EventType.EXAM_COMPLETED),
            },
            result="result",
            results={
                **dict.fromkeys(("pass", "passed"), EventType.EXAM_PASSED),
                **dict.fromkeys(("fail", "failed"), EventType.EXAM_FAILED),
            },
            started=("date", "last_started_time"),
            ended=("last_answer_updated_time",),
            facts={
                "score": "score",
                "percentage": "percentage",
                "time_taken": "time_taken",
                "correct_answers": "correct_answers_count",
                "incorrect_answers": "incorrect_answers_count",
                "unanswered": "unanswered_count",
                "percentile": "percentile",
                "speed": "speed",
                "result": "result",
            },
            titles={"course_title": Title("courses of exams", "exam_id")},
        ),
        Source(
            name="content_attempts",
            kind=Kind.CONTENT,
            letter="c",
            table=content_attempts,
            student="user_id",
            activity="chapter_content_id",
            title="contents",
            state="state",
            states={
                **dict.fromkeys(("started", "in_progress"), EventType.CONTENT_STARTED),
                **dict.fromkeys(("completed", "finished"), EventType.CONTENT_COMPLETED),
                **dict.fromkeys(("watched", "viewed"), EventType.CONTENT_WATCHED),
            },
            started=("created",),
            ended=("completed_on",),
            facts={
                "content_type": "content_type",
                "state": "state",
                "correct_answers": "correct_answers_count",
                "incorrect_answers": "incorrect_answers_count",
            },
            titles={"course_title": Title("courses", "course_id"), "chapter_name": Title("chapters", "chapter_id")},
            times={"completed_on": "completed_on"},
            mirrors=Mirror("assessment_id", "content_type", "exam", "exams of contents"),
        ),
    ),
    catalogue={
        "exams": sa.select(exams.c.id, exams.c.title).order_by(exams.c.id),
        "courses of exams": sa.select(contents.c.exam_id, courses.c.title)
        .join(courses, courses.c.id == contents.c.course_id)
        .where(contents.c.exam_id.is_not(None))
        .order_by(contents.c.id),
        "contents": sa.select(contents.c.id, contents.c.title).order_by(contents.c.id),
        "exams of contents": sa.select(contents.c.id, contents.c.exam_id).where(contents.c.exam_id.is_not(None)),
        "courses": sa.select(courses.c.id, courses.c.title).order_by(courses.c.id),
        "chapters": sa.select(chapters.c.id, chapters.c.name).order_by(chapters.c.id),
    },
    people=PeopleQueries(
        students=sa.select(
            students.c.id,
            students.c.username,
            students.c.email,
            students.c.first_name,
            students.c.last_name,
            students.c.display_name,
            students.c.is_active,
        ).order_by(students.c.id),
        mentors=sa.select(*mentors.c).order_by(mentors.c.id),
        links=sa.select(mentor_to_student.c.mentor_id, mentor_to_student.c.student_id),
    ),
    presence=PresenceQueries(
        days=sa.select(activity_dates.c.id, activity_dates.c.student_id, activity_dates.c.activity_date),
        moments=sa.select(students.c.id, students.c.last_active_date).where(students.c.last_active_date.is_not(None)),
    ),
    enrolment=EnrolmentQueries(
        since=sa.select(students.c.id, students.c.created),
        minutes=sa.select(exams.c.id, exams.c.duration),
    ),
)
