"""A lesson that both the LMS and its pages tell of is told and counted once, whoever tells it first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.events import PAGE_REPORTS
from lms_bot.core.people import Student
from lms_bot.core.streaks import Day
from lms_bot.core.web.watching import Report
from lms_bot.errors import NotFound
from lms_bot.pipeline.actions.lessons import Progress, QuizRequired, Reporting
from lms_bot.pipeline.sync import academics
from lms_bot.store import tables
from lms_bot.store.retention import forget_student, prune
from lms_bot.store.retention.names import Names
from lms_bot.store.session import Store
from lms_bot.store.streaks import days
from tests.databases import on_server, store_in_file
from tests.lessons_lms import JANE as LESSONS_JANE
from tests.lessons_lms import MARY as LESSONS_MARY
from tests.lessons_lms import PROGRESS, QUIZZES, Lessons, fill_lessons
from tests.lms_rows import CONTENT_ATTEMPTS, DAY, GULNORA, JANE, MARY, QUIZ, QUIZ_CONTENT, VIDEO, PollingWatch, metadata

VIDEOS = "user_videos"
LENGTH = 100.0  # seconds, so that each is a percent
PROGRESSED, WATCHED, COMPLETED = "content_progress", "content_watched", "content_completed"
LESSON, OTHER_LESSON = 21, 22  # the first has a quiz that must be passed


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[PollingWatch]:
    """A classic LMS in which nothing happened yet, and a store that has seen it."""
    watch = PollingWatch(lms_url, store_beside)
    watch.poll()
    academics.read_studies(watch.store, watch.lms, watch.now)
    yield watch
    watch.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def lessons(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lessons]:
    """The same of an LMS of lessons."""
    if request.param == "sqlite":
        fill_lessons(url := f"sqlite:///{tmp_path}/lessons.db")
        yield from _lessons(url, store_in_file(tmp_path / "store.db"))
    else:
        with on_server(request.getfixturevalue("postgresql_server"), fill_lessons) as url:
            yield from _lessons(url, request.getfixturevalue("postgresql_store"))


def _lessons(url: str, store_url: str) -> Iterator[Lessons]:
    lessons = Lessons(url, store_url)
    lessons.poll()
    academics.read_studies(lessons.store, lessons.lms, lessons.now)
    yield lessons
    lessons.close()


@pytest.fixture
def postgresql_store(postgresql_server: str) -> Iterator[str]:
    with on_server(postgresql_server) as url:
        yield url


def play(watch: Any, lesson: int, begin: float, end: float, student: int = JANE) -> Progress:
    """Play a part of a lesson's video, a report for each minute of it."""
    found = Progress(0, is_complete=False)
    while begin < end:
        to = min(end, begin + 60)
        with watch.store.writing() as transaction:
            reporting = Reporting(transaction, student, watch.settings, watch.now)
            found = reporting.watch(lesson, Report(100 * to / LENGTH, to, begin, LENGTH))
        begin = to
    return found


def complete(watch: Any, lesson: int, student: int = JANE) -> None:
    with watch.store.writing() as transaction:
        Reporting(transaction, student, watch.settings, watch.now).complete(lesson)


def told(watch: Any) -> list[tuple[str, str, int | None]]:
    """(source, type, step) of each event that anybody is told or that counts, in the order of recording."""
    mirrored = {row.event_id for row in _columns(watch.store) if row.mirrors is not None}
    return [_fact(event) for event in watch.events() if event.event_id not in mirrored]


def mirroring(watch: Any) -> list[tuple[str, str, int | None]]:
    mirrored = {row.event_id for row in _columns(watch.store) if row.mirrors is not None}
    return [_fact(event) for event in watch.events() if event.event_id in mirrored]


def _fact(event: Any) -> tuple[str, str, int | None]:
    return event.source_table, event.event_type, metadata(event).get("progress")


def _columns(store: Store) -> list[Any]:
    with store.reading() as transaction:
        return list(transaction.execute(sa.select(tables.events.c.event_id, tables.events.c.mirrors)))


