"""What a living Moodle does in any order of its transactions is told as it happened, with a poll after each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.session import open_store
from lms_bot.store.tables import events
from tests.databases import on_server, store_in_file
from tests.mariadb import MariaDb
from tests.moodle_site import Site, Step, play, tables_of

OWN = Path(__file__).parent / "moodle"
BEGIN = 1_790_000_000
MINUTE, DAY = 60, 86_400
TESS, MARA, ANN, BO = 50, 60, 101, 102
GRADED_QUIZ, QUIZ_WITHOUT_PASS, WORK, OF_QUIZ, OF_WORK, PAGE = 1, 2, 1, 1, 3, 4
ALGEBRA = 2


class Living:
    """Our own site, in which things happen one transaction after the other, each followed by a poll."""

    def __init__(self, lms_url: str, store_url: str, prefix: str = "mdl_") -> None:
        self.engine, self._prefix = sa.create_engine(lms_url), prefix
        Site(OWN).build(self.engine)
        if prefix != "mdl_":
            self._rename()
        self._tables = tables_of(self.engine)
        urls = {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url}
        of_moodle = {"LMS_SCHEMA": "moodle", "LMS_QUIET_MINUTES": "0", "LMS_TABLE_PREFIX": prefix or "none"}
        settings = load(None, {**urls, **of_moodle})
        self.store, self.lms = open_store(store_url), Lms.of(settings)
        self._poller = Poller(self.store, self.lms, settings)
        self.now, self._number = BEGIN, 0
        self.poll()

    def _rename(self) -> None:
        quote = self.engine.dialect.identifier_preparer.quote
        with self.engine.begin() as connection:
            for name in tables_of(self.engine):
                new = quote(self._prefix + name.removeprefix("mdl_"))
                connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {new}")

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def poll(self) -> None:
        self._poller.poll(self.at)

    def wait(self, seconds: int) -> None:
        self.now += seconds

    def insert(self, table: str, **row: Any) -> None:
        self._do({"table": self._prefix + table, "op": "insert", "row": row})

    def update(self, table: str, row_id: int, **values: Any) -> None:
        self._do({"table": self._prefix + table, "op": "update", "id": row_id, "set": values})

    def delete(self, table: str, row_id: int) -> None:
        self._do({"table": self._prefix + table, "op": "delete", "id": row_id})

    def _do(self, change: dict[str, Any]) -> None:
        self._number += 1
        play(self.engine, Step(self._number, self.at, [change]), self._tables)
        self.poll()
        self.wait(MINUTE)

    def rows(self, source_table: str | None = None) -> list[Any]:
        """What was recorded and is no history, in order."""
        query = sa.select(events).where(~events.c.is_history).order_by(events.c.event_id)
        if source_table is not None:
            query = query.where(events.c.source_table == source_table)
        with self.store.engine.connect() as connection:
            return list(connection.execute(query))

    def told(self, source_table: str | None = None) -> list[str]:
        return [row.event_type for row in self.rows(source_table)]

    def close(self) -> None:
        self.lms.close()
        self.store.close()
        self.engine.dispose()

    # What people do.

    def start(self, row_id: int, quiz: int = GRADED_QUIZ, **other: Any) -> None:
        row = {"id": row_id, "quiz": quiz, "userid": ANN, "attempt": row_id, "preview": 0, "state": "inprogress"}
        times = {"timestart": self.now, "timefinish": 0, "timemodified": self.now, "sumgrades": None}
        self.insert("quiz_attempts", **(row | times | other))

    def finish(self, row_id: int, marks: float | None) -> None:
        ended = {"state": "finished", "timefinish": self.now, "timemodified": self.now}
        self.update("quiz_attempts", row_id, **ended, sumgrades=marks)

    def enrol(self, user: int, way: int) -> None:
        times = {"timestart": 0, "timeend": 0, "timecreated": self.now}
        self.insert("user_enrolments", id=9, enrolid=way, userid=user, status=0, **times)

    def complete(self, row_id: int, module: int, state: int, *, is_new: bool = False) -> None:
        values = {"completionstate": state, "timemodified": self.now}
        if is_new:
            row = {"id": row_id, "coursemoduleid": module, "userid": ANN}
            self.insert("course_modules_completion", **row, **values)
        else:
            self.update("course_modules_completion", row_id, **values)

    def hand_in(self, row_id: int, status: str = "submitted", **other: Any) -> None:
        row = {"id": row_id, "assignment": WORK, "userid": ANN, "attemptnumber": 0, "status": "new"}
        self.insert("assign_submission", **(row | {"timemodified": self.now} | other))
        if status != "new":
            self.update("assign_submission", row_id, status=status)

    def grade(self, row_id: int, grade: float, **other: Any) -> None:
        """As Moodle does: first a row that is not graded yet, with the time of the work."""
        row = {"id": row_id, "assignment": WORK, "userid": ANN, "attemptnumber": 0}
        self.insert("assign_grades", **(row | {"grade": -1, "timemodified": self.now - MINUTE} | other))
        self.update("assign_grades", row_id, grade=grade, timemodified=self.now)


SERVERS = [pytest.param(name, marks=pytest.mark.services) for name in ("postgresql", "mariadb")]


@pytest.fixture(params=["sqlite", *SERVERS])
def lms_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql":
        with on_server(request.getfixturevalue("postgresql_server")) as url:
            yield url
    elif request.param == "mariadb":
        mariadb: MariaDb = request.getfixturevalue("mariadb")
        mariadb.execute("CREATE DATABASE moodle CHARACTER SET utf8mb4")
        yield mariadb.owner("moodle")
        mariadb.execute("DROP DATABASE moodle")
    else:
        yield f"sqlite:///{tmp_path / 'lms.db'}"


@pytest.fixture
def living(lms_url: str, tmp_path: Path) -> Iterator[Living]:
    one = Living(lms_url, store_in_file(tmp_path / "store.db"))
    yield one
    one.close()


# Attempts


def test_an_attempt_made_ahead_is_told_when_it_begins_and_when_it_is_graded(living: Living) -> None:
    living.start(1, state="notstarted", timestart=0)
    living.wait(DAY)
    assert living.told() == []
    living.update("quiz_attempts", 1, state="inprogress", timestart=living.now)
    living.update("quiz_attempts", 1, state="submitted", timefinish=living.now)
    assert living.told() == ["exam_started"]
    living.update("quiz_attempts", 1, state="finished", sumgrades=4)
    assert living.told() == ["exam_started", "exam_passed"]


def test_an_attempt_that_is_overdue_abandoned_and_reopened_is_started_once(living: Living) -> None:
    living.start(1)
    for state in ("overdue", "abandoned", "inprogress", "abandoned"):
        living.update("quiz_attempts", 1, state=state, timemodified=living.now)
    assert living.told() == ["exam_started"]
    living.update("quiz_attempts", 1, state="finished", timefinish=BEGIN + 1800, sumgrades=1)
    assert living.told() == ["exam_started", "exam_failed"]


def test_an_attempt_reopened_after_weeks_still_ends_once(living: Living) -> None:
    living.start(1)
    ended = living.now
    living.update("quiz_attempts", 1, state="abandoned")
    living.wait(20 * DAY)
    living.update("quiz_attempts", 1, state="finished", timefinish=ended, sumgrades=5)
    assert living.told() == ["exam_started", "exam_passed"]


def test_an_essay_is_completed_and_passed_once_it_is_marked(living: Living) -> None:
    living.start(1)
    living.finish(1, None)
    living.wait(30 * DAY)
    living.update("quiz_attempts", 1, sumgrades=4, timemodified=living.now)
    living.update("quiz_attempts", 1, sumgrades=1, timemodified=living.now)
    living.update("quiz_attempts", 1, sumgrades=4, timemodified=living.now)
    assert living.told() == ["exam_started", "exam_completed", "exam_passed", "exam_failed", "exam_passed"]


def test_a_pass_grade_that_changes_is_told_of_when_the_attempts_are_regraded(living: Living) -> None:
    living.start(1)
    living.finish(1, 3)
    living.update("grade_items", 1, gradepass=8)
    assert living.told() == ["exam_started", "exam_passed"]
    living.update("quiz_attempts", 1, timemodified=living.now)
    assert living.told() == ["exam_started", "exam_passed", "exam_failed"]
    living.update("grade_items", 1, gradepass=0)
    living.update("quiz_attempts", 1, timemodified=living.now)
    assert living.told()[-1] == "exam_completed"


def test_pages_that_are_saved_are_no_events(living: Living) -> None:
    living.start(1)
    for _ in range(5):
        living.update("quiz_attempts", 1, timemodified=living.now)
    assert living.told() == ["exam_started"]


def test_a_maximum_mark_that_changes_for_all_keeps_what_was_passed(living: Living) -> None:
    living.start(1)
    living.finish(1, 3)
    living.update("quiz", GRADED_QUIZ, sumgrades=7)
    living.update("quiz_attempts", 1, sumgrades=5, timemodified=living.now)
    assert living.told() == ["exam_started", "exam_passed"]
    assert living.rows()[-1].percentage == pytest.approx(71.43)


def test_a_quiz_on_another_scale_passes_by_the_scaled_grade(living: Living) -> None:
    living.update("quiz", GRADED_QUIZ, grade=100)
    living.update("grade_items", 1, gradepass=60)
    living.start(1)
    living.finish(1, 3)
    living.start(2, userid=BO)
    living.finish(2, 2.99999)
    assert living.told() == ["exam_started", "exam_passed", "exam_started", "exam_failed"]


@pytest.mark.parametrize("marks", [0, 0.000001])
def test_a_quiz_without_marks_to_be_had_is_divided_by_nothing(living: Living, marks: float) -> None:
    living.update("quiz", QUIZ_WITHOUT_PASS, sumgrades=marks)
    living.start(1, quiz=QUIZ_WITHOUT_PASS)
    living.finish(1, 0)
    living.start(2, quiz=QUIZ_WITHOUT_PASS)
    living.finish(2, None)
    assert living.told() == ["exam_started", "exam_completed", "exam_started", "exam_completed"]
    assert [row.percentage for row in living.rows()[1::2]] == [None, None]


def test_a_deleted_attempt_is_no_news_and_its_number_may_come_again(living: Living) -> None:
    living.start(1)
    living.finish(1, 3)
    living.start(2)
    for attempt in (1, 2):
        living.delete("quiz_attempts", attempt)
    living.start(3, attempt=1)
    assert living.told() == ["exam_started", "exam_passed", "exam_started", "exam_started"]


def test_a_preview_is_never_an_event_whatever_is_done_with_it(living: Living) -> None:
    living.start(1, userid=TESS, preview=1)
    living.finish(1, 3)
    living.update("quiz_attempts", 1, sumgrades=5, timemodified=living.now)
    living.delete("quiz_attempts", 1)
    assert living.told() == []


def test_attempts_stay_when_a_student_is_suspended_deleted_or_unenrolled(living: Living) -> None:
    living.start(1)
    living.update("user_enrolments", 1, status=1)
    living.update("user", ANN, suspended=1)
    living.delete("user_enrolments", 1)
    living.update("user", ANN, deleted=1, username="ann@school.example.1790000000")
    living.update("user", ANN, deleted=0, suspended=0, username="ann")
    living.enrol(ANN, 1)
    living.finish(1, 4)
    assert living.told() == ["exam_started", "exam_passed"]


# Copies


def restore(living: Living) -> None:
    """Copy a course with its students, as Moodle does: enrolments come first, and all in transactions of their own."""
    living.insert("course", id=9, fullname="Algebra (copy)", visible=1)
    living.insert("context", id=99, contextlevel=50, instanceid=9, path="/5/6/99")
    living.insert("enrol", id=9, courseid=9, status=0)
    living.enrol(ANN, 9)


def test_nothing_of_a_restored_course_is_told_whatever_becomes_of_it(living: Living) -> None:
    old = living.now
    living.wait(3 * DAY)
    restore(living)
    living.insert("quiz", id=9, course=9, name="Copy", sumgrades=5, grade=10, timelimit=0, timeclose=0)
    living.insert("course_modules", id=90, course=9, module=3, instance=9, section=1, visible=1, completionview=0)
    living.insert("course_modules", id=91, course=9, module=2, instance=1, section=1, visible=1, completionview=1)
    living.start(7, quiz=9, timestart=old, timefinish=old + 60, state="finished", sumgrades=5)
    living.start(8, quiz=9, timestart=old)
    living.insert("course_modules_viewed", id=9, coursemoduleid=91, userid=ANN, timecreated=old)
    living.insert("course_modules_completion", id=8, coursemoduleid=91, userid=ANN, completionstate=1, timemodified=old)
    living.insert("course_modules_completion", id=9, coursemoduleid=90, userid=ANN, completionstate=2, timemodified=old)
    living.insert("assign", id=9, course=9, name="Copy", grade=100, duedate=0, teamsubmission=0)
    living.hand_in(9, assignment=9, timemodified=old)
    living.insert("assign_grades", id=9, assignment=9, userid=ANN, attemptnumber=0, grade=70, timemodified=old + 60)
    living.insert("course_completions", id=9, userid=ANN, course=9, timecompleted=old)
    living.update("quiz_attempts", 7, sumgrades=1, timemodified=living.now)
    living.update("quiz_attempts", 8, state="abandoned", timemodified=living.now)
    assert living.told() == []


def test_what_a_student_does_in_a_restored_course_is_told(living: Living) -> None:
    living.wait(3 * DAY)
    restore(living)
    living.insert("quiz", id=9, course=9, name="Copy", sumgrades=5, grade=10, timelimit=0, timeclose=0)
    living.start(9, quiz=9)
    living.finish(9, 5)
    assert living.told() == ["exam_started", "exam_completed"]


def test_who_is_enrolled_in_two_ways_is_enrolled_since_the_first(living: Living) -> None:
    living.insert("enrol", id=9, courseid=ALGEBRA, status=0)
    living.start(1)
    living.enrol(ANN, 9)
    living.finish(1, 5)
    assert living.told() == ["exam_started", "exam_passed"]


# Content


def test_completion_that_comes_and_goes_is_told_each_time_that_it_comes(living: Living) -> None:
    living.complete(1, PAGE, 0, is_new=True)
    assert living.told() == []
    for state in (1, 2, 3, 2):
        living.complete(1, PAGE, state)
    assert living.told() == ["content_completed"]
    living.complete(1, PAGE, 0)
    living.complete(1, PAGE, 3)
    assert living.told() == ["content_completed"] * 2


def test_a_view_and_a_completion_of_one_page_are_told_once_each(living: Living) -> None:
    living.insert("course_modules_viewed", id=1, coursemoduleid=PAGE, userid=ANN, timecreated=living.now)
    living.complete(1, PAGE, 1, is_new=True)
    assert living.told() == ["content_started", "content_completed"]


def test_views_and_completions_of_what_is_an_exam_are_no_content(living: Living) -> None:
    for number, module in enumerate((OF_QUIZ, OF_WORK), 1):
        living.insert("course_modules_viewed", id=number, coursemoduleid=module, userid=ANN, timecreated=living.now)
        living.complete(number, module, 2, is_new=True)
    assert living.told() == []


def test_an_exams_completion_is_no_content_when_its_module_is_gone(living: Living) -> None:
    living.complete(1, OF_QUIZ, 2, is_new=True)
    living.insert("course_modules_viewed", id=1, coursemoduleid=OF_QUIZ, userid=ANN, timecreated=living.now)
    living.delete("course_modules", OF_QUIZ)
    living.complete(1, OF_QUIZ, 3)
    for _ in range(3):
        living.poll()
    assert living.told() == []


def test_what_is_of_a_kind_that_nobody_knows_is_content_without_a_name(living: Living) -> None:
    living.insert("modules", id=77, name="videotime")
    living.insert("course_modules", id=77, course=ALGEBRA, module=77, instance=1, section=1, visible=1)
    living.complete(1, 77, 1, is_new=True)
    (row,) = living.rows()
    assert (row.event_type, row.activity_title) == ("content_completed", None)
    assert row.activity_metadata["content_type"] == "videotime"


def test_completion_that_was_reset_is_told_again_with_a_new_row(living: Living) -> None:
    living.complete(1, PAGE, 1, is_new=True)
    living.delete("course_modules_completion", 1)
    living.complete(2, PAGE, 1, is_new=True)
    assert living.told() == ["content_completed"] * 2


# Assignments


def test_work_that_goes_back_to_a_draft_is_handed_in_again(living: Living) -> None:
    living.hand_in(1, "draft")
    assert living.told() == []
    for status in ("submitted", "draft", "submitted"):
        living.update("assign_submission", 1, status=status, timemodified=living.now)
    assert living.told() == ["exam_completed"] * 2


def test_work_is_graded_once_for_each_outcome(living: Living) -> None:
    living.hand_in(1)
    living.grade(1, 40)
    living.update("assign_grades", 1, grade=45, timemodified=living.now)
    living.update("assign_grades", 1, grade=60, timemodified=living.now)
    assert living.told() == ["exam_completed", "exam_failed", "exam_passed"]


def test_another_try_at_work_has_events_of_its_own(living: Living) -> None:
    living.hand_in(1)
    living.grade(1, 40)
    living.hand_in(2, "reopened", attemptnumber=1)
    living.update("assign_submission", 2, status="draft", timemodified=living.now)
    living.update("assign_submission", 2, status="submitted", timemodified=living.now)
    living.grade(2, 80, attemptnumber=1)
    assert living.told() == ["exam_completed", "exam_failed", "exam_completed", "exam_passed"]


def test_work_that_was_never_handed_in_may_be_graded(living: Living) -> None:
    living.hand_in(1, "new")
    living.grade(1, 60)
    assert living.told() == ["exam_passed"]


def test_a_grade_below_nothing_is_none(living: Living) -> None:
    living.hand_in(1)
    living.grade(1, -1)
    assert living.told() == ["exam_completed"]


def test_of_a_groups_work_each_who_is_graded_is_told_of(living: Living) -> None:
    living.update("assign", WORK, teamsubmission=1)
    living.insert(
        "assign_submission",
        id=1,
        assignment=WORK,
        userid=0,
        attemptnumber=0,
        status="submitted",
        timemodified=living.now,
    )
    living.hand_in(2)
    assert living.told() == ["exam_completed"]
    living.grade(1, 60)
    living.grade(2, 60, userid=BO)
    living.update("assign_grades", 2, grade=40, timemodified=living.now)
    found = [(row.student_id, row.event_type) for row in living.rows()]
    assert found == [(ANN, "exam_completed"), (ANN, "exam_passed"), (BO, "exam_passed"), (BO, "exam_failed")]


def test_a_grade_whose_work_is_gone_is_no_news(living: Living) -> None:
    living.hand_in(1)
    living.grade(1, 60)
    living.delete("assign_submission", 1)
    living.update("assign_grades", 1, grade=10, timemodified=living.now)
    assert living.told() == ["exam_completed", "exam_passed"]


# Courses and badges


def test_a_course_that_is_reset_and_completed_again_is_told_twice(living: Living) -> None:
    living.insert("course_completions", id=1, userid=ANN, course=ALGEBRA, timecompleted=None)
    for completed in (living.now, None, living.now + MINUTE):
        living.update("course_completions", 1, timecompleted=completed)
    assert living.told() == ["certification_issued"] * 2


def test_a_badge_that_is_revoked_and_given_again_is_told_twice(living: Living) -> None:
    living.insert("badge_issued", id=1, badgeid=1, userid=ANN, dateissued=living.now)
    living.delete("badge_issued", 1)
    living.insert("badge_issued", id=2, badgeid=1, userid=ANN, dateissued=living.now)
    assert living.told() == ["certification_issued"] * 2


# Names


def titles(living: Living, attempt: int) -> tuple[str | None, str | None]:
    living.start(attempt)
    row = living.rows()[-1]
    return row.activity_title, row.activity_metadata["course_title"]


def test_what_is_hidden_from_students_has_no_name_for_mentors(living: Living) -> None:
    assert titles(living, 1) == ("Linear equations", "Algebra")
    living.update("course_modules", OF_QUIZ, visible=0)
    living.wait(600)
    assert titles(living, 2) == (None, "Algebra")
    living.update("course", ALGEBRA, visible=0)
    living.update("course_modules", OF_QUIZ, visible=1)
    living.wait(600)
    assert titles(living, 3) == (None, None)
    assert living.rows()[0].activity_title == "Linear equations"


def test_what_was_told_of_a_course_stays_when_it_is_hidden_and_its_attempts_are_regraded(living: Living) -> None:
    living.start(1)
    living.finish(1, 3)
    living.update("course", ALGEBRA, visible=0)
    living.wait(600)
    living.update("quiz_attempts", 1, sumgrades=4, timemodified=living.now)
    (_, passed) = living.rows()
    assert (passed.activity_title, passed.activity_metadata["course_title"]) == ("Linear equations", "Algebra")
    assert (passed.percentage, passed.course_key) == (80, "algebra")


def test_the_front_page_is_no_course(living: Living) -> None:
    living.update("quiz", GRADED_QUIZ, course=1)
    living.update("course_modules", OF_QUIZ, course=1)
    living.wait(600)
    assert titles(living, 1) == ("Linear equations", None)


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        (None, 3, "Topic 3"),
        ("<b></b>", 3, "Topic 3"),
        ("", 3, "Topic 3"),
        (None, 0, "General"),
        ("{mlang en}Forces{mlang}{mlang es}Fuerzas{mlang} &amp; more", 3, "Forces & more"),
    ],
)
def test_a_section_without_a_name_is_called_by_its_number(
    living: Living, name: str | None, number: int, shown: str
) -> None:
    living.update("course_sections", 1, name=name, section=number)
    living.complete(1, PAGE, 1, is_new=True)
    assert living.rows()[0].activity_metadata["chapter_name"] == shown


def test_the_name_of_a_hidden_section_is_not_told(living: Living) -> None:
    living.update("course_sections", 1, name="Secret", section=2, visible=0)
    living.complete(1, PAGE, 1, is_new=True)
    assert living.rows()[0].activity_metadata["chapter_name"] == "Topic 2"


# People


def links(living: Living) -> set[tuple[int, int]]:
    return set(living.lms.read_people(living.at).links)


def active(living: Living) -> dict[int, bool]:
    return {student.student_id: student.is_active for student in living.lms.read_people(living.at).students}


def test_a_mentors_role_is_taken_away_and_given_again(living: Living) -> None:
    assert links(living) == {(MARA, ANN), (TESS, BO)}
    living.delete("role_assignments", 4)
    assert links(living) == {(TESS, BO)}
    living.insert("role_assignments", id=9, roleid=3, contextid=20, userid=MARA)
    assert links(living) == {(MARA, ANN), (TESS, BO)}


def test_a_student_who_changes_groups_changes_teachers(living: Living) -> None:
    living.insert("groups", id=2, courseid=ALGEBRA)
    living.insert("groups_members", id=3, groupid=2, userid=BO)
    living.delete("groups_members", 2)
    assert links(living) == {(MARA, ANN)}


@pytest.mark.parametrize("context", [5, 6])
def test_roles_above_a_course_are_roles_in_it(living: Living, context: int) -> None:
    living.update("role_assignments", 1, contextid=context)
    living.update("role_assignments", 3, contextid=context)
    assert links(living) == {(MARA, ANN), (TESS, BO)}
    assert active(living) == {ANN: True, BO: True}
    assert {mentor.mentor_id for mentor in living.lms.read_people(living.at).mentors} == {TESS, MARA}


def test_a_role_in_another_course_or_category_links_nobody(living: Living) -> None:
    living.insert("context", id=7, contextlevel=40, instanceid=2, path="/5/7")
    for context in (7, 11):
        living.update("role_assignments", 1, contextid=context)
        assert links(living) == {(MARA, ANN)}


def test_nobody_is_their_own_mentor(living: Living) -> None:
    living.insert("role_assignments", id=9, roleid=2, contextid=10, userid=TESS)
    assert links(living) == {(MARA, ANN), (TESS, BO)}


def test_an_enrolment_counts_from_its_start_to_its_end(living: Living) -> None:
    living.update("user_enrolments", 2, timestart=living.now + DAY)
    assert active(living) == {ANN: True, BO: False}
    living.wait(2 * DAY)
    assert active(living)[BO]
    living.update("user_enrolments", 2, timeend=living.now - DAY)
    assert not active(living)[BO]
    living.enrol(BO, 2)
    assert active(living)[BO]
    living.update("enrol", 2, status=1)
    assert not active(living)[BO]


def test_deleted_users_are_gone_and_suspended_ones_inactive(living: Living) -> None:
    living.update("user", ANN, suspended=1)
    living.update("user", BO, deleted=1)
    assert active(living) == {ANN: False}
    living.update("user", BO, deleted=0)
    assert active(living) == {ANN: False, BO: True}


# Tables


@pytest.mark.parametrize("prefix", ["", "m2_"])
def test_tables_may_have_any_prefix_or_none(lms_url: str, tmp_path: Path, prefix: str) -> None:
    living = Living(lms_url, store_in_file(tmp_path / "store.db"), prefix)
    living.start(1)
    living.finish(1, 3)
    living.hand_in(1)
    assert living.told() == ["exam_started", "exam_passed", "exam_completed"]
    assert {row.activity_metadata["course_title"] for row in living.rows()} == {"Algebra"}
    assert links(living) == {(MARA, ANN), (TESS, BO)}
    living.close()
