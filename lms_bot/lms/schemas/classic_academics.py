"""Declares what the classic LMS knows of studies: batches, courses, results by subject, and its own counts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import Counts, Detail, Results
from lms_bot.lms.source.queries import AcademicQueries, Query


def details(t: Tables) -> tuple[Detail, ...]:
    """Return the tables of details; where a subject has parts of its own, only these count."""
    return (
        _results(t, t.subject_stats, "subject", "subject_name", _is_not_false(t.subject_stats.c.is_leaf)),
        _results(t, t.difficulty_level_stats, "difficulty", "difficulty_level", None),
        _activities(t),
    )


def academics(t: Tables) -> AcademicQueries:
    contents, member, takes = t.ChapterContent.c, t._BatchToStudent.c, t._CourseBatch.c

    def items(activity: sa.Column[int]) -> Query:
        query = sa.select(contents.course_id, contents.id, activity)
        return query.where(contents.course_id.is_not(None), activity.is_not(None))

    return AcademicQueries(
        batches=sa.select(t.batches.c.id, t.batches.c.name),
        batch_students=sa.select(member.A, member.B),
        courses=sa.select(t.courses.c.id, t.courses.c.title),
        course_batches=sa.select(takes.B, takes.A),
        items={
            "content_attempts": items(contents.id),
            "attempts": items(contents.examId),
            "user_videos": items(contents.videoId),
        },
        lesson_source="content_attempts",
        lessons=sa.select(contents.id, contents.title),
        quizzes={"attempts": sa.select(contents.id, contents.examId).where(contents.examId.is_not(None))},
    )


def _results(t: Tables, table: sa.Table, dimension: str, label: str, only: sa.ColumnElement[bool] | None) -> Detail:
    return Results(
        name=table.name.removeprefix(t.prefix),
        table=table,
        joins={t.attempts: t.attempts.c.id == table.c.attempt_id},
        only=only,
        student=t.attempts.c.user_id,
        username=t.attempts.c.username,
        exam_source="attempts",
        attempt="attempt_id",
        dimension=dimension,
        label=label,
        correct="correct_answers_count",
        incorrect="incorrect_answers_count",
        unanswered="unanswered_count",
        total="total_count",
    )


def _activities(t: Tables) -> Detail:
    return Counts(
        name="student_activities",
        table=t.student_activities,
        student="student_id",
        day="fetch_date",
        counts={
            "current_streak": "current_streak",
            "highest_streak": "highest_streak",
            "videos": "total_videos_watched",
            "exams": "total_exams_taken",
            "downloads": "total_attachments_downloaded",
            "conferences": "total_video_conferences",
        },
    )


class _is_not_false(FunctionElement[bool]):
    """A flag that is true, or unknown: of whatever type an installation has it, which PostgreSQL minds."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(_is_not_false)
def _say(element: _is_not_false, compiler: Any, **given: Any) -> str:
    return f"({compiler.process(element.clauses, **given)} IS NOT false)"


@compiles(_is_not_false, "postgresql")
def _say_by_text(element: _is_not_false, compiler: Any, **given: Any) -> str:
    flag = compiler.process(element.clauses, **given)
    return f"(coalesce(lower(CAST({flag} AS text)), 'true') NOT IN ('false', 'f', '0'))"
