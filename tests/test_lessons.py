"""An LMS of lessons: what its students do is told once, however often its rows move, and links stand elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.core.cursor import Page
from lms_bot.errors import ConfigError, LmsUnavailable
from lms_bot.lms import Lms
from lms_bot.store.events import cursors, rows
from tests.databases import on_server, store_in_file
from tests.lessons_lms import (
    ADA,
    CERTIFICATES,
    EXAMS,
    GULNORA,
    JANE,
    MARY,
    OBRIEN,
    OMAR,
    PROGRESS,
    QUIZZES,
    RAVI,
    TABLES,
    Lessons,
    add_core,
    fill_lessons,
)
from tests.lms_rows import LmsRows, metadata

on_sqlite = pytest.mark.parametrize("lessons_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("lessons_url", ["postgresql"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def lessons_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        fill_lessons(url := f"sqlite:///{tmp_path}/lessons.db")
        yield url
    else:
        with on_server(request.getfixturevalue("postgresql_server"), fill_lessons) as url:
            yield url


@pytest.fixture
def lessons(lessons_url: str, tmp_path: Path) -> Iterator[Lessons]:
    """An LMS in which nothing happened yet, and a store that has seen it."""
    lessons = Lessons(lessons_url, store_in_file(tmp_path / "store.db"))
    lessons.poll()
    yield lessons
    lessons.close()


def progress(lessons: Lessons, row_id: int = 1) -> list[tuple[str, Any]]:
    """The events of a row of progress, with the step of those that have one."""
    return [(e.event_type, metadata(e).get("progress")) for e in lessons.events(row_id, PROGRESS)]


def changed_rows(lessons: Lessons, source: str) -> list[Page]:
    """The pages that the next poll would read of a source."""
    (watch,) = (watch for watch in lessons.lms.watched(lessons.now) if watch.name == source)
    with lessons.store.reading() as transaction:
        cursor = cursors.load(transaction, source)
        open_ids = [row_id for row_id, _ in cursors.due_rows(transaction, source, lessons.now, 100)]
    assert cursor

    def recorded(name: str, ids: Any) -> Any:
        with lessons.store.reading() as transaction:
            return rows.fingerprints(transaction, name, ids)

    return list(lessons.lms.changes.changes(watch, cursor, open_ids, recorded, lessons.now))


# Progress and completion


def test_half_of_a_video_and_nearly_all_of_it_are_told_once_each(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1)
    seen = []
    for percent in (0.0, 12.5, 49.9, 50.0, 63.2, 89.99, 90.0, 97.5):
        lessons.watch_video(1, percent)
        lessons.polls(2)
        seen.append(len(progress(lessons)))
    assert seen == [0, 0, 0, 1, 1, 1, 2, 2]
    assert progress(lessons) == [("content_progress", 50), ("content_progress", 90)]
    assert [event.episode for event in lessons.events(1, PROGRESS)] == [0, 1]
    assert lessons.current(1, PROGRESS) == ["content_progress"]


def test_an_event_names_student_lesson_and_course(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1, status="in_progress", video_watch_percentage=55.0)
    lessons.poll()
    event = lessons.event(1, PROGRESS)
    assert (event.student_id, event.student_username, event.mentor_username) == (JANE, "jane_smith", "mary")
    assert (event.activity_id, event.activity_title) == (21, "Variables")
    assert metadata(event)["course_title"] == "Programming 101"
    assert not event.is_history


def test_a_video_first_seen_near_its_end_is_told_that_once(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1, status="in_progress", video_watch_percentage=95.0)
    lessons.polls(2)
    lessons.watch_video(1, 60.0)
    lessons.poll()
    assert progress(lessons) == [("content_progress", 90)]
    assert lessons.event(1, PROGRESS).episode == 1


def test_a_video_watched_again_from_its_start_tells_nothing_anew(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1)
    for percent in (60.0, 20.0, 60.0, 95.0, 60.0, 5.0, 95.0):
        lessons.watch_video(1, percent)
        lessons.poll()
    assert progress(lessons) == [("content_progress", 50), ("content_progress", 90)]


@pytest.mark.parametrize("completed_at", [None, datetime(2026, 3, 2, 11, 58, tzinfo=UTC)])
def test_a_lesson_is_completed_at_the_end_of_its_video(lessons: Lessons, completed_at: datetime | None) -> None:
    lessons.insert(PROGRESS, 1)
    lessons.watch_video(1, 91.0)
    lessons.poll()
    lessons.watch_video(1, 92.0, status="completed", completed=True, completed_at=completed_at, progress_percentage=100)
    lessons.polls(2)
    assert [kind for kind, _ in progress(lessons)] == ["content_progress", "content_completed"]
    completed = lessons.events(1, PROGRESS)[-1]
    assert completed.timestamp == (completed_at or lessons.now - timedelta(minutes=1))
    assert metadata(completed)["completed_on"] == (completed_at.isoformat() if completed_at else None)
    assert lessons.current(1, PROGRESS) == ["content_completed"]


def test_a_lesson_is_completed_by_hand_at_the_beginning_of_its_video(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1)
    lessons.watch_video(1, 10.0)
    lessons.poll()
    lessons.watch_video(1, 10.0, completed=True, completed_at=lessons.now, progress_percentage=100)
    lessons.poll()
    lessons.watch_video(1, 95.0)
    lessons.poll()
    assert [kind for kind, _ in progress(lessons)] == ["content_completed"]


def test_what_was_there_at_the_start_is_history(lessons_url: str, tmp_path: Path) -> None:
    lessons = Lessons(lessons_url, store_in_file(tmp_path / "store.db"))
    lessons.insert(PROGRESS, 1, status="in_progress", video_watch_percentage=60.0)
    lessons.insert(PROGRESS, 2, status="completed", completed=True, lesson_id=22)
    lessons.poll()
    assert [event.is_history for event in lessons.events()] == [True, True]
    lessons.watch_video(1, 95.0)
    lessons.poll()
    assert [event.is_history for event in lessons.events(1, PROGRESS)] == [True, False]
    lessons.close()


def test_while_a_video_plays_its_row_is_no_change(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1, status="in_progress", started_at=lessons.now, video_watch_percentage=55.0)
    lessons.poll()
    for percent in range(56, 90, 3):
        lessons.watch_video(1, float(percent), last_watched_timestamp=percent * 10, progress_percentage=percent)
        assert [page.activities for page in changed_rows(lessons, PROGRESS)] == [()]
    lessons.watch_video(1, 90.0)
    assert [len(page.activities) for page in changed_rows(lessons, PROGRESS)] == [1]


def test_unknown_words_of_status_are_counted(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1, status="Paused")
    lessons.insert(PROGRESS, 2, status="Paused")
    lessons.insert(PROGRESS, 3, status=None)
    lessons.insert(PROGRESS, 4, status=" NOT_Started ")
    lessons.poll()
    assert lessons.events() == []
    with lessons.store.reading() as transaction:
        assert cursors.unknown_states(transaction) == [(PROGRESS, "Paused", 2), (PROGRESS, "(none)", 1)]
    lessons.watch_video(1, 50.0)
    lessons.poll()
    assert progress(lessons) == [("content_progress", 50)]


BROKEN = [(None, []), (float("nan"), []), (-5.0, []), (1000.0, [90]), (float("inf"), [])]


@pytest.mark.parametrize(("percent", "told"), BROKEN)
def test_a_percentage_that_cannot_be_is_none_and_stops_nobody(
    lessons: Lessons, percent: float | None, told: list[int]
) -> None:
    lessons.insert(PROGRESS, 1)
    lessons.watch_video(1, percent)
    lessons.insert(PROGRESS, 2, lesson_id=22, status="in_progress", video_watch_percentage=70.0)
    lessons.polls(2)
    assert [step for _, step in progress(lessons)] == told
    assert progress(lessons, 2) == [("content_progress", 50)]
    lessons.watch_video(1, 92.0)
    lessons.poll()
    assert progress(lessons) == [("content_progress", 90)]


@on_sqlite
@pytest.mark.parametrize("percent", ["nearly all", "", "95", b"95"])
def test_a_text_in_place_of_a_number_stops_nobody(lessons: Lessons, percent: object) -> None:
    lessons.rows.run(f'DROP TABLE "{TABLES[PROGRESS]}"')
    names = "id, user_id, lesson_id, status, completed, started_at, completed_at, video_watch_percentage"
    others = "last_watched_timestamp, video_completion_threshold, last_accessed, progress_percentage"
    lessons.rows.run(f'CREATE TABLE "{TABLES[PROGRESS]}" ({names}, {others})')
    lessons.insert(PROGRESS, 1, status="in_progress", video_watch_percentage=percent)
    lessons.insert(PROGRESS, 2, status="in_progress", video_watch_percentage=70.0)
    lessons.polls(2)
    assert (progress(lessons), progress(lessons, 2)) == ([], [("content_progress", 50)])


# Exams, quizzes and certificates


@pytest.mark.parametrize("source", [EXAMS, QUIZZES])
def test_an_attempt_is_told_as_its_row_changes_in_place(lessons: Lessons, source: str) -> None:
    lessons.insert(source, 1)
    lessons.insert(source, 2, user_id=RAVI)
    lessons.insert(source, 3)
    lessons.poll()
    lessons.update(source, 1, completed_at=lessons.now, score=85.0, passed=True)
    lessons.update(source, 2, completed_at=lessons.now, score=0.0)
    lessons.poll()
    assert lessons.kinds(1, source) == ["exam_started", "exam_passed"]
    assert lessons.kinds(2, source) == ["exam_started", "exam_failed"]
    assert lessons.kinds(3, source) == ["exam_started"]
    passed = lessons.events(1, source)[-1]
    assert (metadata(passed)["score"], metadata(passed)["percentage"]) == (85.0, 85.0)
    assert metadata(lessons.events(2, source)[-1])["score"] == 0


def test_an_attempt_without_a_score_is_completed_and_then_judged(lessons: Lessons) -> None:
    lessons.insert(EXAMS, 1, completed_at=lessons.now)
    lessons.poll()
    lessons.update(EXAMS, 1, score=40.0)
    lessons.poll()
    lessons.update(EXAMS, 1, score=75.0, passed=True)
    lessons.poll()
    assert lessons.kinds(1, EXAMS) == ["exam_completed", "exam_failed", "exam_passed"]
    assert lessons.current(1, EXAMS) == ["exam_passed"]


def test_attempts_name_their_exam_or_quiz_with_course_and_lesson(lessons: Lessons) -> None:
    lessons.insert(EXAMS, 1, score=85.0, passed=True, completed_at=lessons.now)
    lessons.insert(QUIZZES, 1, score=85.0, passed=True, completed_at=lessons.now)
    lessons.insert(QUIZZES, 2, quiz_id=99)
    lessons.poll()
    exam, quiz, nameless = (lessons.event(*row) for row in ((1, EXAMS), (1, QUIZZES), (2, QUIZZES)))
    assert (exam.activity_title, metadata(exam)["course_title"]) == ("Final Exam", "Programming 101")
    assert (quiz.activity_title, metadata(quiz)["chapter_name"]) == ("Quiz on variables", "Variables")
    assert metadata(quiz)["course_title"] == "Programming 101"
    assert (nameless.activity_title, metadata(nameless)["course_title"]) == (None, None)


def test_a_score_that_is_no_number_is_none(lessons: Lessons) -> None:
    lessons.insert(EXAMS, 1, score=float("nan"), passed=True, completed_at=lessons.now)
    lessons.polls(2)
    assert lessons.kinds(1, EXAMS) == ["exam_passed"]
    assert metadata(lessons.event(1, EXAMS))["score"] is None


def test_a_certificate_counts_once_it_is_issued(lessons: Lessons) -> None:
    lessons.insert(CERTIFICATES, 1)
    lessons.insert(CERTIFICATES, 2, user_id=RAVI, issued_at=lessons.now)
    lessons.polls(2)
    assert lessons.kinds(1, CERTIFICATES) == []
    issued_at = lessons.now
    lessons.update(CERTIFICATES, 1, issued_at=issued_at)
    lessons.polls(2)
    certificate = lessons.event(1, CERTIFICATES)
    assert (certificate.event_type, certificate.timestamp) == ("certification_issued", issued_at)
    assert certificate.activity_title == "Programming 101"
    assert lessons.kinds(2, CERTIFICATES) == ["certification_issued"]
    with lessons.store.reading() as transaction:
        assert cursors.unknown_states(transaction) == []


# Presence and enrolment


def test_days_are_read_where_the_application_core_keeps_them(lessons: Lessons) -> None:
    lessons.rows.run(f"UPDATE auth_user SET last_login = '2026-03-01 10:00:00+00:00' WHERE id = {JANE}")
    alone = lessons.lms.read_presence(0)
    assert (alone.days, alone.last_id) == ((), 0)
    assert alone.moments == ((JANE, datetime(2026, 3, 1, 10, tzinfo=UTC)),)
    assert lessons.lms.missing_extras() == ["core_dailyactivity.date"]
    add_core(lessons.rows)
    for row_id, status in enumerate(("none", "partial", "complete"), 1):
        lessons.rows.run(
            "INSERT INTO core_dailyactivity (id, user_id, date, status)"
            f" VALUES ({row_id}, {JANE}, '2026-02-0{row_id}', '{status}')"
        )
    presence = lessons.lms.read_presence(0)
    assert sorted(presence.days) == [(JANE, date(2026, 2, 2)), (JANE, date(2026, 2, 3))]
    assert lessons.lms.missing_extras() == []
    lessons.rows.run("UPDATE core_dailyactivity SET status = 'partial' WHERE id = 1")
    assert (JANE, date(2026, 2, 1)) in lessons.lms.read_presence(presence.last_id).days


def test_students_are_enrolled_since_their_first_course(lessons: Lessons) -> None:
    for row_id, day in ((1, 5), (2, 3)):
        lessons.rows.run(
            'INSERT INTO "myApp_courseenrollment" (id, user_id, course_id, enrolled_at) '
            f"VALUES ({row_id}, {JANE}, 1, '2026-02-0{day} 08:00:00+00:00')"
        )
    assert lessons.lms.read_enrolment().students == ((JANE, datetime(2026, 2, 3, 8, tzinfo=UTC)),)


# People and links


@contextmanager
def read_with(url: str, mentors: str) -> Iterator[Lms]:
    """The LMS with links from elsewhere."""
    environment = {"LMS_DATABASE_URL": url, "LMS_SCHEMA": "lessons", "LMS_MENTORS": mentors}
    lms = Lms.of(load(None, environment))
    yield lms
    lms.close()


def links(url: str, mentors: str) -> set[tuple[int, int]]:
    with read_with(url, mentors) as lms:
        return set(lms.read_people(NOW).links)


NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_staff_are_no_students_and_only_who_has_students_is_a_mentor(lessons: Lessons) -> None:
    found = lessons.lms.read_people(lessons.now)
    assert [student.student_id for student in found.students] == [JANE, RAVI, GULNORA, OBRIEN]
    assert [(mentor.mentor_id, mentor.username, mentor.name) for mentor in found.mentors] == [
        (MARY, "mary", "Mary Jones")
    ]
    lessons.rows.run(f"UPDATE auth_user SET is_active = false WHERE id IN ({MARY}, {RAVI})")
    found = lessons.lms.read_people(lessons.now)
    assert [student.student_id for student in found.students if not student.is_active] == [RAVI]
    assert found.mentors == ()


def test_links_stand_in_a_table_of_ids(lessons_url: str) -> None:
    rows = LmsRows(lessons_url)
    assert links(lessons_url, "table:mentoring") == {(MARY, JANE), (MARY, RAVI)}
    rows.run(f"INSERT INTO mentoring (id, coach, pupil) VALUES (9, {OMAR}, {GULNORA})")
    assert links(lessons_url, "table:mentoring:coach:pupil") == {(OMAR, GULNORA)}
    both = "table:mentoring, table:mentoring:coach:pupil"
    assert links(lessons_url, both) == {(MARY, JANE), (MARY, RAVI), (OMAR, GULNORA)}


@pytest.mark.parametrize("table", ["mentors_of", "mentoring:tutor:pupil", "prefix", "_tables"])
def test_a_table_of_links_that_is_not_there_is_no_answer(lessons_url: str, table: str) -> None:
    with read_with(lessons_url, f"table:{table}") as lms:
        with pytest.raises(LmsUnavailable, match=table.split(":")[0 if ":" not in table else 1]):
            lms.read_people(NOW)
        with pytest.raises(LmsUnavailable):
            lms.read_links(NOW)


@on_sqlite
def test_an_id_that_is_no_number_links_nobody(lessons_url: str) -> None:
    rows = LmsRows(lessons_url)
    rows.run("DROP TABLE mentoring")
    rows.run("CREATE TABLE mentoring (mentor_id, student_id)")
    rows.run(f"INSERT INTO mentoring VALUES ('Mary', {JANE}), ({MARY}, NULL), ({MARY}, {RAVI})")
    assert links(lessons_url, "table:mentoring") == {(MARY, RAVI)}


@pytest.mark.parametrize(
    "words", ["all", "role", "table:", "table:a b", "table:a:b", "table:a:b:c:d", "table:a:b:b", "csv:", "file:x"]
)
def test_links_from_nowhere_are_refused(lessons_url: str, words: str) -> None:
    with pytest.raises(ConfigError, match="lms_mentors"), read_with(lessons_url, words):
        pass


LINES = f"""mentor,student
mary,jane_smith
{OMAR},{RAVI}
 MARY@Example.com , "Gulnora@example.com"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_links_stand_in_a_file_by_id_username_or_address(
    lessons_url: str, tmp_path: Path, encoding: str, newline: str
) -> None:
    path = tmp_path / "links.csv"
    path.write_bytes(LINES.replace("\n", newline).encode(encoding))
    assert links(lessons_url, f"csv:{path}") == {(MARY, JANE), (OMAR, RAVI), (MARY, GULNORA)}
    with read_with(lessons_url, f"csv:{path}") as lms:
        assert [mentor.mentor_id for mentor in lms.read_people(NOW).mentors] == [MARY, OMAR]