def in_lms(watch: PollingWatch, percent: int, row_id: int = 1) -> None:
    """The LMS's own row of the video moves on, and is polled."""
    row = {"id": row_id, "user_id": JANE, "video_id": 701, "created": watch.now, "watched_percentage": percent}
    with watch.rows.transaction() as transaction:
        if watch.rows.value(f"SELECT count(*) FROM user_videos WHERE id = {row_id}"):
            transaction.update(VIDEOS, row_id, {"watched_percentage": percent})
        else:
            transaction.insert(VIDEOS, {**row, "state": "watching", "is_live_class_recording": False})
        transaction.commit()
    watch.poll()


# What is recorded


def test_half_and_nine_tenths_and_the_threshold_are_events_once_each(watch: PollingWatch) -> None:
    assert play(watch, VIDEO, 0, 49) == Progress(49, is_complete=False)
    assert watch.events() == []
    play(watch, VIDEO, 49, 51)
    assert told(watch) == [(PAGE_REPORTS, PROGRESSED, 50)]
    for _ in range(2):
        assert play(watch, VIDEO, 40, 95) == Progress(95, is_complete=True)
    assert told(watch)[1:] == [(PAGE_REPORTS, PROGRESSED, 90), (PAGE_REPORTS, WATCHED, None)]
    half, most, watched = watch.events()
    assert (half.source_id, half.episode, most.episode) == (most.source_id, 0, 1)
    assert (watched.student_id, watched.activity_id, watched.mentor_id) == (JANE, VIDEO, MARY)
    assert watched.activity_title == "Variables and Types"
    assert metadata(watched) == {"course_title": "Python Foundations", "content_type": "video", "basis": "watched"}
    assert [event.is_current for event in watch.events()] == [False, False, True]


def test_a_student_first_seen_above_nine_tenths_came_to_that_step_alone(watch: PollingWatch) -> None:
    with watch.store.writing() as transaction:
        Reporting(transaction, JANE, watch.settings, watch.now).watch(VIDEO, Report(93))
    assert told(watch) == [(PAGE_REPORTS, PROGRESSED, 90), (PAGE_REPORTS, WATCHED, None)]
    assert {metadata(event)["basis"] for event in watch.events()} == {"reported"}
    play(watch, VIDEO, 0, 60)  # of which positions are known now
    assert len(watch.events()) == 2


def test_mentors_are_owed_what_pages_tell_as_all_else(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95)
    (event,) = [event for event in watch.events() if event.event_type == WATCHED]
    assert watch.owed_for(event.source_id, PAGE_REPORTS) == [(WATCHED, MARY)]


def test_a_watched_video_makes_a_day_of_learning(watch: PollingWatch) -> None:
    with watch.store.writing() as transaction:
        days.recount(transaction, watch.settings.timezone, watch.now)
        days.note_counting(transaction, {"zone": watch.settings.timezone.key, "turned": {}}, watch.now)
    play(watch, VIDEO, 0, 60)
    assert kept_days(watch) == [Day(watch.now.date(), 1, 0)]
    play(watch, VIDEO, 60, 90)
    assert kept_days(watch) == [Day(watch.now.date(), 3, 1)]
    with watch.store.writing() as transaction:
        days.recount(transaction, watch.settings.timezone, watch.now)
    assert kept_days(watch) == [Day(watch.now.date(), 3, 1)]


def kept_days(watch: PollingWatch) -> list[Day]:
    today = watch.now.date()
    with watch.store.reading() as transaction:
        return days.between(transaction, [JANE], today, today, watch.settings.timezone).get(JANE, [])


def test_a_lesson_that_the_lms_does_not_have_is_not_there(watch: PollingWatch) -> None:
    for act in (lambda: play(watch, 999_999, 0, 10), lambda: complete(watch, 999_999)):
        with pytest.raises(NotFound):
            act()
    assert rows_of(watch.store, tables.page_reports) == []


@pytest.mark.parametrize("values", [{"is_active": False}, None], ids=["inactive", "gone"])
def test_a_student_who_has_left_reports_nothing(watch: PollingWatch, values: dict[str, Any] | None) -> None:
    of_jane = tables.students.c.student_id == JANE
    with watch.store.writing() as transaction:
        change = sa.delete(tables.students) if values is None else sa.update(tables.students).values(values)
        transaction.execute(change.where(of_jane))
    for act in (lambda: play(watch, VIDEO, 0, 95), lambda: complete(watch, VIDEO)):
        with pytest.raises(NotFound):
            act()


