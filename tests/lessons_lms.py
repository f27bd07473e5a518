"""A small LMS of lessons: the tables of its Django application, a few people, and nothing that they did."""

from __future__ import annotations

import re

from lms_bot.pipeline.poller import Polled
from tests.lms_rows import MINUTE, LmsRows, Watch

ADA, MARY, OMAR, JANE, RAVI, GULNORA, OBRIEN = 1, 2, 3, 11, 12, 13, 14

PROGRESS, EXAMS, QUIZZES, CERTIFICATES = "user_progress", "exam_attempts", "lesson_quiz_attempts", "certifications"
TABLES = {
    PROGRESS: "myApp_userprogress",
    EXAMS: "myApp_examattempt",
    QUIZZES: "myApp_lessonquizattempt",
    CERTIFICATES: "myApp_certification",
}

_TABLES = """
CREATE TABLE auth_user (
    id serial PRIMARY KEY, username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL,
    last_name varchar(150) NOT NULL, email varchar(254) NOT NULL, password varchar(128) NOT NULL,
    is_staff boolean NOT NULL, is_active boolean NOT NULL, is_superuser boolean NOT NULL, last_login timestamptz
);
CREATE TABLE "myApp_course" (id bigserial PRIMARY KEY, name varchar(200) NOT NULL, slug varchar(200) NOT NULL);
CREATE TABLE "myApp_lesson" (
    id bigserial PRIMARY KEY, course_id bigint NOT NULL, title varchar(200) NOT NULL, "order" integer NOT NULL
);
CREATE TABLE "myApp_courseenrollment" (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, course_id bigint NOT NULL, enrolled_at timestamptz NOT NULL
);
CREATE TABLE "myApp_userprogress" (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, lesson_id bigint NOT NULL, status varchar(20),
    completed boolean NOT NULL, started_at timestamptz, completed_at timestamptz,
    video_watch_percentage double precision, last_watched_timestamp double precision NOT NULL,
    video_completion_threshold double precision NOT NULL, last_accessed timestamptz NOT NULL,
    progress_percentage integer NOT NULL
);
CREATE TABLE "myApp_exam" (
    id bigserial PRIMARY KEY, course_id bigint NOT NULL, title varchar(200) NOT NULL, passing_score integer NOT NULL
);
CREATE TABLE "myApp_examattempt" (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, exam_id bigint NOT NULL, started_at timestamptz NOT NULL,
    completed_at timestamptz, score double precision, passed boolean NOT NULL DEFAULT false
);
CREATE TABLE "myApp_lessonquiz" (
    id bigserial PRIMARY KEY, lesson_id bigint NOT NULL, title varchar(200) NOT NULL, is_required boolean NOT NULL
);
CREATE TABLE "myApp_lessonquizattempt" (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, quiz_id bigint NOT NULL, started_at timestamptz NOT NULL,
    completed_at timestamptz, score double precision, passed boolean NOT NULL DEFAULT false
);
CREATE TABLE "myApp_certification" (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, course_id bigint NOT NULL, issued_at timestamptz
);
CREATE TABLE mentoring (id bigserial PRIMARY KEY, mentor_id integer, student_id integer, coach integer, pupil integer)
"""
_CORE = """
CREATE TABLE core_dailyactivity (
    id bigserial PRIMARY KEY, user_id integer NOT NULL, date date NOT NULL, status varchar(10) NOT NULL
)
"""
_PEOPLE = (
    (ADA, "ada", "Ada", "Byron", False, True),
    (MARY, "mary", "Mary", "Jones", True, False),
    (OMAR, "omar", "Omar", "Haddad", True, False),
    (JANE, "jane_smith", "Jane", "Smith", False, False),
    (RAVI, "ravi_patel", "Ravi", "Patel", False, False),
    (GULNORA, "gulnora", "Гульнора", "", False, False),
    (OBRIEN, "obrien", "Sean", "O'Brien", False, False),
)


def fill_lessons(url: str) -> None:
    """Make the tables; Mary mentors Jane and Ravi."""
    rows = LmsRows(url)
    for statement in _TABLES.split(";"):
        rows.run(_for(url, statement))
    with rows.transaction() as transaction:
        for user_id, username, first, last, is_staff, is_superuser in _PEOPLE:
            values = {"id": user_id, "username": username, "first_name": first, "last_name": last, "password": "secret"}
            rights = {"is_staff": is_staff, "is_superuser": is_superuser, "is_active": True}
            transaction.insert("auth_user", {**values, **rights, "email": f"{username}@example.com"})
        transaction.insert("myApp_course", {"id": 1, "name": "Programming 101", "slug": "programming-101"})
        for lesson_id, title in ((21, "Variables"), (22, "Loops")):
            transaction.insert("myApp_lesson", {"id": lesson_id, "course_id": 1, "title": title, "order": lesson_id})
        transaction.insert("myApp_exam", {"id": 31, "course_id": 1, "title": "Final Exam", "passing_score": 60})
        transaction.insert(
            "myApp_lessonquiz", {"id": 41, "lesson_id": 21, "title": "Quiz on variables", "is_required": True}
        )
        for number, student in enumerate((JANE, RAVI), 1):
            transaction.insert("mentoring", {"id": number, "mentor_id": MARY, "student_id": student})
        transaction.commit()


def add_core(rows: LmsRows) -> None:
    """Install the application that keeps days."""
    rows.run(_for(rows.url, _CORE))


def _for(url: str, statement: str) -> str:
    if not url.startswith("sqlite"):
        return statement
    return re.sub(r"\b(big)?serial PRIMARY KEY", "integer PRIMARY KEY", statement)


class Lessons(Watch):
    """The LMS, a store, and the polls from one to the other; Mary's students are those of the table `mentoring`."""

    def __init__(self, lms_url: str, store_url: str, **settings: str) -> None:
        super().__init__(lms_url, store_url, **{"LMS_SCHEMA": "lessons", "LMS_MENTORS": "table:mentoring", **settings})

    def poll(self, now: object = None) -> Polled:
        """Poll a minute after the last time."""
        self.now += MINUTE
        return self.poller.poll(self.now)

    def insert(self, source: str, row_id: int, **values: object) -> None:
        """Insert a row: by default Jane began just now."""
        begun = {"id": row_id, "user_id": JANE, **({} if source == CERTIFICATES else {"started_at": self.now})}
        with self.rows.transaction() as transaction:
            transaction.insert(TABLES[source], {**begun, **self._defaults(source), **values})
            transaction.commit()

    def update(self, source: str, row_id: int, **values: object) -> None:
        with self.rows.transaction() as transaction:
            transaction.update(TABLES[source], row_id, values)
            transaction.commit()

    def watch_video(self, row_id: int, percent: object, **values: object) -> None:
        """Go on watching, as the player says every few seconds."""
        now = {"video_watch_percentage": percent, "last_watched_timestamp": 7.5, "last_accessed": self.now}
        self.update(PROGRESS, row_id, **{**now, "status": "in_progress", **values})

    def _defaults(self, source: str) -> dict[str, object]:
        of_sources: dict[str, dict[str, object]] = {
            PROGRESS: {
                "lesson_id": 21,
                "status": "not_started",
                "completed": False,
                "video_watch_percentage": 0.0,
                "last_watched_timestamp": 0.0,
                "video_completion_threshold": 90.0,
                "last_accessed": self.now,
                "progress_percentage": 0,
            },
            EXAMS: {"exam_id": 31, "passed": False},
            QUIZZES: {"quiz_id": 41, "passed": False},
            CERTIFICATES: {"course_id": 1},
        }
        return of_sources[source]
