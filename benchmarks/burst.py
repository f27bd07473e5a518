"""A burst of new rows through one poll, against the bare drivers reading and writing the same rows."""

from __future__ import annotations

import io
import resource
import sys
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from benchmarks.ground import NOW, Ground, add_attempts, ground
from lms_bot.store.session import open_store

JOINED = """
    SELECT a.*, e.title, s.username
    FROM attempts AS a JOIN exams AS e ON e.id = a.exam_id JOIN students AS s ON s.id = a.user_id
"""
WRITTEN = ("lms_activity_events", "lms_event_logs")


def measure(kind: str, rows: int) -> None:
    """Print what one poll of `rows` new rows takes, and the floor of the same run."""
    with ground(kind) as here:
        here.poll(NOW)
        add_attempts(here.lms_engine, 1_000_000, rows, NOW)
        started = time.perf_counter()
        polled = here.poller.poll(NOW + timedelta(seconds=60))
        poll = time.perf_counter() - started
        assert polled.new_events == rows, polled
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        floor = _floor(here)
    print(
        f"{kind}: {rows:,} rows: poll {poll:.2f} s ({rows / poll:,.0f} rows/s), floor {floor:.2f} s "
        f"({rows / floor:,.0f} rows/s), {floor / poll:.2f} of the floor, peak memory {memory:.0f} MB",
        flush=True,
    )


def _floor(here: Ground) -> float:
    """Seconds in which the drivers alone read the rows, and write what the poll wrote into the same tables."""
    copies = {table: _rows(here.store.engine, table) for table in WRITTEN}
    spare = open_store(here.spare_url)
    started = time.perf_counter()
    with here.lms_engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(JOINED)
        cursor.fetchall()
    with spare.writing() as connection:
        for table, (names, rows) in copies.items():
            _write(connection, table, names, rows)
    floor = time.perf_counter() - started
    spare.close()
    return floor


def _rows(engine: sa.Engine, table: str) -> tuple[list[str], Any]:
    """All rows of a table as its driver wants them: tuples for SQLite, a text for COPY."""
    with engine.connect() as connection:
        cursor: Any = connection.connection.cursor()
        cursor.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        if engine.dialect.name == "sqlite":
            return names, cursor.fetchall()
        text = io.StringIO()
        cursor.copy_expert(f"COPY {table} TO STDOUT", text)
        return names, text.getvalue()


def _write(connection: sa.Connection, table: str, names: list[str], rows: Any) -> None:
    cursor: Any = connection.connection.cursor()
    if isinstance(rows, str):
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(rows))
    else:
        cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
