"""All rules over 20,000 students, and thirty days of a school: who is told of, how often, and what is never told."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks.questions import STUDENTS, filled
from lms_bot.chat import Chat, RateLimiter
from lms_bot.config.settings import Settings, load
from lms_bot.fixtures import school
from lms_bot.lms import Lms
from lms_bot.pipeline.alerts import TOGETHER, judge_due_students
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.pipeline.poller import Poller
from lms_bot.store import state, tables
from lms_bot.store.alerts import watchlist
from lms_bot.store.people import accounts
from lms_bot.store.session import Store, open_store
from lms_bot.store.streaks import days
from lms_bot.worker.clock import ClockJobs
from tests.fake_zulip import FakeZulip

DAYS, MENTORS, PUPILS = 30, 10, 300
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLL_EVERY = 2 * HOUR
EXAMS = 6
STAYS_AWAY = 5 * DAY


def over_everybody(kind: str, rows: int) -> None:
    """Print what the first look at everybody takes, the same again, and a look at 200 students of whom is news."""
    with filled(kind, rows) as store:
        settings = load(None, {"LMS_DATABASE_URL": "sqlite:///nowhere.db"})
        now = datetime.now(UTC)
        _timed(f"{kind}: days of {rows:,} events counted for the first time", lambda: _count_days(store, now))
        with store.writing() as transaction:
            watchlist.follow_students(transaction, now)
            state.note(transaction, state.POLLED, {}, now)  # nobody is judged before the first poll
        _timed(f"{kind}: first look at {STUDENTS:,} students", lambda: judge_due_students(store, settings, now))
        with store.reading() as transaction:
            opened = transaction.scalar(sa.select(sa.func.count()).select_from(tables.student_alerts))
        print(f"{kind}: {opened:,} alerts are open")
        _touch(store, None, now)
        _timed(f"{kind}: all of them again, in twenty polls", lambda: _look_often(store, settings, now))
        _touch(store, range(1, 201), now)
        _timed(f"{kind}: 200 of them", lambda: judge_due_students(store, settings, now))
        _timed(f"{kind}: a poll of which nothing is new", lambda: judge_due_students(store, settings, now))


def _look_often(store: Store, settings: Settings, now: datetime) -> None:
    for _ in range(1 + STUDENTS // TOGETHER):
        judge_due_students(store, settings, now)


def _count_days(store: Store, now: datetime) -> None:
    with store.writing() as transaction:
        days.recount(transaction, ZoneInfo("UTC"), now)


def _touch(store: Store, student_ids: range | None, now: datetime) -> None:
    with store.writing() as transaction:
        watchlist.mark_due(transaction, student_ids, now)


def _timed(what: str, work: Any) -> None:
    began = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - began:.2f} s", flush=True)


@dataclass(frozen=True, slots=True)
class Pupil:
    """How likely a pupil studies on a day and passes, and from which day on they stay away."""

    student_id: int
    diligence: float
    ability: float
    leaves_on: int


def thirty_days() -> None:
    """Live through thirty days of 300 students of ten mentors, polled every two hours, and print who was told what."""
    rng = random.Random(7)
    pupils = [_pupil(number, rng) for number in range(1, PUPILS + 1)]
    with FakeZulip(rate_limit=None) as zulip, tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as folder:
        lms_url = f"sqlite:///{folder}/lms.db"
        engine = sa.create_engine(lms_url)
        _enrol(engine, pupils)
        for number in range(1, MENTORS + 1):
            zulip.add_user(f"Mentor {number}", f"m{number}@school.example")
        given = {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": f"sqlite:///{folder}/store.db"}
        settings = load(None, given)
        store = open_store(settings.store_database_url)
        lms = Lms.of(settings)
        poller = Poller(store, lms, settings)
        clock = [BEGIN]
        chat = Chat(zulip.write_zuliprc(Path(folder) / "zuliprc"), RateLimiter(1_000_000))
        deliverer = Deliverer(store, chat, settings, lambda: clock[0])
        with store.writing() as transaction:
            accounts.keep_zulip_users(transaction, chat.users(), BEGIN)
        rows = _rows(pupils, rng)
        began = time.perf_counter()
        jobs = ClockJobs(store, lms, settings)

        def poll(now: datetime) -> None:
            poller.poll(now)
            jobs.run(now)

        wrong = _live(engine, rows, poll, deliverer, store, clock)
        print(f"{DAYS} days, {PUPILS} students, {MENTORS} mentors: {time.perf_counter() - began:.0f} s")
        _report(store, pupils, wrong)
        store.close()
        lms.close()


def _live(
    engine: sa.Engine,
    rows: list[tuple[datetime, int, int, str, int]],
    poll: Callable[[datetime], None],
    deliverer: Deliverer,
    store: Store,
    clock: list[datetime],
) -> int:
    """Poll and deliver until the end; gives how many were told to be inactive who had learned meanwhile."""
    learned: dict[int, datetime] = {}
    known = wrong = 0
    left = iter([*rows, (BEGIN + 1000 * DAY, 0, 0, "", 0)])
    row = next(left)
    number = 0
    while clock[0] < BEGIN + DAYS * DAY:
        with engine.begin() as connection:
            while row[0] <= clock[0]:
                at, student_id, exam_id, result, percentage = row
                number += 1
                connection.exec_driver_sql(
                    "INSERT INTO attempts (id, date, exam_id, user_id, state, result, percentage,"
                    " last_answer_updated_time) VALUES (?, ?, ?, ?, 'completed', ?, ?, ?)",
                    (number, (at - HOUR).isoformat(), exam_id, student_id, result, percentage, at.isoformat()),
                )
                learned[student_id] = at
                row = next(left)
        poll(clock[0])
        while not deliverer.deliver_turn(30.0).is_done:
            pass
        told = _told(store, "inactive")
        wrong += sum(clock[0] - learned[who] < STAYS_AWAY for who, _ in told[known:] if who in learned)
        known = len(told)
        clock[0] += POLL_EVERY
    return wrong


def _told(store: Store, rule: str) -> list[tuple[int, datetime]]:
    c = tables.student_alerts.c
    query = sa.select(c.student_id, c.told_at).where(c.rule == rule, c.told_at.is_not(None)).order_by(c.told_at)
    with store.reading() as transaction:
        return [(row[0], row[1]) for row in transaction.execute(query)]


def _report(store: Store, pupils: list[Pupil], wrong: int) -> None:
    with store.reading() as transaction:
        alerts = list(transaction.execute(sa.select(tables.student_alerts)))
    sent = [alert for alert in alerts if alert.told_at is not None]
    for rule, count in Counter(alert.rule for alert in alerts).most_common():
        told = sum(alert.rule == rule for alert in sent)
        reasons = Counter(alert.untold or "over before" for alert in alerts if alert.rule == rule and not alert.told_at)
        print(f"  {rule}: {count:,} true, {told:,} told, not told: {dict(reasons)}")
    per_day = Counter((alert.mentor_id, alert.told_at.date()) for alert in sent)
    print(
        f"  alerts a mentor and day: {mean(per_day.values()) * len(per_day) / (MENTORS * DAYS):.2f} on average, ",
        end="",
    )
    print(f"{max(per_day.values())} at most")
    away = {pupil.student_id: BEGIN + pupil.leaves_on * DAY for pupil in pupils if pupil.leaves_on < DAYS - 12}
    told_of = {alert.student_id for alert in sent if alert.rule == "inactive"}
    print(f"  {len(away)} students stay away for good, {len(away.keys() & told_of)} of them were told of; ", end="")
    print(f"told to be inactive within five days of learning: {wrong}")


def _pupil(number: int, rng: random.Random) -> Pupil:
    leaves_on = rng.randint(1, DAYS) if number % 8 == 0 else 10 * DAYS
    return Pupil(number, rng.choice((0.9, 0.7, 0.5, 0.35)), rng.choice((0.95, 0.85, 0.6)), leaves_on)


def _rows(pupils: list[Pupil], rng: random.Random) -> list[tuple[datetime, int, int, str, int]]:
    """What everybody finishes from twenty days before the beginning on, in the order of time."""
    found = []
    for day in range(-20, DAYS):
        for pupil in pupils:
            if day >= pupil.leaves_on or rng.random() > pupil.diligence:
                continue
            for _ in range(rng.randint(1, 3)):
                at = BEGIN + day * DAY + rng.uniform(8, 22) * HOUR
                passes = rng.random() < pupil.ability
                percentage = round(rng.gauss(80, 8)) if passes else round(rng.gauss(38, 8))
                found.append((at, pupil.student_id, rng.randint(1, EXAMS), "pass" if passes else "fail", percentage))
    return sorted(found)


def _enrol(engine: sa.Engine, pupils: list[Pupil]) -> None:
    with engine.begin() as connection:
        raw = connection.connection.cursor()
        raw.executescript(school.schema("sqlite"))
        created = (BEGIN - 60 * DAY).isoformat()
        raw.executemany(
            "INSERT INTO students (id, username, is_active, created) VALUES (?, ?, 1, ?)",
            [(pupil.student_id, f"student_{pupil.student_id}", created) for pupil in pupils],
        )
        raw.executemany(
            "INSERT INTO mentors (id, username, email, created, students_count) VALUES (?, ?, ?, ?, 0)",
            [(n, f"mentor_{n}", f"m{n}@school.example", created) for n in range(1, MENTORS + 1)],
        )
        raw.executemany(
            'INSERT INTO "_MentorToStudent" ("A", "B") VALUES (?, ?)',
            [(1 + pupil.student_id % MENTORS, pupil.student_id) for pupil in pupils],
        )
        raw.executemany(
            "INSERT INTO exams (id, slug, title, duration, number_of_questions, created, modified)"
            " VALUES (?, ?, ?, 60, 10, ?, ?)",
            [(n, f"exam-{n}", f"Exam {n}", created, created) for n in range(1, EXAMS + 1)],
        )


if __name__ == "__main__":
    if sys.argv[1] == "days":
        thirty_days()
    else:
        over_everybody(sys.argv[1], int(sys.argv[2]))
