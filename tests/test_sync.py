"""Studies in the store are those of the LMS: batches, courses, results by subject, and the LMS's own counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.cli import main
from lms_bot.core.sync import Changes, Drift, Problem
from lms_bot.pipeline.academics.snapshots import make_snapshots
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.run import Sync
from lms_bot.store import tables
from lms_bot.store.academics import conflicts, drift
from lms_bot.store.people import people
from lms_bot.store.retention import forget_student, prune
from lms_bot.store.retention.names import Names
from tests.databases import store_in_file
from tests.lms_rows import DAY, JANE, MINUTE, RAVI, Watch

ALGEBRA, GEOMETRY = "Algebra", "Geometry"


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS whose results are read in pages of a hundred rows."""
    watch = Watch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    watch.without_rules()
    yield watch
    watch.close()


def add_attempt(watch: Watch, attempt_id: int, **values: Any) -> None:
    done = {"state": "completed", "result": "pass", "percentage": 80, "last_answer_updated_time": watch.now}
    watch.rows.insert_attempt(attempt_id, **(done | values))


def add_subject(watch: Watch, row_id: int, attempt_id: int | None, **values: Any) -> None:
    with watch.rows.transaction() as transaction:
        row = {
            "id": row_id,
            "attempt_id": attempt_id,
            "subject_name": ALGEBRA,
            "correct_answers_count": 3,
            "incorrect_answers_count": 1,
            "unanswered_count": 1,
            "total_count": 5,
        }
        transaction.insert("subject_stats", row | values)
        transaction.commit()


def add_day(watch: Watch, row_id: int, student: str, day: str, streak: int) -> None:
    with watch.rows.transaction() as transaction:
        row = {"id": row_id, "student_id": student, "timestamp": watch.now, "fetch_date": day, "current_streak": streak}
        transaction.insert("student_activities", row)
        transaction.commit()


def rows_of(watch: Watch, table: sa.Table) -> list[tuple[Any, ...]]:
    query = sa.select(table).order_by(*table.primary_key)
    with watch.store.reading() as transaction:
        return [tuple(row) for row in transaction.execute(query)]


def results(watch: Watch) -> list[tuple[Any, ...]]:
    """(row, attempt, dimension, label, correct, incorrect, unanswered, total) of each result kept."""
    return [(row[1], *row[3:]) for row in rows_of(watch, tables.attempt_results)]


def found_conflicts(watch: Watch) -> list[tuple[str, int, Problem]]:
    with watch.store.reading() as transaction:
        return [one[:3] for one in conflicts.standing(transaction)]


def turn(watch: Watch) -> Changes:
    return academics.read_turn(watch.store, watch.lms, watch.now)


# Results


def test_results_of_the_time_before_and_after_the_first_poll_are_kept(watch: Watch) -> None:
    add_attempt(watch, 1)
    add_subject(watch, 11, 1)
    watch.poll()
    add_attempt(watch, 2)
    add_subject(watch, 12, 2, subject_name=GEOMETRY)
    watch.poll()
    assert results(watch) == [
        (11, 1, "subject", ALGEBRA, 3, 1, 1, 5),
        (12, 2, "subject", GEOMETRY, 3, 1, 1, 5),
    ]


def test_only_leaves_are_kept_and_null_counts_as_one(watch: Watch) -> None:
    add_attempt(watch, 1)
    for row_id, is_leaf in ((11, None), (12, True), (13, False)):
        add_subject(watch, row_id, 1, is_leaf=is_leaf)
    watch.poll()
    assert [row[0] for row in results(watch)] == [11, 12]


def test_a_subject_that_gets_parts_of_its_own_is_removed(watch: Watch) -> None:
    add_attempt(watch, 1)
    add_subject(watch, 11, 1)
    watch.poll()
    is_leaf = "false" if watch.rows.engine.dialect.name == "postgresql" else "0"
    watch.rows.run(f"UPDATE subject_stats SET is_leaf = {is_leaf} WHERE id = 11")
    watch.polls(3)
    assert results(watch) == []


def test_levels_of_difficulty_are_kept_beside_subjects(watch: Watch) -> None:
    add_attempt(watch, 1)
    with watch.rows.transaction() as transaction:
        row = {"id": 11, "attempt_id": 1, "difficulty_level": "hard", "correct_answers_count": 2}
        transaction.insert("difficulty_level_stats", row)
        transaction.commit()
    add_subject(watch, 11, 1)
    watch.poll()
    assert (11, 1, "difficulty", "hard", 2, 0, 0, 2) in results(watch)
    assert len(results(watch)) == 2


