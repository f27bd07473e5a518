"""People, studies and details of an LMS in MySQL or MariaDB come to the store as from any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.pipeline.sync.run import Sync
from lms_bot.store import tables
from lms_bot.store.academics import conflicts
from tests.databases import store_in_file
from tests.lms_rows import JANE, MINUTE, RAVI, Watch
from tests.mariadb import MariaLms

pytestmark = pytest.mark.services

SUBJECT = "subject_stats (id, attempt_id, subject_name, correct_answers_count, total_count, is_leaf)"
DAYS = "student_activities (id, student_id, timestamp, current_streak, fetch_date)"


@pytest.fixture(autouse=True)
def _not_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lms_rows._hurry", lambda url: None)


@pytest.fixture
def watch(maria_lms: MariaLms, tmp_path: Path) -> Iterator[Watch]:
    maria_lms.execute(
        f"INSERT INTO attempts (id, user_id, exam_id, state, result) VALUES (1, {JANE}, 501, 'completed', 'pass')",
        f"INSERT INTO {SUBJECT} VALUES (11, 1, 'Algebra', 3, 5, NULL), (12, 1, 'Geometry', 1, 5, 1)",
        f"INSERT INTO {SUBJECT} VALUES (13, 1, 'All', 4, 9, 0)",
        f"INSERT INTO {DAYS} VALUES (1, '{JANE}', '2026-02-20', 4, '2026-02-20')",
        f"INSERT INTO {DAYS} VALUES (2, '{JANE}', '2026-02-21', 5, '2026-02-21')",
    )
    url = maria_lms.reader(f"SELECT ON {maria_lms.database}.*")
    watch = Watch(url, store_in_file(tmp_path / "store.db"), LMS_SWEEP_ROWS="100")
    watch.without_rules()
    yield watch
    watch.close()


def sync(watch: Watch) -> dict[str, tuple[int, int, int]]:
    watch.now += MINUTE
    result = Sync(watch.store, watch.lms, watch.settings).run(watch.now)
    return {name: (one.changes.added, one.changes.changed, one.changes.removed) for name, one in result.kinds.items()}


def kept(watch: Watch) -> tuple[list[tuple[int, str, int]], list[tuple[int, int, int]]]:
    """(row, label, correct) of each result, and (student, row, streak) of what the LMS counts."""
    r, c = tables.attempt_results.c, tables.lms_counts.c
    with watch.store.reading() as transaction:
        results = transaction.execute(sa.select(r.source_id, r.label, r.correct).order_by(r.source_id))
        counts = transaction.execute(sa.select(c.student_id, c.source_id, c.current_streak).order_by(c.student_id))
        return [(one[0], one[1], one[2]) for one in results], [(one[0], one[1], one[2]) for one in counts]


def test_details_are_read_change_and_vanish(watch: Watch, maria_lms: MariaLms) -> None:
    sync(watch)
    assert kept(watch) == ([(11, "Algebra", 3), (12, "Geometry", 1)], [(JANE, 2, 5)])
    assert set(sync(watch).values()) == {(0, 0, 0)}
    maria_lms.execute(
        "UPDATE subject_stats SET correct_answers_count = 5 WHERE id = 11",
        "UPDATE subject_stats SET is_leaf = 0 WHERE id = 12",
        f"INSERT INTO {SUBJECT} VALUES (5, 1, 'Logic', 2, 5, 1)",
        f"UPDATE student_activities SET student_id = '{RAVI}' WHERE id = 2",
        "UPDATE courses SET title = 'Calculus' WHERE id = 1",
        f"UPDATE students SET display_name = 'Another' WHERE id = {RAVI}",
    )
    said = sync(watch)
    assert said["students"] == (0, 1, 0)
    assert said["academics"] == (2, 3, 1)  # Logic and Ravi's counts; Algebra, Jane's counts and a course; Geometry
    assert kept(watch) == ([(5, "Logic", 2), (11, "Algebra", 5)], [(JANE, 1, 4), (RAVI, 2, 5)])
    for _ in range(2):  # what is compared is what no transaction can add to any more
        watch.poll(watch.now + 20 * MINUTE)
    maria_lms.execute("DELETE FROM subject_stats WHERE id = 5", "DELETE FROM student_activities WHERE id = 1")
    sync(watch)
    watch.poll()
    assert kept(watch) == ([(11, "Algebra", 5)], [(RAVI, 2, 5)])


def test_a_flag_of_one_bit_is_read(watch: Watch, maria_lms: MariaLms) -> None:
    maria_lms.execute("ALTER TABLE subject_stats MODIFY is_leaf bit(1)")
    sync(watch)
    assert [one[0] for one in kept(watch)[0]] == [11, 12]


def test_what_cannot_be_right_is_marked(watch: Watch, maria_lms: MariaLms) -> None:
    maria_lms.execute(
        f"INSERT INTO {SUBJECT} VALUES (14, 99, 'Algebra', 3, 5, 1)",
        "UPDATE attempts SET percentage = 180 WHERE id = 1",
        f"INSERT INTO {DAYS} VALUES (3, '{JANE}', '2026-02-21', 5, '2031-02-21')",
    )
    watch.poll()
    sync(watch)
    with watch.store.reading() as transaction:
        found = {(one.source_table, one.source_id) for one in conflicts.standing(transaction)}
    assert found == {("attempts", 1), ("student_activities", 3), ("subject_stats", 14)}
