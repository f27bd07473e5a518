"""The demo LMS is a plausible school, and its story shows everything that can be observed about a student."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lms_bot.core.events import OBSERVED, EventType
from lms_bot.fixtures.school import REGISTERS, School, build, rows, schema
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

NOW = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
Key = tuple[str, int]
Seen = dict[Key, dict[str, Any]]
Change = tuple[Key, EventType]
VIDEOS, CERTIFICATES = "user_videos", "certifications"
TABLES = (ATTEMPTS, CONTENT_ATTEMPTS, VIDEOS, CERTIFICATES)


@pytest.fixture
def lms(tmp_path: Path) -> Path:
    path = tmp_path / "lms.db"
    build(path, NOW)
    return path


def query(path: Path, sql: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(sql).fetchall()


def value(path: Path, sql: str) -> Any:
    return query(path, sql)[0][0]


def look(path: Path) -> Seen:
    return {(table, row["id"]): dict(row) for table in TABLES for row in query(path, f'SELECT * FROM "{table}"')}


def event_type_of(table: str, row: dict[str, Any]) -> EventType | None:
    if table == CERTIFICATES:
        return EventType.CERTIFICATION_ISSUED if row["issued_at"] else None
    if table == VIDEOS:
        return EventType.CONTENT_PROGRESS if row["watched_percentage"] >= 50 else None
    state = (row["state"] or "").lower()
    result = (row.get("result") or "").lower()
    is_exam = table == ATTEMPTS
    if state in ("started", "in_progress"):
        return EventType.EXAM_STARTED if is_exam else EventType.CONTENT_STARTED
    if state in ("watched", "viewed") and not is_exam:
        return EventType.CONTENT_WATCHED
    if state not in ("completed", "finished"):
        return None
    if not is_exam:
        return EventType.CONTENT_COMPLETED
    ends = {"pass": EventType.EXAM_PASSED, "fail": EventType.EXAM_FAILED}
    return ends.get(result[:4], EventType.EXAM_COMPLETED)


def changes(before: Seen, after: Seen) -> list[Change]:
    """What a poll between two looks would tell; a mirror of an attempt tells nothing of its own."""
    found = []
    for key, row in after.items():
        event_type = event_type_of(key[0], row)
        was = event_type_of(key[0], before[key]) if key in before else None
        is_more = key in before and before[key].get("watched_percentage", 90) < 90 <= row.get("watched_percentage", 0)
        if event_type and (event_type != was or is_more) and row.get("assessment_id") is None:
            found.append((key, event_type))
    return found


def live(path: Path, steps: int) -> list[list[Change]]:
    """Let the school live; the changes of each step."""
    school = School(path)
    told = []
    before = look(path)
    for number in range(steps):
        sentences = school.step(NOW + timedelta(seconds=5 * number))
        assert sentences
        after = look(path)
        told.append(changes(before, after))
        before = after
    return told


def students_of(path: Path) -> dict[Key, int]:
    return {key: row["user_id"] for key, row in look(path).items()}


def mentors_of(student_id: int) -> set[int]:
    return {link["A"] for link in rows()["_MentorToStudent"] if link["B"] == student_id}


def test_the_school_has_the_people_that_tests_name() -> None:
    students = {row["username"]: row for row in rows()["students"]}
    assert {"jane_smith", "ravi_patel", "gulnora", "obrien", "john_doe"} <= set(students)
    assert students["gulnora"]["display_name"] == "Гульнора Каримова"
    assert students["obrien"]["display_name"] == "Sean O'Brien"
    assert [row["username"] for row in rows()["mentors"]] == ["mary", "omar", "lucy"]
    assert {len(mentors_of(row["id"])) for row in students.values()} == {0, 1, 2}


def test_counts_of_the_school_agree_with_its_rows() -> None:
    tables = rows()
    for mentor in tables["mentors"]:
        students = [link for link in tables["_MentorToStudent"] if link["A"] == mentor["id"]]
        assert len(students) == mentor["students_count"]
    for course in tables["courses"]:
        contents = [row for row in tables["ChapterContent"] if row["course_id"] == course["id"]]
        assert len(contents) == course["contents_count"]
        assert sum(row["content_type"] == "exam" for row in contents) == course["exams_count"]
        assert sum(row["content_type"] == "video" for row in contents) == course["videos_count"]


def test_every_reference_of_the_lms_holds_also_after_the_school_lived(lms: Path) -> None:
    live(lms, School.STEPS + 50)
    assert query(lms, "PRAGMA foreign_key_check") == []


def test_the_tables_that_are_read_have_rows(lms: Path) -> None:
    for table in (*rows(), *TABLES):
        assert value(lms, f'SELECT count(*) FROM "{table}"') > 0, table


def test_the_history_is_as_varied_as_a_real_one(lms: Path) -> None:
    seen = look(lms)
    kinds = [event_type_of(table, row) for (table, _), row in seen.items()]
    assert 150 <= len(seen) <= 250
    assert set(kinds) == {*OBSERVED, None}
    assert len({row["percentage"] for (table, _), row in seen.items() if table == ATTEMPTS}) > 15
    assert value(lms, "SELECT count(DISTINCT state) FROM attempts") > 4
    assert value(lms, "SELECT count(DISTINCT result) FROM attempts") > 3
    assert value(lms, "SELECT count(*) FROM attempts WHERE time_taken LIKE '% minutes'") > 0
    assert value(lms, "SELECT count(*) FROM attempts WHERE time_taken GLOB '[0-9]:[0-9][0-9]:[0-9][0-9]'") > 0


def test_the_history_has_the_odd_rows_of_real_installations(lms: Path) -> None:
    for condition in ("date IS NULL", "date LIKE '____-__-__ __:__:__'", "username IS NULL", "state IS NULL"):
        assert value(lms, f"SELECT count(*) FROM attempts WHERE {condition}") > 0, condition
    assert value(lms, "SELECT count(*) FROM content_attempts WHERE created LIKE '____-__-__ __:__:__'") > 0


def test_the_history_lies_in_the_five_weeks_before_now(lms: Path) -> None:
    times = [
        moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        for row in look(lms).values()
        for column in ("date", "last_answer_updated_time", "created", "completed_on")
        if row.get(column)
        for moment in [datetime.fromisoformat(row[column])]
    ]
    assert NOW - timedelta(days=37) < min(times) < NOW - timedelta(days=30)
    assert NOW - timedelta(days=2) < max(times) < NOW


def test_marks_add_up(lms: Path) -> None:
    marked = query(
        lms,
        "SELECT a.*, e.number_of_questions, coalesce(e.pass_percentage, 50) AS enough FROM attempts a"
        " JOIN exams e ON e.id = a.exam_id WHERE a.result IS NOT NULL",
    )
    for row in marked:
        answered = row["correct_answers_count"] + row["incorrect_answers_count"]
        assert answered + row["unanswered_count"] == row["number_of_questions"]
        assert (row["percentage"] >= row["enough"]) == row["result"].lower().startswith("pass")


def test_some_content_attempts_mirror_an_attempt_of_the_same_student(lms: Path) -> None:
    mirrors = query(
        lms,
        'SELECT c.content_type, c.user_id, a.user_id AS other, cc."examId" = a.exam_id AS same_exam'
        " FROM content_attempts c JOIN attempts a ON a.id = c.assessment_id"
        ' JOIN "ChapterContent" cc ON cc.id = c.chapter_content_id',
    )
    assert mirrors
    for row in mirrors:
        assert (row["content_type"], row["user_id"], row["same_exam"]) == ("exam", row["other"], 1)


def test_a_content_attempt_names_the_chapter_of_its_course(lms: Path) -> None:
    wrong = (
        "SELECT count(*) FROM content_attempts c JOIN chapters ch ON ch.id = c.chapter_id"
        " WHERE ch.course_id <> c.course_id"
    )
    assert value(lms, wrong) == 0


def test_the_story_shows_every_kind_of_event(lms: Path) -> None:
    told = live(lms, School.STEPS)
    assert all(told)
    assert {event_type for step in told for _, event_type in step} == set(OBSERVED)


def test_the_story_starts_things_and_ends_them_in_a_later_step(lms: Path) -> None:
    told = live(lms, School.STEPS)
    started = {key: n for n, step in enumerate(told) for key, kind in step if kind.is_start}
    ended = {key: n for n, step in enumerate(told) for key, kind in step if not kind.is_start}
    assert sum(ended.get(key, n) > n for key, n in started.items()) >= 2


def test_the_story_has_an_attempt_that_nobody_saw_start(lms: Path) -> None:
    told = live(lms, School.STEPS)
    started = {key for step in told for key, kind in step if kind.is_start}
    assert any(kind.is_exam_end and key not in started for step in told for key, kind in step)


def test_the_story_has_a_video_of_which_first_half_and_then_nearly_all_is_watched(lms: Path) -> None:
    told = [key for step in live(lms, School.STEPS) for key, kind in step if kind is EventType.CONTENT_PROGRESS]
    assert len(told) == 2
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", REGISTERS)
def test_every_story_has_as_many_steps_as_the_demo_plays(kind: str) -> None:
    assert len(REGISTERS[kind].plan.story) == School.STEPS


def test_nothing_of_the_story_has_happened_before(lms: Path) -> None:
    before = value(lms, "SELECT count(*) FROM attempts WHERE user_id = 1001 AND exam_id = 501")
    live(lms, School.STEPS)
    assert (before, value(lms, "SELECT count(*) FROM attempts WHERE user_id = 1001 AND exam_id = 501")) == (0, 1)


def test_the_story_has_an_exam_that_is_graded_later(lms: Path) -> None:
    told = [change for step in live(lms, School.STEPS) for change in step]
    handed_in = [key for key, kind in told if kind is EventType.EXAM_COMPLETED]
    assert any((key, EventType.EXAM_PASSED) in told for key in handed_in)


def test_one_step_of_the_story_is_enough_for_a_summary_and_others_are_not(lms: Path) -> None:
    told = live(lms, School.STEPS)
    owner = students_of(lms)
    most = [max(sum(mentor in mentors_of(owner[key]) for key, _ in step) for mentor in (1, 2, 3)) for step in told]
    assert [number for number in most if number > 3] == [max(most)]
    assert max(most) >= 5


def test_the_story_concerns_the_student_with_two_mentors(lms: Path) -> None:
    told = live(lms, School.STEPS)
    owner = students_of(lms)
    assert any(len(mentors_of(owner[key])) == 2 for step in told for key, _ in step)


def test_life_goes_on_after_the_story(lms: Path) -> None:
    told = live(lms, School.STEPS + 200)
    assert all(told)
    assert {kind for step in told[School.STEPS :] for _, kind in step} == set(OBSERVED)


def test_the_same_seed_gives_the_same_school(tmp_path: Path) -> None:
    dumps = []
    for name, seed in (("one.db", 7), ("two.db", 7), ("three.db", 8)):
        build(tmp_path / name, NOW, seed)
        live(tmp_path / name, School.STEPS + 20)
        with closing(sqlite3.connect(tmp_path / name)) as db:
            dumps.append(list(db.iterdump()))
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


def test_both_dialects_have_the_same_tables_and_columns(lms: Path) -> None:
    ddl = re.sub(r"--.*", "", schema("postgresql"))
    in_postgresql = {}
    for table, body in re.findall(r'CREATE TABLE "?(\w+)"? \((.*?)\n\);', ddl, re.DOTALL):
        words = [line.split()[0].strip('"') for line in body.splitlines() if line.strip()]
        in_postgresql[table] = [word for word in words if word != "UNIQUE"]
    tables = query(lms, "SELECT name FROM sqlite_master WHERE type = 'table'")
    in_sqlite = {name: [column["name"] for column in query(lms, f'PRAGMA table_info("{name}")')] for (name,) in tables}
    assert len(in_sqlite) == 19
    assert in_sqlite == in_postgresql
