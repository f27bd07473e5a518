"""Simulates a small school for some days, polled as the bot polls, to show streaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from lms_bot.app import Parts
from lms_bot.config.settings import Settings, load
from lms_bot.core.calendar import DAY, local_day, start_of_day
from lms_bot.db.engine import make_private
from lms_bot.fixtures import classic
from lms_bot.store.session import Store
from lms_bot.worker.clock import ClockJobs

DILIGENCE = (0.97, 0.8, 0.45)  # how likely a student does something on a day; they take turns
MOST_A_DAY = 5  # exams
STUDY, NIGHT = (
    timedelta(hours=15),
    timedelta(hours=26),
)  # after the day began: they study, the last poll
_STARTED = """
    INSERT INTO attempts (id, date, exam_id, user_id, state) VALUES (?, ?, (SELECT min(id) FROM exams), ?, 'started')"""
_PASSED = """
    UPDATE attempts SET state = 'completed', result = 'pass', percentage = 80, last_answer_updated_time = ?
    WHERE id = ?"""


@dataclass(frozen=True, slots=True)
class Lived:
    """A store into which some days were polled until `now`, and how many events the clock caused."""

    store: Store
    settings: Settings
    now: datetime
    clock_events: int


@contextmanager
def simulated(days: int, now: datetime, seed: int = 7) -> Iterator[Lived]:
    """Yield a school that has lived through so many whole days, the last of them yesterday; gone after the block."""
    with TemporaryDirectory(prefix="lms-bot-days-", ignore_cleanup_errors=True) as folder:
        lms = Path(folder) / "lms.db"
        given = {"LMS_DATABASE_URL": f"sqlite:///{lms}", "LMS_STORE_DATABASE_URL": f"sqlite:///{folder}/store.db"}
        make_private(lms)
        parts = Parts.assemble(load(None, given), None)
        try:
            with closing(sqlite3.connect(lms)) as db:
                students = _enrol(db)
                begin = start_of_day(local_day(now, parts.settings.timezone) - DAY * days, parts.settings.timezone)
                clock_events = _poll(parts, begin - DAY)
                for number in range(days):
                    _study(db, students, begin + DAY * number, number, Random(f"{seed} {number}"))  # noqa: S311 a game
                    clock_events += _poll(parts, begin + DAY * number + NIGHT)
            yield Lived(parts.store, parts.settings, begin + DAY * days + STUDY, clock_events)
        finally:
            parts.close()


def _poll(parts: Parts, now: datetime) -> int:
    """Poll and run the jobs of the clock; return how many events the clock caused."""
    parts.poller.poll(now)
    return ClockJobs(parts.store, parts.lms, parts.settings).run(now).recorded_events


def _enrol(db: sqlite3.Connection) -> list[int]:
    """Make the LMS with the people of the demo school, and nothing that they did; return the students' ids."""
    classic.fill(db)
    db.commit()
    return [student_id for (student_id,) in db.execute("SELECT id FROM students ORDER BY id")]


def _study(db: sqlite3.Connection, students: list[int], day: datetime, number: int, rng: Random) -> None:
    """Let everybody live one day: some finish exams, some only start one, some do nothing."""
    for place, student_id in enumerate(students):
        if rng.random() > DILIGENCE[place % len(DILIGENCE)]:
            continue
        for count in range(rng.randint(0, MOST_A_DAY) or 1):
            attempt_id = (number * len(students) + place) * MOST_A_DAY + count + 1
            at = (day + STUDY + timedelta(minutes=count)).isoformat()
            db.execute(_STARTED, (attempt_id, at, student_id))
            if rng.random() < 0.9:
                db.execute(_PASSED, (at, attempt_id))
    db.commit()