def rows_of(store: Store, table: sa.Table) -> list[Any]:
    with store.reading() as transaction:
        return list(transaction.execute(sa.select(table)))


# Complete


def test_a_lesson_is_complete_once(watch: PollingWatch) -> None:
    for _ in range(2):
        complete(watch, VIDEO)
    assert told(watch) == [(PAGE_REPORTS, COMPLETED, None)]


def test_a_lesson_that_was_watched_and_completed_is_told_once(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95)
    complete(watch, VIDEO)
    assert told(watch)[-1] == (PAGE_REPORTS, WATCHED, None)
    assert mirroring(watch) == [(PAGE_REPORTS, COMPLETED, None)]


def test_a_lesson_completed_by_hand_and_watched_later_is_told_once(watch: PollingWatch) -> None:
    complete(watch, VIDEO)
    assert play(watch, VIDEO, 0, 10).is_complete
    play(watch, VIDEO, 10, 95)
    assert told(watch) == [(PAGE_REPORTS, COMPLETED, None)]


def test_content_that_is_an_exam_is_not_complete_before_that_is_passed(watch: PollingWatch) -> None:
    with pytest.raises(QuizRequired):
        complete(watch, QUIZ_CONTENT)
    assert watch.events() == []
    done = {"state": "completed", "last_answer_updated_time": watch.now}
    watch.rows.insert_attempt(1, exam_id=QUIZ, result="fail", **done)
    watch.poll()
    with pytest.raises(QuizRequired):
        complete(watch, QUIZ_CONTENT)
    watch.rows.insert_attempt(2, exam_id=QUIZ, result="pass", **done)
    watch.poll()
    complete(watch, QUIZ_CONTENT)
    assert mirroring(watch) == [(PAGE_REPORTS, COMPLETED, None)]  # the exam was told


def test_a_quiz_of_a_lesson_is_asked_of_its_own_student(lessons: Lessons) -> None:
    for student in (LESSONS_JANE, 12):
        with pytest.raises(QuizRequired):
            complete(lessons, LESSON, student)
    done = {"completed_at": lessons.now, "score": 90.0, "passed": True}
    lessons.insert(QUIZZES, 1, user_id=LESSONS_JANE, quiz_id=41, **done)
    lessons.poll()
    complete(lessons, LESSON, LESSONS_JANE)
    with pytest.raises(QuizRequired):
        complete(lessons, LESSON, 12)
    complete(lessons, OTHER_LESSON, 12)


def test_a_lesson_watched_without_its_quiz_is_watched_and_not_complete(lessons: Lessons) -> None:
    assert play(lessons, LESSON, 0, 100, LESSONS_JANE) == Progress(100, is_complete=False)
    assert play(lessons, OTHER_LESSON, 0, 100, LESSONS_JANE) == Progress(100, is_complete=True)


# The LMS's own rows


@pytest.mark.parametrize("first", ["page", "lms"])
def test_a_video_is_told_once_whoever_tells_first(watch: PollingWatch, first: str) -> None:
    begin = 0.0
    for percent, step in ((55, 50), (95, 90)):
        if first == "page":
            play(watch, VIDEO, begin, percent)
            in_lms(watch, percent)
        else:
            in_lms(watch, percent)
            play(watch, VIDEO, begin, percent)
        begin = percent
        facts = [fact for fact in told(watch) if fact[1:] == (PROGRESSED, step)]
        assert facts == [(PAGE_REPORTS if first == "page" else VIDEOS, PROGRESSED, step)]
    assert [fact for fact in told(watch) if fact[1] == WATCHED] == [(PAGE_REPORTS, WATCHED, None)]
    assert len(watch.owed()) == 1


def test_what_the_lms_knows_further_is_news_and_the_page_follows_it(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 55)
    in_lms(watch, 95)
    assert told(watch) == [(PAGE_REPORTS, PROGRESSED, 50), (VIDEOS, PROGRESSED, 90)]
    play(watch, VIDEO, 55, 89)
    assert len(watch.events()) == 2


def test_another_students_row_and_another_video_mirror_nothing(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95, GULNORA)
    in_lms(watch, 95)
    assert (VIDEOS, PROGRESSED, 90) in told(watch)
    watch.rows.insert_content_attempt(7, chapter_content_id=1102, state="watched", completed_on=watch.now)
    watch.poll()
    assert (CONTENT_ATTEMPTS, WATCHED, None) in told(watch)