def test_other_columns_and_empty_lines_do_not_matter(lessons_url: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("since, student, mentor\n\n2026, jane_smith, mary\n", "utf-8")
    assert links(lessons_url, f"csv:{path}") == {(MARY, JANE)}


def test_a_name_of_nobody_or_of_several_links_nobody(
    lessons_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    LmsRows(lessons_url).run(
        f"UPDATE auth_user SET email = 'office@example.com' WHERE id IN ({JANE}, {RAVI}, {MARY}, {OMAR})"
    )
    path = tmp_path / "links.csv"
    path.write_text("mentor,student\nmary,office@example.com\nmary,nobody\nmary\nmary,jane_smith\n,\n", "utf-8")
    with caplog.at_level(logging.WARNING):
        assert links(lessons_url, f"csv:{path}") == {(MARY, JANE)}
    assert f"4 lines of {path} name nobody whom the LMS has, or several" in caplog.text
    assert "office@example.com" not in caplog.text


def test_an_id_wins_over_a_username_that_looks_like_one(lessons_url: str, tmp_path: Path) -> None:
    LmsRows(lessons_url).run(f"UPDATE auth_user SET username = '{JANE}' WHERE id = {RAVI}")
    path = tmp_path / "links.csv"
    path.write_text(f"mentor,student\nmary,{JANE}\n", "utf-8")
    assert links(lessons_url, f"csv:{path}") == {(MARY, JANE)}


UNREADABLE = {
    b"mentor;student\nmary;jane_smith\n": "has no column mentor",
    b"mentor,pupil\nmary,jane_smith\n": "has no column student",
    b"": "has no column mentor",
    b"mentor,student\n\xff\xfe,x\n": "it is no table in UTF-8",
    b'mentor,student\n"' + b"x" * 200_000: "it is no table in UTF-8",
}


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.items(), ids=UNREADABLE.values())
def test_a_file_that_cannot_be_read_is_no_answer(lessons_url: str, tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "links.csv"
    path.write_bytes(content)
    with read_with(lessons_url, f"csv:{path}") as lms, pytest.raises(LmsUnavailable, match=reason):
        lms.read_people(NOW)


def test_nobody_loses_links_while_the_file_is_away(lessons_url: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("mentor,student\nmary,jane_smith\n", "utf-8")
    lessons = Lessons(lessons_url, store_in_file(tmp_path / "store.db"), LMS_MENTORS=f"csv:{path}")
    lessons.poll()
    path.rename(tmp_path / "away.csv")
    lessons.insert(EXAMS, 1)
    with pytest.raises(LmsUnavailable, match=r"links\.csv cannot be read: No such file"):
        lessons.poll()
    assert lessons.events() == []
    (tmp_path / "away.csv").rename(path)
    lessons.poll()
    assert lessons.owed_for(1, EXAMS) == [("exam_started", MARY)]
    lessons.close()


def test_a_file_is_followed_between_two_readings_of_people(lessons_url: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("mentor,student\nmary,jane_smith\nomar,ravi_patel\n", "utf-8")
    lessons = Lessons(lessons_url, store_in_file(tmp_path / "store.db"), LMS_MENTORS=f"csv:{path}")
    lessons.poll()
    path.write_text("mentor,student\nomar,jane_smith\nmary,ravi_patel\n", "utf-8")
    assert lessons.lms.read_links(lessons.now) == {(OMAR, JANE), (MARY, RAVI)}
    lessons.insert(EXAMS, 1)
    lessons.poll()
    assert lessons.owed_for(1, EXAMS) == [("exam_started", OMAR)]
    lessons.close()


def test_a_process_that_has_just_begun_knows_the_people_in_the_file(lessons_url: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("mentor,student\nmary,jane_smith\n", "utf-8")
    with read_with(lessons_url, f"csv:{path}") as lms:
        assert lms.read_links(NOW) == {(MARY, JANE)}


# Other installations


@on_postgresql
def test_names_with_capitals_are_found_as_they_are(lessons: Lessons) -> None:
    names = [watch.table.name for watch in lessons.lms.watched(lessons.now)]
    assert names == list(TABLES.values())
    assert set(TABLES.values()) <= set(lessons.lms.tables())


@pytest.mark.parametrize(("setting", "prefix"), [("School_", "School_"), ("none", "")])
def test_an_application_of_another_name_is_read(lessons_url: str, tmp_path: Path, setting: str, prefix: str) -> None:
    rows = LmsRows(lessons_url)
    names = sa.inspect(rows.engine).get_table_names()
    for name in (name for name in names if name.startswith("myApp_")):
        rows.run(f'ALTER TABLE "{name}" RENAME TO "{prefix}{name.removeprefix("myApp_")}"')
    store = store_in_file(tmp_path / "store.db")
    lessons = Lessons(lessons_url, store, LMS_TABLE_PREFIX=setting)
    lessons.poll()
    rows.run(
        f"INSERT INTO \"{prefix}certification\" (id, user_id, course_id, issued_at) VALUES (1, {JANE}, 1, '{NOW}')"
    )
    lessons.poll()
    assert lessons.event(1, CERTIFICATES).activity_title == "Programming 101"
    lessons.close()


def test_a_table_that_is_not_there_is_named(lessons_url: str, tmp_path: Path) -> None:
    lessons = Lessons(lessons_url, store_in_file(tmp_path / "store.db"), LMS_TABLE_PREFIX="other_")
    with pytest.raises(LmsUnavailable, match="other_userprogress"):
        lessons.poll()
    lessons.close()


def test_an_administrator_with_students_is_a_mentor(lessons: Lessons) -> None:
    lessons.rows.run(f"INSERT INTO mentoring (id, mentor_id, student_id) VALUES (9, {ADA}, {OBRIEN})")
    assert [mentor.mentor_id for mentor in lessons.lms.read_people(lessons.now).mentors] == [ADA, MARY]
