"""The turn of the day in a school where everybody has a streak, and what a poll pays for days and streaks."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks.ground import NOW, databases
from lms_bot.config.settings import Settings, load
from lms_bot.core.events import Event, EventType
from lms_bot.core.streaks import Kind
from lms_bot.pipeline import streaks
from lms_bot.store import state, tables
from lms_bot.store.events import events
from lms_bot.store.session import Store, open_store
from lms_bot.store.streaks import days
from tests.lms_rows import ATTEMPTS

UTC = ZoneInfo("UTC")
TODAY = NOW.date()
TURN = NOW.replace(hour=1, minute=30)
MENTORS = 500
TOGETHER = 50_000
PAGE = 5_000


def measure(kind: str, students: int) -> None:
    """Print what the end of a day takes, and what a page of new events does, with and without days."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (lms_url, store_url, _),
    ):
        settings = load(None, {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url})
        store = open_store(settings.store_database_url)
        try:
            rows = _fill(store, students)
            seconds, recorded = _end_day(store, settings)
            print(
                f"{kind}: {students:,} students, {rows:,} streaks: a day ends in {seconds:.2f} s, {recorded:,} events"
            )
            seconds, recorded = _end_day(store, settings)
            print(f"{kind}: the same again {seconds * 1000:.1f} ms, {recorded:,} events")
            _pages(store, kind, students)
            started = time.perf_counter()
            with store.writing() as transaction:
                days.recount(transaction, UTC, NOW, range(1, 1_001))
            print(f"{kind}: 1,000 students counted anew {time.perf_counter() - started:.2f} s", flush=True)
        finally:
            store.close()


def _end_day(store: Store, settings: Settings) -> tuple[float, int]:
    started = time.perf_counter()
    recorded = streaks.record_streak_events(store, settings, TURN)
    return time.perf_counter() - started, recorded


def _pages(store: Store, kind: str, students: int) -> None:
    """A page of one new event each of 5,000 students, on a new day of theirs and then on the same, and of 200."""
    for name, count, first in (("a first", PAGE, 1), ("a further", PAGE, 1), ("a first", 200, students - 300)):
        found = [_passed(number) for number in range(first, first + count)]
        with store.writing() as transaction:
            started = time.perf_counter()
            recorded = events.record(transaction, found, {}, NOW)
            between = time.perf_counter()
            days.count(transaction, recorded, [], UTC, NOW, set())
            ended = time.perf_counter()
        print(
            f"{kind}: {name} event of the day of {count:,} students: recorded in {(between - started) * 1000:.0f} ms, "
            f"days and streaks {(ended - between) * 1000:.0f} ms"
        )


_numbers = iter(range(1, sys.maxsize))


def _passed(student_id: int) -> Event:
    found = (EventType.EXAM_PASSED, ATTEMPTS, next(_numbers), student_id, None, 501, "Quiz")
    return Event(*found, {"percentage": 80}, NOW, False, 0, None)


def _fill(store: Store, students: int) -> int:
    """Students of some mentors, each with old streaks and one until yesterday or about then; how many streaks."""
    rng, rows = random.Random(7), 0
    with store.writing() as transaction:
        names = [{"student_id": n, "username": f"student_{n}", "is_active": True} for n in range(1, students + 1)]
        transaction.execute(sa.insert(tables.students), names)
        mentors = [{"mentor_id": n, "username": f"mentor_{n}"} for n in range(1, MENTORS + 1)]
        transaction.execute(sa.insert(tables.mentors), mentors)
        links = [{"mentor_id": 1 + n % MENTORS, "student_id": n} for n in range(1, students + 1)]
        transaction.execute(sa.insert(tables.mentor_students), links)
        turned = {"zone": "UTC", "turned": {"UTC": (TODAY - timedelta(days=1)).isoformat()}}
        days.note_counting(transaction, turned, NOW)
        state.note(transaction, state.POLLED, {}, TURN)
    some: list[dict[str, Any]] = []
    for row in _streaks(students, rng):
        some.append(row)
        if len(some) == TOGETHER:
            rows += _insert(store, some)
            some = []
    return rows + _insert(store, some)


def _streaks(students: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    for student_id in range(1, students + 1):
        last = TODAY - timedelta(days=rng.choice((1, 1, 1, 2, 2, 9)))
        for _ in range(10):
            length = rng.choice((1, 2, 3, 7, 7, 12, 30))
            for kind in Kind:
                yield _row(student_id, kind, last - timedelta(days=length - 1), last)
            last -= timedelta(days=length + rng.randint(1, 5))


def _row(student_id: int, kind: Kind, first: date, last: date) -> dict[str, Any]:
    length = (last - first).days + 1
    return {"student_id": student_id, "kind": kind.value, "first_day": first, "last_day": last, "days": length}


def _insert(store: Store, rows: list[dict[str, Any]]) -> int:
    if rows:
        with store.writing() as transaction:
            transaction.execute(sa.insert(tables.streaks), rows)
    return len(rows)


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