def test_a_regraded_result_is_found(watch: Watch) -> None:
    add_attempt(watch, 1)
    add_subject(watch, 11, 1)
    watch.poll()
    watch.rows.run("UPDATE subject_stats SET correct_answers_count = 5, incorrect_answers_count = 0 WHERE id = 11")
    watch.polls(3)
    assert results(watch) == [(11, 1, "subject", ALGEBRA, 5, 0, 1, 5)]


def test_results_that_come_late_or_change_are_told_of_all_weeks_since(watch: Watch) -> None:
    add_attempt(watch, 1, date=watch.now - 20 * DAY, last_answer_updated_time=watch.now - 20 * DAY)
    watch.poll()
    turn(watch)
    for moment in range(2):
        make_snapshots(watch.store, watch.settings, watch.now + moment * MINUTE)
    add_subject(watch, 7, 1)
    turn(watch)
    with watch.store.reading() as transaction:
        assert list(transaction.scalars(sa.select(tables.outdated_snapshots.c.student_id))) == [JANE]


def test_a_row_under_an_old_id_is_found(watch: Watch) -> None:
    add_attempt(watch, 1)
    for row_id in (100, 200, 300):
        add_subject(watch, row_id, 1)
    watch.poll()
    add_subject(watch, 5, 1)
    watch.polls(4)
    assert [row[0] for row in results(watch)] == [5, 100, 200, 300]


