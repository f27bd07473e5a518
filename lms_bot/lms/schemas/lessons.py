"""Declares the lessons LMS: a Django application with videos, exams and certificates, but no links to mentors."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import (
    AcademicQueries,
    EnrolmentQueries,
    PeopleQueries,
    PresenceQueries,
    Query,
    Schema,
    Source,
    Title,
    states,
)

PREFIX = "myApp_"

_TABLES = """
userprogress id user_id lesson_id status:text completed:number started_at:time completed_at:time \
video_watch_percentage:number
examattempt id user_id exam_id started_at:time completed_at:time score:number passed:number
lessonquizattempt id user_id quiz_id started_at:time completed_at:time score:number passed:number
certification id user_id course_id issued_at:time
course id name:text
lesson id course_id title:text
exam id course_id title:text
lessonquiz id lesson_id title:text is_required:number
courseenrollment id user_id course_id enrolled_at:time
"""
_OF_DJANGO = """
auth_user id username:text email:text first_name:text last_name:text is_staff:number is_superuser:number \
is_active:number last_login:time
core_dailyactivity id user_id date:text status:text
"""
_MARKS = {"score": "score", "percentage": "score"}
_OUTCOMES = states(exam_started="started", exam_completed="completed", exam_passed="passed", exam_failed="failed")


def declare(prefix: str = PREFIX) -> Schema:
    """Return the declaration of an application whose tables bear this prefix."""
    t, django = Tables(_TABLES, prefix), Tables(_OF_DJANGO)
    user, day, enrolled = django.auth_user.c, django.core_dailyactivity.c, t.courseenrollment.c
    return Schema(
        name="lessons",
        sources=(
            _progress(t),
            _exam_attempts(t),
            _lesson_quiz_attempts(t),
            _certification(t),
        ),
        catalogue=_catalogue(t),
        people=_people(django),
        presence=PresenceQueries(
            days=sa.select(day.id, day.user_id, day.date).where(day.status != "none"),
            moments=(sa.select(user.id, user.last_login).where(user.last_login.is_not(None)),),
        ),
        enrolment=EnrolmentQueries(
            since=sa.select(enrolled.user_id, sa.func.min(enrolled.enrolled_at)).group_by(enrolled.user_id)
        ),
        academics=_academics(t),
    )


def _progress(t: Tables) -> Source:
    """Declare lessons: complete at the video's threshold, or when the student says so."""
    row = t.userprogress.c
    return Source(
        name="user_progress",
        letter="c",
        table=t.userprogress,
        joins={t.lesson: t.lesson.c.id == row.lesson_id},
        student="user_id",
        activity="lesson_id",
        title="lessons",
        state=sa.case((row.completed == sa.true(), "completed"), else_=row.status),
        states=states(none="not_started", content_progress="in_progress", content_completed="completed"),
        progress="video_watch_percentage",
        started=("started_at",),
        ended=("completed_at",),
        titles={"course_title": Title("courses", t.lesson.c.course_id)},
        times={"completed_on": "completed_at"},
        bands={"video_watch_percentage": (50, 90)},
    )


def _exam_attempts(t: Tables) -> Source:
    row = t.examattempt.c
    return Source(
        name="exam_attempts",
        letter="e",
        table=t.examattempt,
        joins={t.exam: t.exam.c.id == row.exam_id},
        student="user_id",
        activity="exam_id",
        title="exams",
        state=_outcome(row),
        states=_OUTCOMES,
        started=("started_at",),
        ended=("completed_at",),
        facts=_MARKS,
        titles={"course_title": Title("courses", t.exam.c.course_id)},
    )


def _lesson_quiz_attempts(t: Tables) -> Source:
    row, quiz = t.lessonquizattempt.c, t.lessonquiz.c
    return Source(
        name="lesson_quiz_attempts",
        letter="q",
        table=t.lessonquizattempt,
        joins={t.lessonquiz: quiz.id == row.quiz_id, t.lesson: t.lesson.c.id == quiz.lesson_id},
        student="user_id",
        activity="quiz_id",
        title="lesson quizzes",
        state=_outcome(row),
        states=_OUTCOMES,
        started=("started_at",),
        ended=("completed_at",),
        facts=_MARKS,
        titles={
            "course_title": Title("courses", t.lesson.c.course_id),
            "chapter_name": Title("lessons", quiz.lesson_id),
        },
    )


def _outcome(row: Any) -> sa.ColumnElement[str]:
    return sa.case(
        (row.passed == sa.true(), "passed"),
        (row.score.is_not(None), "failed"),
        (row.completed_at.is_not(None), "completed"),
        else_="started",
    )


def _certification(t: Tables) -> Source:
    issued = t.certification.c.issued_at
    return Source(
        name="certifications",
        letter="z",
        table=t.certification,
        student="user_id",
        activity="course_id",
        title="courses",
        state=sa.case((issued.is_not(None), "issued"), else_="planned"),
        states=states(none="planned", certification_issued="issued"),
        ended=("issued_at",),
    )


def _catalogue(t: Tables) -> dict[str, tuple[Query, ...]]:
    return {
        "lessons": (sa.select(t.lesson.c.id, t.lesson.c.title),),
        "exams": (sa.select(t.exam.c.id, t.exam.c.title),),
        "lesson quizzes": (sa.select(t.lessonquiz.c.id, t.lessonquiz.c.title),),
        "courses": (sa.select(t.course.c.id, t.course.c.name),),
    }


def _academics(t: Tables) -> AcademicQueries:
    lesson, exam, quiz, enrolled = t.lesson.c, t.exam.c, t.lessonquiz.c, t.courseenrollment.c
    exams = sa.select(exam.course_id, sa.literal("exam ") + sa.cast(exam.id, sa.String(20)), exam.id)
    quizzes = sa.select(lesson.course_id, sa.literal("quiz ") + sa.cast(quiz.id, sa.String(20)), quiz.id)
    return AcademicQueries(
        courses=sa.select(t.course.c.id, t.course.c.name),
        course_students=sa.select(enrolled.course_id, enrolled.user_id).distinct(),
        items={
            "user_progress": sa.select(lesson.course_id, lesson.id, lesson.id.label("activity")),
            "exam_attempts": exams,
            "lesson_quiz_attempts": quizzes.join(t.lesson, lesson.id == quiz.lesson_id),
        },
        lesson_source="user_progress",
        lessons=sa.select(lesson.id, lesson.title),
        quizzes={"lesson_quiz_attempts": sa.select(quiz.lesson_id, quiz.id).where(quiz.is_required == sa.true())},
    )


def _people(django: Tables) -> PeopleQueries:
    user = django.auth_user.c
    columns = (user.id, user.username, user.email, user.first_name, user.last_name, sa.null().label("display_name"))
    is_student = (user.is_staff == sa.false()) & (user.is_superuser == sa.false())
    return PeopleQueries(
        students=sa.select(*columns, user.is_active).where(is_student).order_by(user.id),
        mentors=sa.select(*columns).where(user.is_active == sa.true()).order_by(user.id),
        links={},
        only_linked=True,
    )