@pytest.mark.parametrize("state", ["watched", "completed"])
def test_content_is_finished_once(watch: PollingWatch, state: str) -> None:
    watch.rows.insert_content_attempt(7, created=watch.now)
    watch.poll()
    play(watch, VIDEO, 0, 95)
    watch.rows.update_content_attempt(7, state=state, completed_on=watch.now)
    watch.poll()
    finished = [fact for fact in told(watch) if fact[1] in (WATCHED, COMPLETED)]
    assert finished == [(PAGE_REPORTS, WATCHED, None)]
    watch.poll()
    assert len(mirroring(watch)) == 1


def test_a_row_of_progress_is_told_once_in_the_lessons_lms(lessons: Lessons) -> None:
    lessons.insert(PROGRESS, 1)
    play(lessons, LESSON, 0, 55, LESSONS_JANE)
    lessons.watch_video(1, 57.5)
    lessons.poll()
    play(lessons, LESSON, 55, 95, LESSONS_JANE)
    lessons.update(PROGRESS, 1, status="completed", completed=True, completed_at=lessons.now)
    lessons.poll()
    assert {fact[0] for fact in told(lessons)} == {PAGE_REPORTS}
    assert mirroring(lessons) == [(PROGRESS, PROGRESSED, 50), (PROGRESS, COMPLETED, None)]
    assert {(kind, mentor) for _, _, kind, mentor in lessons.owed()} == {(WATCHED, LESSONS_MARY)}


def test_history_that_a_page_tells_again_is_not_told(lms_url: str, store_beside: str) -> None:
    watch = PollingWatch(lms_url, store_beside)
    watch.rows.insert_content_attempt(7, state="watched", completed_on=watch.now - 30 * DAY)
    watch.poll()
    academics.read_studies(watch.store, watch.lms, watch.now)
    play(watch, VIDEO, 0, 95)
    assert [fact[0] for fact in told(watch)] == [CONTENT_ATTEMPTS]
    assert watch.owed() == []
    watch.close()


# What becomes of it


def test_reports_are_removed_for_their_age_and_not_told_again_before(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95)
    prune.prune_slice(watch.store, 10, watch.now + 9 * DAY)
    assert len(rows_of(watch.store, tables.page_reports)) == 1
    prune.prune_slice(watch.store, 10, watch.now + timedelta(days=11))
    assert (rows_of(watch.store, tables.page_reports), watch.events()) == ([], [])


def test_what_was_pruned_is_not_told_again_while_the_lesson_is_watched(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95)
    watch.now += timedelta(days=11)
    play(watch, VIDEO, 95, 96)
    prune.prune_slice(watch.store, 10, watch.now)
    assert watch.events() == []
    play(watch, VIDEO, 0, 100)
    complete(watch, VIDEO)
    assert told(watch) == []


def test_a_forgotten_student_is_in_no_report(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 95)
    play(watch, VIDEO, 0, 95, GULNORA)
    jane = Student(JANE, "jane_smith")
    with watch.store.writing() as transaction:
        forget_student.stop_recording(transaction, jane, watch.now)
        forget_student.remove(transaction, jane, Names(["jane_smith"]))
    assert [row.student_id for row in rows_of(watch.store, tables.page_reports)] == [GULNORA]
    with pytest.raises(NotFound):
        play(watch, VIDEO, 0, 95)


def test_a_transaction_that_breaks_leaves_nothing_and_the_next_report_says_it(watch: PollingWatch) -> None:
    play(watch, VIDEO, 0, 85)

    class Broken(Exception):
        """The process ends here."""

    def report_and_break() -> None:
        with watch.store.writing() as transaction:
            Reporting(transaction, JANE, watch.settings, watch.now).watch(VIDEO, Report(95, 95, 85, LENGTH))
            raise Broken

    with pytest.raises(Broken):
        report_and_break()
    assert told(watch) == [(PAGE_REPORTS, PROGRESSED, 50)]
    play(watch, VIDEO, 86, 96)
    assert told(watch)[1:] == [(PAGE_REPORTS, PROGRESSED, 90), (PAGE_REPORTS, WATCHED, None)]
    assert len(watch.owed()) == 1
