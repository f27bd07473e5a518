"""What a sync takes when nothing changed, and how much memory the first reading of many results by subject takes."""

from __future__ import annotations

import io
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from benchmarks.ground import NOW, Ground, add_attempts, ground
from lms_bot.config.settings import load
from lms_bot.pipeline.sync.academics import read_all, read_turn
from lms_bot.pipeline.sync.run import Sync

STUDENTS = 20_000
FIRST = 200_000
ATTEMPTS = 10_000
CHUNK = 50_000
ROUNDS = 5


def _copy(engine: sa.Engine, table: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        if engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(rows[0]))
            cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)
        else:
            text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
            cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', io.StringIO(text))


def _enrol(here: Ground) -> None:
    """Enrol students in batches, each with a mentor."""
    ids = range(FIRST, FIRST + STUDENTS)
    is_active = [True if here.kind == "postgresql" else 1] * STUDENTS
    people = [(one, f"s{one}", f"s{one}@example.org", active) for one, active in zip(ids, is_active, strict=True)]
    _copy(here.lms_engine, "students", "id, username, email, is_active", people)
    for table, others in (("_MentorToStudent", 2), ("_BatchToStudent", 2)):
        first = 301 if table == "_BatchToStudent" else 1
        rows = [(one, first + one % others, one) for one in ids]
        _copy(here.lms_engine, table, 'id, "A", "B"', rows)


def _fill(here: Ground, results: int) -> None:
    counts = "correct_answers_count, incorrect_answers_count, unanswered_count, total_count"
    columns = f"id, subject_name, {counts}, attempt_id"
    for start in range(1, results + 1, CHUNK):
        ids = range(start, min(start + CHUNK, results + 1))
        rows: list[tuple[object, ...]] = [
            (one, f"Subject {one % 40}", 3, 1, 1, 5, 1_000_000 + one % ATTEMPTS) for one in ids
        ]
        _copy(here.lms_engine, "subject_stats", columns, rows)
    if here.kind == "postgresql":
        with here.lms_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE subject_stats")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, results: int) -> None:
    """Print the seconds of a sync and of a turn without changes, and the memory of reading everything."""
    with ground(kind) as here:
        _enrol(here)
        add_attempts(here.lms_engine, 1_000_000, ATTEMPTS, NOW - timedelta(days=30))
        _fill(here, results)
        here.poll(NOW)
        before, started = _megabytes(), time.perf_counter()
        read_all(here.store, here.lms, NOW)
        first, grown = time.perf_counter() - started, _megabytes() - before
        settings = load(None, {"LMS_DATABASE_URL": "sqlite:///not_opened.db"})
        sync = Sync(here.store, here.lms, settings)
        sync.run(NOW)
        taken, busy, turns = [], [], []
        for _ in range(ROUNDS):
            started, began = time.perf_counter(), time.process_time()
            said = sync.run(NOW)
            taken.append(time.perf_counter() - started)
            busy.append(time.process_time() - began)
            assert all(one.changes.is_nothing for one in said.kinds.values()), said
            started = time.perf_counter()
            read_turn(here.store, here.lms, NOW)
            turns.append(time.perf_counter() - started)
    print(
        f"{kind}: {STUDENTS:,} students, {results:,} results by subject: the first reading {first:.1f} s and "
        f"{grown:.0f} MB more memory; a sync without changes {statistics.median(taken):.2f} s, of our CPU "
        f"{statistics.median(busy):.2f} s; a turn without changes {1000 * statistics.median(turns):.1f} ms "
        f"(medians of {ROUNDS})",
        flush=True,
    )


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