def test_many_results_come_in_bounded_turns(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(academics, "PAGES", 3)
    add_attempt(watch, 1)
    names = "id, attempt_id, subject_name, correct_answers_count, total_count"
    series = watch.rows._series(1, 350)
    watch.rows.run(f"INSERT INTO subject_stats ({names}) SELECT s.id, 1, 'Algebra', 1, 2 FROM ({series}) AS s")
    watch.poll()
    assert len(results(watch)) == 100
    watch.restart(LMS_SWEEP_ROWS="100")
    watch.polls(3)
    assert len(results(watch)) == 350


def test_a_turn_in_which_nothing_changed_writes_nothing(watch: Watch) -> None:
    add_attempt(watch, 1)
    add_subject(watch, 11, 1)
    add_day(watch, 1, str(JANE), "2026-03-01", 4)
    watch.polls(3)
    assert turn(watch).is_nothing


# The LMS's own counts


def test_the_newest_day_of_a_student_is_kept(watch: Watch) -> None:
    add_day(watch, 1, str(JANE), "2026-02-27", 4)
    add_day(watch, 2, str(JANE), "2026-02-28", 5)
    add_day(watch, 3, "nobody", "2026-02-28", 9)
    watch.poll()
    add_day(watch, 4, str(RAVI), "2026-02-28", 1)
    add_day(watch, 5, str(JANE), "2026-02-20", 1)
    watch.poll()
    assert [(row[0], row[1], row[3]) for row in rows_of(watch, tables.lms_counts)] == [(JANE, 2, 5), (RAVI, 4, 1)]
    watch.rows.run("UPDATE student_activities SET current_streak = 6 WHERE id = 2")
    watch.polls(3)
    assert [row[3] for row in rows_of(watch, tables.lms_counts)] == [6, 1]


# Small tables


def test_batches_and_courses_are_those_of_the_lms(watch: Watch) -> None:
    watch.poll()
    in_lms = [
        ("batches", "id, name", tables.batches),
        ("_BatchToStudent", '"A", "B"', tables.batch_students),
        ("courses", "id, title", tables.courses),
        ("_CourseBatch", '"B", "A"', tables.course_batches),
    ]
    for name, columns, table in in_lms:
        with watch.rows.engine.connect() as connection:
            wanted = sorted(tuple(row) for row in connection.execute(sa.text(f'SELECT {columns} FROM "{name}"')))
        assert rows_of(watch, table) == wanted != []
    sources = {"content_attempts", "attempts", "user_videos", "page_reports"}
    assert {row[2] for row in rows_of(watch, tables.course_items)} == sources
    with watch.rows.engine.connect() as connection:
        contents = connection.execute(sa.text('SELECT id, title, "examId" FROM "ChapterContent" ORDER BY id'))
        wanted = [(one, title, exam and "attempts", exam) for one, title, exam in contents]
    assert rows_of(watch, tables.lessons) == wanted != []


def test_what_is_gone_and_what_is_another_is_so_here_too(watch: Watch) -> None:
    watch.poll()
    watch.rows.run("""DELETE FROM "_BatchToStudent" WHERE "B" = 1001""")
    watch.rows.run("UPDATE courses SET title = 'Calculus' WHERE id = 1")
    changes = academics.read_studies(watch.store, watch.lms, watch.now)
    assert (changes.added, changes.changed, changes.removed) == (0, 1, 1)
    assert JANE not in [row[1] for row in rows_of(watch, tables.batch_students)]
    assert academics.read_studies(watch.store, watch.lms, watch.now).is_nothing


def test_a_missing_table_is_done_without(watch: Watch) -> None:
    watch.poll()
    kept = rows_of(watch, tables.batch_students)
    for table in ("subject_stats", '"_BatchToStudent"'):
        watch.rows.run(f"DROP TABLE {table}")
    watch.lms.look_anew()
    watch.now += academics.STUDIES_AGE
    watch.poll()
    assert rows_of(watch, tables.batch_students) == kept
    assert set(watch.lms.missing_academics()) == {"subject_stats", "_BatchToStudent"}


# What cannot be quite right


def test_what_cannot_be_right_is_kept_and_marked_until_it_is(watch: Watch) -> None:
    if watch.rows.engine.dialect.name == "postgresql":
        watch.rows.run("ALTER TABLE subject_stats DROP CONSTRAINT subject_stats_attempt_id_fkey")
    add_attempt(watch, 1, percentage=180)
    add_subject(watch, 11, 99)
    watch.rows.run("UPDATE students SET email = 'JANE@example.org' WHERE id = 1001")
    watch.rows.run("UPDATE students SET email = ' jane@example.org' WHERE id = 1002")
    watch.poll()
    assert found_conflicts(watch) == [
        ("attempts", 1, Problem.PERCENTAGE),
        ("students", JANE, Problem.SAME_EMAIL),
        ("subject_stats", 11, Problem.UNKNOWN_ATTEMPT),
    ]
    assert [row[0] for row in results(watch)] == [11]
    watch.rows.update_attempt(1, percentage=80)
    watch.rows.run("UPDATE students SET email = 'ravi@example.org' WHERE id = 1002")
    add_attempt(watch, 99)
    watch.polls(3)
    watch.now += academics.STUDIES_AGE
    watch.polls(2)
    assert found_conflicts(watch) == []


def test_a_time_in_the_future_is_marked(watch: Watch) -> None:
    add_attempt(watch, 1, last_answer_updated_time=watch.now.replace(year=2031))
    watch.poll()
    assert found_conflicts(watch) == [("attempts", 1, Problem.FUTURE)]


# The nightly comparison


def compare(watch: Watch) -> dict[str, Drift]:
    """What the next night's comparison finds."""
    watch.poll(watch.now + DAY)
    with watch.store.reading() as transaction:
        last = drift.last(transaction)
    assert last is not None
    return last[0]


def test_a_store_that_is_in_step_has_no_drift(watch: Watch) -> None:
    add_attempt(watch, 1)
    add_subject(watch, 11, 1)
    add_day(watch, 1, str(JANE), "2026-03-01", 4)
    watch.polls(3)
    found = compare(watch)
    assert [kind for kind, drifted in found.items() if drifted.distance] == []
    assert found["subject_stats"].compared == found["student_activities"].compared == 1
    assert found["students"].compared > 5


def test_what_was_deleted_in_the_lms_is_found_and_removed(watch: Watch) -> None:
    add_attempt(watch, 1)
    for row_id in (11, 12, 13):
        add_subject(watch, row_id, 1)
    add_day(watch, 1, str(JANE), "2026-02-27", 4)
    add_day(watch, 2, str(JANE), "2026-02-28", 5)
    watch.polls(3)
    watch.rows.delete("subject_stats", 12)
    watch.rows.delete("student_activities", 2)
    found = compare(watch)
    assert (found["subject_stats"].extra, found["student_activities"].different) == (1, 1)
    assert [row[0] for row in results(watch)] == [11, 13]
    assert [(row[1], row[3]) for row in rows_of(watch, tables.lms_counts)] == [(1, 4)]
    assert sum(one.distance for one in compare(watch).values()) == 0


def test_what_the_store_lost_or_has_otherwise_is_mended(watch: Watch) -> None:
    add_attempt(watch, 1)
    for row_id in (11, 12):
        add_subject(watch, row_id, 1)
    watch.polls(3)
    kept = results(watch)
    with watch.store.writing() as transaction:
        c = tables.attempt_results.c
        transaction.execute(sa.delete(tables.attempt_results).where(c.source_id == 11))
        transaction.execute(sa.update(tables.attempt_results).where(c.source_id == 12).values(correct=0))
    assert compare(watch)["subject_stats"] == Drift(2, missing=1, different=1)
    assert results(watch) == kept


# Sync at once


def test_a_sync_says_what_came_of_it(watch: Watch) -> None:
    watch.poll()
    add_attempt(watch, 1)
    watch.poll()
    add_subject(watch, 11, 1)
    watch.rows.run("UPDATE students SET display_name = 'Jane' WHERE id = 1001")
    sync = Sync(watch.store, watch.lms, watch.settings)
    said = sync.run(watch.now).as_json()
    assert list(said) == ["students", "mentors", "links", "academics"]
    keys = ["read", "added", "changed", "removed", "conflicts", "seconds"]
    assert [list(kind) for kind in said.values()] == [keys] * 4
    assert (said["students"]["changed"], said["academics"]["added"]) == (1, 1)
    again = sync.run(watch.now).as_json()
    assert [kind[name] for kind in again.values() for name in keys[1:4]] == [0] * 12
    assert again["students"]["read"] == said["students"]["read"] > 0


def sync_by_hand(*options: str, lms: str, store: str) -> int:
    """The exit code of the command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMS_DATABASE_URL", lms)
        patch.setenv("LMS_STORE_DATABASE_URL", store)
        with pytest.raises(SystemExit) as ending:
            main(["sync", *options])
    return int(ending.value.code or 0)


def test_the_command_prints_the_result_as_its_last_line(
    lms_url: str, store_beside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync_by_hand("--json", lms=lms_url, store=store_beside) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["students"]["added"] == said["students"]["read"] > 5
    assert said["academics"]["added"] > 5
    assert sync_by_hand(lms=lms_url, store=store_beside) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["read", "students", "mentors", "links", "academics"]
    assert all(line.split()[2:5] == ["0", "0", "0"] for line in table[1:])


def test_the_command_fails_while_the_lms_is_away(tmp_path: Path) -> None:
    store = store_in_file(tmp_path / "store.db")
    assert sync_by_hand(lms=f"sqlite:///{tmp_path}/nothing.db", store=store) == 1


def test_supervisors_come_along_with_mentors(watch: Watch) -> None:
    watch.rows.run("UPDATE mentors SET supervisor_id = 2, supervisor_email = 'omar@example.org' WHERE id = 1")
    watch.poll()
    with watch.store.reading() as transaction:
        mary = people.mentor(transaction, 1)
    assert mary is not None
    assert (mary.supervisor_id, mary.supervisor_email) == (2, "omar@example.org")
    watch.rows.run("ALTER TABLE mentors DROP COLUMN supervisor_email")
    Sync(watch.store, watch.lms, watch.settings).run(watch.now)
    with watch.store.reading() as transaction:
        assert people.mentor(transaction, 1) == replace(
            mary, supervisor_id=None, supervisor_email=None, students_count=None
        )


# Who is forgotten, and what is old


def test_nothing_of_a_forgotten_students_studies_is_left_or_comes_back(watch: Watch) -> None:
    add_attempt(watch, 1, percentage=180)
    add_attempt(watch, 2, user_id=RAVI)
    for row_id, attempt_id in ((11, 1), (12, 2)):
        add_subject(watch, row_id, attempt_id)
    add_day(watch, 1, str(JANE), "2026-03-01", 4)
    watch.poll()
    with watch.store.writing() as transaction:
        jane = forget_student.find_student(transaction, JANE)
        assert jane is not None
        forget_student.stop_recording(transaction, jane, watch.now)
        forget_student.remove(transaction, jane, Names([]))
    watch.restart(LMS_SWEEP_ROWS="100")
    compare(watch)
    assert [row[0] for row in results(watch)] == [12]
    assert rows_of(watch, tables.lms_counts) == []
    assert JANE not in [row[1] for row in rows_of(watch, tables.batch_students)] != []
    assert found_conflicts(watch) == []


def test_results_of_removed_attempts_are_removed_and_do_not_come_back(watch: Watch) -> None:
    old = watch.now - 40 * DAY
    add_attempt(watch, 1, date=old, last_answer_updated_time=old)
    add_attempt(watch, 2)
    for row_id, attempt_id in ((11, 1), (12, 2)):
        add_subject(watch, row_id, attempt_id)
    watch.poll()
    prune.prune_slice(watch.store, 30, watch.now)
    assert [row[0] for row in results(watch)] == [12]
    compare(watch)
    assert [row[0] for row in results(watch)] == [12]
