"""What profile and performance take in a large school: reading them, as a multiple of their bare statements."""

from __future__ import annotations

import csv
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.ground import databases
from benchmarks.questions import measured_with_bare
from lms_bot.config.settings import load
from lms_bot.core.events import EventType
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.render.academics.profile import profile_text
from lms_bot.render.chart import subjects_png
from lms_bot.reports import student
from lms_bot.reports.academics import performances, profiles
from lms_bot.store import state, tables
from lms_bot.store.session import Store, Transaction, open_store
from lms_bot.store.streaks import days

NOW = datetime.now(UTC).replace(microsecond=0)
SETTINGS = load(None, {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db"})
STUDENTS, BATCH = 20_000, 100
EXAMS, BUSY_EXAMS, CONTENT = 25, 50, 25  # of a student; those of the first batch took more
PARTS = 6  # results of an attempt: four subjects, two levels of difficulty
SUBJECTS = ("Algebra", "Geometry", "Physics", "Chemistry", "English", "История", "Biology", "Music")
COURSES_OF_BATCH, YEARS = 20, 20  # courses; groups of batches that take the same exams
CHUNK = 50_000
ENDS = (EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED)
ADMIN = Principal.of([], [], is_admin=True)
Row = tuple[Any, ...]


def measure(kind: str) -> None:
    """Print what each report takes about a student of the first batch, in milliseconds."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (_, store_url, _),
    ):
        store = open_store(store_url)
        started = time.perf_counter()
        fill(store)
        print(f"{kind}: filled in {time.perf_counter() - started:.0f} s", flush=True)
        with store.reading() as transaction:
            for table in (tables.events, tables.attempt_results):
                rows = transaction.scalar(sa.select(sa.func.count()).select_from(table))
                print(f"{kind}: {rows:,} rows of {table.name}", flush=True)
        _measure(store, "batches of 100")
        with store.writing() as transaction:
            transaction.execute(sa.delete(tables.batch_students))
        _measure(store, "no batches, 1,000 took 25 of the exams")
        store.close()


def _measure(store: Store, where: str) -> None:
    for name, read, show in _reports():
        reading, bare, showing = measured_with_bare(store, read, show)
        ratio = reading.median / bare.median
        print(f"{name}, {where}: read {reading}, bare SQL {bare} ({ratio:.1f}), show {showing}", flush=True)


def _reports() -> Iterator[tuple[str, Callable[[Transaction], Any], Callable[[Any], object]]]:
    jane = 7
    yield "profile", lambda t: profiles.profile(t, ADMIN, jane, SETTINGS, NOW), lambda one: profile_text(one, NOW)
    yield "performance", lambda t: performances.performance(t, ADMIN, jane, SETTINGS, NOW), str
    yield (
        "chart subjects",
        lambda t: performances.subject_performance(t, ADMIN, jane),
        lambda parts: subjects_png(Student(jane, "student_7"), parts),
    )
    yield "student", lambda t: student.card(t, ADMIN, jane, SETTINGS, NOW), str


def fill(store: Store) -> None:
    """Make the school straight in the tables: nothing is polled, nobody is told."""
    people = ((number, f"student_{number}", None, None, True, None) for number in range(1, STUDENTS + 1))
    members = ((_batch(number), number) for number in range(1, STUDENTS + 1))
    batches = range(1, STUDENTS // BATCH + 1)
    with store.writing() as transaction:
        state.note(transaction, state.POLLED, True, NOW)
        load_rows(transaction, tables.students, list(tables.students.c.keys()), people)
        load_rows(transaction, tables.batches, ["batch_id", "name"], ((one, f"Batch {one}") for one in batches))
        load_rows(transaction, tables.batch_students, ["batch_id", "student_id"], members)
        load_rows(
            transaction,
            tables.courses,
            ["course_id", "title"],
            ((one, f"Course {one}") for one in range(YEARS * COURSES_OF_BATCH)),
        )
        load_rows(
            transaction,
            tables.course_batches,
            ["course_id", "batch_id"],
            ((one % YEARS * COURSES_OF_BATCH + course, one) for one in batches for course in range(4)),
        )
        load_rows(transaction, tables.course_items, list(tables.course_items.c.keys()), _items())
        load_rows(transaction, tables.events, _COLUMNS, _events())
        load_rows(transaction, tables.attempt_results, list(tables.attempt_results.c.keys()), _results())
        days.recount(transaction, SETTINGS.timezone, NOW)
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def load_rows(transaction: Transaction, table: sa.Table, columns: list[str], rows: Iterable[Row]) -> None:
    """Write rows as the driver takes them, a chunk at a time."""
    cursor: Any = transaction.connection.cursor()
    names, left = ", ".join(columns), iter(rows)
    marks = ", ".join("?" * len(columns))
    while chunk := list(islice(left, CHUNK)):
        if transaction.dialect.name == "sqlite":
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", chunk)
        else:
            text = io.StringIO()
            csv.writer(text).writerows(chunk)
            text.seek(0)
            cursor.copy_expert(f"COPY {table.name} ({names}) FROM STDIN (FORMAT csv)", text)
    cursor.close()


_COLUMNS = [
    *("event_type", "student_id", "student_username", "activity_id", "activity_title", "activity_metadata"),
    *("timestamp", "created_at", "source_table", "source_id", "is_current", "is_history", "is_withdrawn"),
    *("processed_for_ai", "episode", "fingerprint", "percentage", "course_key"),
]


def _batch(student: int) -> int:
    return 1 + (student - 1) // BATCH


def _exams_of(student: int) -> int:
    return BUSY_EXAMS if _batch(student) == 1 else EXAMS


def _events() -> Iterator[Row]:
    """Yield two years of exams, videos and the opening of each, mixed over the students as time mixes them."""
    exam = content = 0
    moment = _moments()
    for turn in range(BUSY_EXAMS):
        for pupil in range(1, STUDENTS + 1):
            year = _batch(pupil) % YEARS
            if turn < _exams_of(pupil):
                exam += 1
                mark = 20 + (pupil * 7 + turn * 13) % 81
                yield _event(ENDS[exam % 3], pupil, year * 100 + turn, "attempts", exam, next(moment), mark)
            if turn < CONTENT // 2:
                content += 1
                at = next(moment)
                for kind in (EventType.CONTENT_STARTED, EventType.CONTENT_COMPLETED):
                    yield _event(kind, pupil, year * 100 + turn, "content_attempts", content, at, None)


def _event(kind: EventType, student: int, activity: int, source: str, number: int, at: str, mark: float | None) -> Row:
    title, metadata = f"Activity number {activity}", '{"content_type": "video", "course_title": "Course 7"}'
    is_current = kind is not EventType.CONTENT_STARTED
    return (
        *(kind.value, student, f"student_{student}", activity, title, metadata, at, at, source, number),
        *(is_current, True, False, False, 0, number, mark, "course 7"),
    )


def _moments() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        at = NOW - timedelta(days=730) + timedelta(seconds=number * 80)
        yield min(at, NOW).replace(tzinfo=None).isoformat(" ", "microseconds")


def _items() -> Iterator[Row]:
    """Yield the items of each course: 25 exams or videos, a video by its content and by itself."""
    for year in range(YEARS):
        for course in range(COURSES_OF_BATCH):
            for place in range(25):
                activity, course_id = year * 100 + course % 4 * 25 + place, year * COURSES_OF_BATCH + course
                yield course_id, f"exam {place}", "attempts", activity
                yield course_id, f"video {place}", "content_attempts", activity
                yield course_id, f"video {place}", "user_videos", activity


def _results() -> Iterator[Row]:
    exam = 0
    for turn in range(BUSY_EXAMS):
        for pupil in range(1, STUDENTS + 1):
            if turn >= _exams_of(pupil):
                continue
            exam += 1
            for part in range(PARTS):
                is_subject = part < 4
                label = SUBJECTS[(exam + part) % len(SUBJECTS)] if is_subject else ("easy", "hard")[part % 2]
                source = "subject_stats" if is_subject else "difficulty_level_stats"
                right = (exam * 3 + part) % 11
                dimension = "subject" if is_subject else "difficulty"
                number = exam * PARTS + part
                yield source, number, "attempts", exam, dimension, label, right, 10 - right, 0, 10


if __name__ == "__main__":
    measure(sys.argv[1])
