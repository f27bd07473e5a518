"""What an empty poll takes for each watched table, of the classic LMS and of a Moodle with as many attempts."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.ground import NOW, add_attempts, databases, ground
from lms_bot.config.settings import load
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.session import open_store

POLLS = 31
INDEXES = (  # those of Moodle that its own statements and ours use
    "CREATE INDEX ON mdl_quiz_attempts (quiz)",
    "CREATE INDEX ON mdl_grade_items (itemtype, itemmodule, iteminstance)",
    "CREATE INDEX ON mdl_user_enrolments (userid)",
    "CREATE INDEX ON mdl_role_assignments (userid)",
    "CREATE INDEX ON mdl_role_assignments (contextid)",
    "CREATE UNIQUE INDEX ON mdl_assign_submission (assignment, userid, attemptnumber)",
    "CREATE UNIQUE INDEX ON mdl_assign_grades (assignment, userid, attemptnumber)",
    "CREATE INDEX ON mdl_course_modules (instance)",
)
FILL = """
    INSERT INTO mdl_user
    SELECT g, 's' || g, g || '@school.example', 'S', g::text, 0, 0, 0 FROM generate_series(1, 5000) g;
    INSERT INTO mdl_quiz SELECT g, 2, 'Quiz ' || g, 5, 10, 0, 0 FROM generate_series(1, 200) g;
    INSERT INTO mdl_grade_items SELECT g, 'mod', 'quiz', g, 0, 6, 0 FROM generate_series(1, 200) g;
    INSERT INTO mdl_enrol VALUES (1, 2, 0);
    INSERT INTO mdl_user_enrolments SELECT g, 1, g, 0, 0, 0, {enrolled} FROM generate_series(1, 5000) g;
    INSERT INTO mdl_quiz_attempts
    SELECT g, 1 + g % 200, 1 + g % 5000, 0, 'finished', {began}, {began} + 900, 2 + g % 4
    FROM generate_series(1, {rows}) g;
"""


def classic(kind: str, rows: int) -> float:
    """Return the milliseconds of an empty poll of the classic LMS for each watched table."""
    with ground(kind) as here:
        add_attempts(here.lms_engine, 1_000_000, rows, NOW - timedelta(days=30))
        return _measure(here.poller, here.lms, rows)


def moodle(rows: int) -> float:
    """Return the same of a Moodle, on PostgreSQL."""
    folder = tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True)
    with folder as path, databases("postgresql", Path(path)) as (lms_url, store_url, _):
        settings = load(
            None, {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url, "LMS_SCHEMA": "moodle"}
        )
        lms = Lms.of(settings)
        engine = sa.create_engine(lms_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        _make(engine, lms, rows)
        store = open_store(store_url)
        try:
            return _measure(Poller(store, lms, settings), lms, rows)
        finally:
            store.close()
            lms.close()


def _make(engine: sa.Engine, lms: Lms, rows: int) -> None:
    metadata = sa.MetaData()
    for table in {column.table for column in lms.schema.wanted()}:
        columns = [
            sa.Column(
                column.name,
                sa.Numeric(10, 5)
                if column.name.startswith(("sumgrades", "grade"))
                else sa.String(250)
                if isinstance(column.type, sa.Text)
                else sa.BigInteger,
                primary_key=column.name == "id",
            )
            for column in table.c
        ]
        sa.Table(table.name, metadata, *columns)
    metadata.create_all(engine)
    began = int((NOW - timedelta(days=30)).timestamp())
    with engine.connect() as connection:
        for statement in (*INDEXES, FILL.format(rows=rows, began=began, enrolled=began - 86_400), "VACUUM ANALYZE"):
            connection.exec_driver_sql(statement.replace("%", "%%"))


def _measure(poller: Poller, lms: Lms, rows: int) -> float:
    polled = poller.poll(NOW)
    assert polled.history_events == rows, polled
    watched, taken = len(lms.watched(NOW)), []
    for number in range(1, POLLS + 1):
        started = time.perf_counter()
        poller.poll(NOW + timedelta(seconds=number))
        taken.append(time.perf_counter() - started)
    median = statistics.median(taken) * 1000
    name = lms.schema.name
    print(f"{name}: {rows:,} attempts: {median:.1f} ms for {watched} tables, {median / watched:.2f} each", flush=True)
    return median / watched


if __name__ == "__main__":
    attempts = int(sys.argv[1])
    of_classic, of_moodle = classic("postgresql", attempts), moodle(attempts)
    print(f"moodle / classic, for each watched table: {of_moodle / of_classic:.2f}")
