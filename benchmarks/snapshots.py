"""Describing a week for a whole school, the weeks before it, and those whose past has changed."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks.ground import NOW, databases
from lms_bot.core.academics.snapshots import MOST_WEEKS, WEEK, Plan, Sweep, monday_of
from lms_bot.core.calendar import local_day
from lms_bot.store.academics import outdated, snapshots
from lms_bot.store.session import Store, open_store
from lms_bot.store.streaks import days

UTC = ZoneInfo("UTC")
EXAMS, VIDEOS, SUBJECTS = 8, 8, 4  # of each student, and of each exam
CATALOGUE = 5_000  # items of courses
AGE = MOST_WEEKS * 7  # days over which a student's events are spread
TOLD = 50  # slices between two lines
PAST = 300  # slices of the past that are measured


def measure(kind: str, students: int) -> None:
    """Print what a week takes, the longest transaction of it, what the past takes, and changes of the past."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (_, store_url, _),
    ):
        store = open_store(store_url)
        try:
            _fill(store, students)
            monday = monday_of(local_day(NOW, UTC))
            with store.writing() as transaction:
                days.note_counting(transaction, {"zone": "UTC", "turned": {}}, NOW)
            _sweep(store, kind, f"{students:,} students, one week", Plan("UTC", monday, (Sweep(monday, monday),)))
            oldest = monday - WEEK * (MOST_WEEKS - 1)
            past = Plan("UTC", monday, (Sweep(oldest, monday - WEEK),))
            _sweep(store, kind, f"{MOST_WEEKS - 1} weeks before", past, PAST)
            _changed(store, kind, Plan("UTC", monday, ()))
        finally:
            store.close()


def _sweep(store: Store, kind: str, name: str, plan: Plan, most: int | None = None) -> None:
    started, longest, slices = time.perf_counter(), 0.0, 0
    while plan.sweeps and slices != most:
        begun = time.perf_counter()
        with store.writing(durable=False) as transaction:
            plan = snapshots.go_on_with_sweep(transaction, plan)
            snapshots.save_plan(transaction, plan, NOW)
        longest, slices = max(longest, time.perf_counter() - begun), slices + 1
    seconds, memory = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    of = f"{slices * snapshots.AT_A_TIME:,} snapshots" if most else "all"
    print(f"{kind}: {name}: {of} in {seconds:.1f} s, a transaction {longest:.2f} s at most, {memory} MiB", flush=True)


def _changed(store: Store, kind: str, plan: Plan) -> None:
    """A thousand students of whom something is found that is of three weeks ago."""
    with store.writing() as transaction:
        outdated.mark(transaction, ((number, NOW - 3 * WEEK) for number in range(1, 1_001)))
    started = time.perf_counter()
    goes_on = True
    while goes_on:
        with store.writing(durable=False) as transaction:
            goes_on = snapshots.describe_outdated(transaction, plan)
    print(f"{kind}: 1,000 students, three weeks anew {time.perf_counter() - started:.2f} s", flush=True)


def _fill(store: Store, students: int) -> None:
    """Students who took an exam and watched a video every so often, with results by subject and streaks."""
    on_sqlite = store.engine.dialect.name == "sqlite"
    series = (
        "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {} - 1) SELECT i FROM n) AS g"
        if on_sqlite
        else "generate_series(0::bigint, {} - 1) AS g(i)"
    )
    start = (NOW - timedelta(days=AGE)).replace(tzinfo=None)
    step = AGE * 86_400 // EXAMS
    # A prime spreads the times of students over the weeks.
    second = f"((i % {EXAMS}) * {step} + (i * 7919) % {step})"
    moment = (
        f"strftime('%Y-%m-%d %H:%M:%S.000000', '{start}', '+' || {second} || ' seconds')"
        if on_sqlite
        else f"'{start}+00'::timestamptz + {second} * interval '1 second'"
    )
    true = "1" if on_sqlite else "true"
    events = (
        "INSERT INTO lms_activity_events (event_type, student_id, activity_id, activity_metadata, timestamp,"
        " created_at, source_table, source_id, is_history, fingerprint, percentage)"
    )
    statements = [
        f"INSERT INTO students (student_id, username, is_active)"
        f" SELECT i + 1, 'student_' || i, {true} FROM {series.format(students)}",
        f"{events} SELECT 'exam_passed', 1 + i / {EXAMS}, i % 50, '{{}}', {moment}, {moment}, 'attempts', i + 1,"
        f" {true}, 0, 40 + i % 60 FROM {series.format(students * EXAMS)}",
        f"{events} SELECT 'content_watched', 1 + i / {VIDEOS}, i % {CATALOGUE}, '{{\"content_type\": \"video\"}}',"
        f" {moment}, {moment}, 'content_attempts', i + 1, {true}, 0, NULL FROM {series.format(students * VIDEOS)}",
        f"INSERT INTO course_items (course_id, item, source_table, activity_id)"
        f" SELECT i % 100, 'video ' || i, 'content_attempts', i FROM {series.format(CATALOGUE)}",
        f"INSERT INTO course_items (course_id, item, source_table, activity_id)"
        f" SELECT i % 100, 'video ' || i, 'user_videos', i FROM {series.format(CATALOGUE)}",
        f"INSERT INTO attempt_results (source_table, source_id, exam_source, attempt_id, dimension, label, correct,"
        f" incorrect, unanswered, total) SELECT 'results', i, 'attempts', 1 + i / {SUBJECTS}, 'subject',"
        f" 'Subject ' || i % 7, i % 10, 10 - i % 10, 0, 10 FROM {series.format(students * EXAMS * SUBJECTS)}",
        f"INSERT INTO streaks (student_id, kind, first_day, last_day, days)"
        f" SELECT 1 + i / 5, 'learning', {_day('i', on_sqlite)}, {_day('i', on_sqlite, 5)}, 6"
        f" FROM {series.format(students * 5)}",
    ]
    for statement in statements:
        with store.writing() as transaction:
            transaction.exec_driver_sql(statement.replace("%", "%%") if not on_sqlite else statement)
    if not on_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _day(number: str, on_sqlite: bool, later: int = 0) -> str:
    """Return the SQL of a day that differs with this number, some days later."""
    begin = (NOW - timedelta(days=AGE)).date()
    back = f"({number} / 5) % 40 + ({number} % 5) * 130 + {later}"
    return f"date('{begin}', '+' || ({back}) || ' days')" if on_sqlite else f"'{begin}'::date + (({back})::int)"


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
