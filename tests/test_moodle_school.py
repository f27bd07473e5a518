"""The demo's Moodle is a plausible one: what its students do is told plainly, and what a Moodle does besides is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.core.events import EventType
from lms_bot.fixtures.school import School, build
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import events, logs
from tests import NOW
from tests.databases import store_in_file

OMAR, SOFIA, LENA, GULNORA = 12, 1007, 1009, 1003
RESTORED = "Python Foundations, restored"
AT = NOW + timedelta(minutes=1)
AFTER = AT + School.STEPS * timedelta(minutes=1)


@dataclass(frozen=True)
class Lived:
    """The LMS after its story, and what was recorded of it."""

    path: Path
    lms: Lms
    store: Store

    def events(self, where: sa.ColumnElement[bool]) -> list[Any]:
        with self.store.reading() as transaction:
            return list(transaction.execute(sa.select(events).where(where).order_by(events.c.event_id)))

    @property
    def of_story(self) -> list[Any]:
        return self.events(~events.c.is_history)

    def owed(self, condition: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(logs.join(events, events.c.event_id == logs.c.event_id))
        with self.store.reading() as transaction:
            return transaction.scalar(query.where(condition)) or 0

    def value(self, sql: str) -> Any:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql).fetchone()[0]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("moodle")
    path = folder / "lms.db"
    build(path, NOW, lms="moodle")
    urls = {"LMS_DATABASE_URL": f"sqlite:///{path}", "LMS_STORE_DATABASE_URL": store_in_file(folder / "store.db")}
    settings = load(None, {**urls, "LMS_SCHEMA": "moodle"})
    store, lms = open_store(settings.store_database_url), Lms.of(settings)
    poller = Poller(store, lms, settings)
    poller.poll(NOW)
    school = School(path, lms="moodle")
    for step in range(School.STEPS):
        now = AT + step * timedelta(minutes=1)
        school.step(now)
        poller.poll(now)
    yield Lived(path, lms, store)
    lms.close()
    store.close()


def test_the_history_is_told_to_nobody(lived: Lived) -> None:
    assert len(lived.events(events.c.is_history)) > 100
    assert lived.owed(events.c.is_history) == 0


def test_the_story_shows_every_kind_of_event_that_moodle_states(lived: Lived) -> None:
    cannot = {EventType.CONTENT_WATCHED, EventType.CONTENT_PROGRESS}
    of_lms = {kind for kind in EventType if not kind.is_by_clock}
    assert {event.event_type for event in lived.of_story} == of_lms - cannot


def test_titles_are_plain(lived: Lived) -> None:
    courses = {event.activity_metadata.get("course_title") for event in lived.of_story} - {None}
    assert courses == {"Python Foundations", "Databases with SQL"}
    titles = {event.activity_title for event in lived.events(sa.true())}
    expected = {"Python Basics Quiz", "SQL SELECT Drill", "Warm-up: Lists & Loops", "Your First SELECT"}
    assert expected <= titles
    assert not [title for title in titles if title is None or set("<>{}") & set(title) or "&amp;" in title]


def test_students_belong_to_mentors_by_role_and_by_group(lived: Lived) -> None:
    people = lived.lms.read_people(AFTER)
    names = {mentor.mentor_id: mentor.username for mentor in people.mentors}
    students: dict[str, set[int]] = {}
    for mentor_id, student_id in people.links:
        students.setdefault(names[mentor_id], set()).add(student_id)
    assert students == {
        "mary": {1001, 1002, GULNORA, 1005},
        "omar": {GULNORA, 1004, 1006},
        "lucy": {1008, LENA},
    }
    assert [student.username for student in people.students if not student.is_active] == ["lena_vogel"]


def test_a_teachers_preview_is_no_event(lived: Lived) -> None:
    assert lived.value("SELECT count(*) FROM mdl_quiz_attempts WHERE preview = 1 AND userid = 12") == 1
    assert lived.events(events.c.student_id == OMAR) == []


def test_what_was_made_ahead_and_what_is_empty_is_no_event(lived: Lived) -> None:
    assert lived.value("SELECT count(*) FROM mdl_quiz_attempts WHERE state = 'notstarted'") == 1
    assert lived.value("SELECT count(*) FROM mdl_assign_submission WHERE status = 'new'") == 1
    ahead = lived.value("SELECT id FROM mdl_quiz_attempts WHERE state = 'notstarted'")
    assert lived.events((events.c.source_table == "quiz_attempts") & (events.c.source_id == ahead)) == []


def test_a_restored_course_is_told_to_nobody(lived: Lived) -> None:
    restored = events.c.activity_metadata["course_title"].as_string() == RESTORED
    copies = lived.events(restored)
    attempts = lived.value("SELECT count(*) FROM mdl_quiz_attempts WHERE quiz = 591")
    assert len({event.source_id for event in copies if event.source_table == "quiz_attempts"}) == attempts > 3
    assert all(event.is_history for event in copies)
    assert lived.owed(restored) == 0


def test_an_attempt_that_is_reopened_is_passed_once(lived: Lived) -> None:
    (passed,) = (
        event
        for event in lived.of_story
        if event.student_id == GULNORA and event.activity_title == "Functions and Modules Test"
        if event.event_type == EventType.EXAM_PASSED
    )
    of_row = lived.events((events.c.source_table == "quiz_attempts") & (events.c.source_id == passed.source_id))
    assert [event.event_type for event in of_row] == [EventType.EXAM_STARTED, EventType.EXAM_PASSED]


def test_a_quiz_without_a_pass_grade_is_only_completed(lived: Lived) -> None:
    ends = {
        event.event_type
        for event in lived.events(events.c.activity_title == "Warm-up: Lists & Loops")
        if event.event_type != EventType.EXAM_STARTED
    }
    assert ends == {EventType.EXAM_COMPLETED}


def test_an_assignment_is_handed_in_and_graded_later(lived: Lived) -> None:
    kinds = [event.event_type for event in lived.of_story if event.source_table == "assign_submission"]
    assert kinds == [EventType.EXAM_COMPLETED, EventType.EXAM_PASSED]


def test_a_course_and_a_badge_are_certificates(lived: Lived) -> None:
    earned = {e.activity_title for e in lived.of_story if e.event_type == EventType.CERTIFICATION_ISSUED}
    assert earned == {"Python Foundations", "First Query & First Answer"}


def test_one_step_is_enough_for_a_summary(lived: Lived) -> None:
    most = AT + 7 * timedelta(minutes=1)
    assert lived.owed((events.c.created_at == most) & (logs.c.mentor_id == 11)) > 3


def test_an_attempt_takes_as_long_as_one_really_does(lived: Lived) -> None:
    shortest = "SELECT min(timefinish - timestart) FROM mdl_quiz_attempts WHERE timefinish > 0"
    assert lived.value(shortest) >= 3 * 60


def test_life_goes_on_after_the_story(tmp_path: Path) -> None:
    path = tmp_path / "lms.db"
    build(path, NOW, lms="moodle")
    school = School(path, lms="moodle")
    for step in range(School.STEPS):
        school.step(AT + step * timedelta(minutes=1))
    with closing(sqlite3.connect(path)) as db:
        before = db.execute("SELECT count(*) FROM mdl_quiz_attempts").fetchone()[0]
        for step in range(100):
            assert school.step(AFTER + step * timedelta(minutes=1))
        assert db.execute("SELECT count(*) FROM mdl_quiz_attempts").fetchone()[0] > before
