"""The classic LMS: exam attempts, attempts at course content, videos, certificates, and links to mentors."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bot.lms.schemas.classic_academics import academics, details
from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import (
    EnrolmentQueries,
    Mirror,
    PeopleQueries,
    PresenceQueries,
    Query,
    Schema,
    Source,
    Title,
    states,
)

PREFIX = ""

_TABLES = """
attempts id user_id username:text exam_id state:text result:text date:time last_started_time:time \
last_answer_updated_time:time score:number percentage:number time_taken:text correct_answers_count:number \
incorrect_answers_count:number unanswered_count:number percentile:number speed:number
content_attempts id user_id course_id chapter_id chapter_content_id content_type:text state:text \
assessment_id correct_answers_count:number incorrect_answers_count:number created:time completed_on:time
user_videos id user_id video_id created:time watched_percentage:number
certifications id user_id course_id issued_at:time
students id username:text email:text first_name:text last_name:text display_name:text is_active:number \
created:time last_active_date:time
mentors id username:text email:text first_name:text last_name:text display_name:text supervisor_id \
supervisor_email:text students_count:number
_MentorToStudent A B
batches id name:text
_BatchToStudent A B
_CourseBatch A B
subject_stats id subject_name:text correct_answers_count:number incorrect_answers_count:number \
unanswered_count:number total_count:number is_leaf:number attempt_id
difficulty_level_stats id difficulty_level:text correct_answers_count:number incorrect_answers_count:number \
unanswered_count:number total_count:number attempt_id
student_activities id student_id:text current_streak:number highest_streak:number total_videos_watched:number \
total_exams_taken:number total_attachments_downloaded:number total_video_conferences:number fetch_date:time
exams id title:text duration:number end_date:time
courses id title:text
chapters id name:text
ChapterContent id title:text course_id examId videoId end:time
videos id title:text course_title:text chapter_name:text
student_activity_dates id student_id:text activity_date:text
"""


def declare(prefix: str = PREFIX) -> Schema:
    """Return the declaration of a database whose tables bear this prefix."""
    t = Tables(_TABLES, prefix)
    return Schema(
        name="classic",
        sources=(_attempts(t), _content_attempts(t), _user_videos(t), _certifications(t)),
        catalogue=_catalogue(t),
        people=_people(t),
        presence=PresenceQueries(
            days=sa.select(*t.student_activity_dates.c),
            moments=(
                sa.select(t.students.c.id, t.students.c.last_active_date).where(
                    t.students.c.last_active_date.is_not(None)
                ),
            ),
        ),
        enrolment=EnrolmentQueries(
            since=sa.select(t.students.c.id, t.students.c.created),
            minutes=sa.select(t.exams.c.id, t.exams.c.duration),
            deadlines={
                "attempts": _deadlines(t.exams.c, t.exams.c.end_date),
                "content_attempts": _deadlines(t.ChapterContent.c, t.ChapterContent.c.end),
            },
        ),
        details=details(t),
        academics=academics(t),
    )


def _deadlines(of: sa.ColumnCollection[str, sa.Column[Any]], until: sa.Column[Any]) -> Query:
    return sa.select(of.id, until, of.title).where(until.is_not(None))


def _attempts(t: Tables) -> Source:
    return Source(
        name="attempts",
        letter="e",
        table=t.attempts,
        student="user_id",
        username="username",
        activity="exam_id",
        title="exams",
        states=states(exam_started="started in_progress", exam_completed="completed finished"),
        result="result",
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
    )


def _content_attempts(t: Tables) -> Source:
    return Source(
        name="content_attempts",
        letter="c",
        table=t.content_attempts,
        student="user_id",
        activity="chapter_content_id",
        title="contents",
        states=states(
            content_started="started in_progress",
            content_completed="completed finished",
            content_watched="watched viewed",
        ),
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
    )


def _user_videos(t: Tables) -> Source:
    return Source(
        name="user_videos",
        letter="v",
        table=t.user_videos,
        student="user_id",
        activity="video_id",
        title="videos",
        state=sa.literal("watching"),
        states=states(content_progress="watching"),
        progress="watched_percentage",
        started=("created",),
        facts={"content_type": sa.literal("video")},
        titles={
            "course_title": Title("courses of videos", "video_id"),
            "chapter_name": Title("chapters of videos", "video_id"),
        },
        bands={"watched_percentage": (50, 90)},
        is_optional=True,
    )


def _certifications(t: Tables) -> Source:
    issued = t.certifications.c.issued_at
    return Source(
        name="certifications",
        letter="z",
        table=t.certifications,
        student="user_id",
        activity="course_id",
        title="courses",
        state=sa.case((issued.is_not(None), "issued"), else_="planned"),
        states=states(none="planned", certification_issued="issued"),
        ended=("issued_at",),
        is_optional=True,
    )


def _catalogue(t: Tables) -> dict[str, tuple[Query, ...]]:
    contents, courses, videos = t.ChapterContent.c, t.courses.c, t.videos.c
    courses_of_exams = (
        sa.select(contents.examId, courses.title)
        .join(t.courses, courses.id == contents.course_id)
        .where(contents.examId.is_not(None))
        .order_by(contents.id)
    )
    return {
        "exams": (sa.select(t.exams.c.id, t.exams.c.title).order_by(t.exams.c.id),),
        "courses of exams": (courses_of_exams,),
        "contents": (sa.select(contents.id, contents.title).order_by(contents.id),),
        "exams of contents": (sa.select(contents.id, contents.examId).where(contents.examId.is_not(None)),),
        "courses": (sa.select(courses.id, courses.title).order_by(courses.id),),
        "chapters": (sa.select(t.chapters.c.id, t.chapters.c.name).order_by(t.chapters.c.id),),
        "videos": (sa.select(videos.id, videos.title).order_by(videos.id),),
        "courses of videos": (sa.select(videos.id, videos.course_title).order_by(videos.id),),
        "chapters of videos": (sa.select(videos.id, videos.chapter_name).order_by(videos.id),),
    }


def _people(t: Tables) -> PeopleQueries:
    students, link = t.students.c, t._MentorToStudent.c
    mentors, names = t.mentors.c, ("id", "username", "email", "first_name", "last_name", "display_name")
    return PeopleQueries(
        students=sa.select(*(students[name] for name in names), students.is_active).order_by(students.id),
        mentors=sa.select(*(mentors[name] for name in names)).order_by(mentors.id),
        links={"links": sa.select(link.A, link.B)},
        supervisors=sa.select(mentors.id, mentors.supervisor_id, mentors.supervisor_email, mentors.students_count),
    )
