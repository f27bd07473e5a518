"""What the questions of mentors and admins take in a store with much history: reading it, and making the answer."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.ground import databases
from lms_bot.domain import ATTEMPTS, CONTENT_ATTEMPTS, Event, EventType, Mentor, Student
from lms_bot.render.chart import chart_png, chart_text
from lms_bot.render.export import csv_pages
from lms_bot.render.standing import card_text, feed_text, standings_text
from lms_bot.store import Store, Transaction, counts, open_store, outbox, people, queries, tables
from lms_bot.store import events as recorded
from lms_bot.store.feed import Filter, export, feed
from lms_bot.store.standing import card, scores, standings

NOW = datetime.now(UTC).replace(microsecond=0)
STUDENTS = 5_000
SMALL, LARGE = 40, 200  # students of mentors 1 and 2; the others have 100 each
PAGE = 5_000
RUNS = 40
COURSES = ("Programming 101", "Высшая математика", "English", "История")
KINDS = (
    *(EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED, EventType.EXAM_STARTED),
    *(EventType.CONTENT_STARTED, EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED, EventType.EXAM_PASSED),
)
Question = Callable[[Transaction], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds."""

    median: float
    late: float  # the 95th percentile


def measure(kind: str, rows: int) -> None:
    """Print what each question takes, reading and rendering apart."""
    with _filled(kind, rows) as store:
        print(f"{kind}: {rows:,} events of {STUDENTS:,} students, {RUNS} times each, milliseconds")
        for name, read, show in _questions(store):
            answers: list[Any] = []

            def ask(read: Question = read, answers: list[Any] = answers) -> None:
                with store.reading() as transaction:
                    answers.append(read(transaction))

            reading = _timed(ask)
            showing = _timed(lambda show=show, answer=answers[-1]: show(answer))  # type: ignore[misc]
            print(
                f"{name}: read p50 {reading.median:.1f} p95 {reading.late:.1f}, "
                f"show p50 {showing.median:.1f} p95 {showing.late:.1f}",
                flush=True,
            )


def _questions(store: Store) -> Iterator[tuple[str, Question, Callable[[Any], object]]]:
    with store.reading() as transaction:
        forty, many = (people.students_of(transaction, [mentor]) for mentor in (1, 2))
    ids, many_ids = ([student.student_id for student in own] for own in (forty, many))
    jane = many[0]
    nobody = Filter(course="no such course")
    yield "stats, 40 students", lambda t: queries.statistics(t, [1]), str
    yield "stats, 200 students", lambda t: queries.statistics(t, [2]), str
    yield "stats, admin", queries.statistics, str
    yield "students, 40", lambda t: standings(t, forty, NOW), lambda found: standings_text(found)
    yield "students, 200", lambda t: standings(t, many, NOW), lambda found: standings_text(found)
    yield "student", lambda t: card(t, jane, NOW), card_text
    yield "history 20", lambda t: queries.history(t, jane.student_id, None, 21), feed_text
    yield "feed 20, 40 students", lambda t: feed(t, ids, 21), feed_text
    yield "feed 20, 200 students", lambda t: feed(t, many_ids, 21), feed_text
    yield "feed 20 after 200, 200 students", lambda t: feed(t, many_ids, 21, offset=200), feed_text
    yield (
        "feed type:exam_failed since:7d, 200 students",
        lambda t: feed(t, many_ids, 21, Filter(NOW - timedelta(days=7), frozenset([EventType.EXAM_FAILED]))),
        feed_text,
    )
    yield "feed course:матем, 200 students", lambda t: feed(t, many_ids, 21, Filter(course="МАТЕМ")), feed_text
    yield "feed course:(none has it), 200 students", lambda t: feed(t, many_ids, 21, nobody), str
    yield "chart", lambda t: scores(t, jane.student_id, None, 200), _drawn
    yield "export, one student", lambda t: list(export(t, [jane.student_id])), csv_pages
    yield "export 30d, 200 students", lambda t: list(export(t, many_ids, NOW - timedelta(days=30))), csv_pages
    yield "export all, 200 students", lambda t: list(export(t, many_ids)), csv_pages


def _drawn(found: Sequence[Event]) -> object:
    return chart_png("jane", found, UTC), chart_text("jane", found)


def _timed(action: Callable[[], object]) -> Measured:
    action()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - started))
    return Measured(statistics.median(taken), statistics.quantiles(taken, n=20)[-1])


@contextmanager
def _filled(kind: str, rows: int) -> Iterator[Store]:
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (_, store_url, _),
    ):
        store = open_store(store_url)
        started = time.perf_counter()
        fill(store, rows)
        print(f"{kind}: filled in {time.perf_counter() - started:.0f} s", flush=True)
        try:
            yield store
        finally:
            store.close()


def fill(store: Store, rows: int) -> None:
    """Events of two years up to now, nine of ten told, and the last thousand still owed."""
    students = [Student(number, f"student_{number}") for number in range(1, STUDENTS + 1)]
    mentor_of = {s.student_id: _mentor(s.student_id) for s in students}
    mentors = [Mentor(number, f"mentor_{number}") for number in sorted(set(mentor_of.values()))]
    with store.writing() as transaction:
        people.keep_people(transaction, students, mentors, [(m, s) for s, m in mentor_of.items()], NOW)
    for start in range(0, rows, PAGE):
        _record(store, range(start, min(start + PAGE, rows)), rows, mentor_of)
    with store.writing() as transaction:
        log = tables.logs
        told = log.c.event_id <= rows - 1000
        transaction.execute(sa.update(log).where(told).values(due_at=None))
        sent = told & (log.c.event_id % 10 != 0)
        transaction.execute(sa.update(log).where(sent).values(notification_sent=True))
        failed = told & (log.c.event_id % 1000 == 0)
        transaction.execute(sa.update(log).where(failed).values(error_message="refused"))
        counted = transaction.scalar(sa.select(sa.func.count()).select_from(log).where(sent)) or 0
        counts.add(transaction, counts.TOLD, counted)
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _record(store: Store, numbers: range, rows: int, mentor_of: dict[int, int]) -> None:
    for table in (ATTEMPTS, CONTENT_ATTEMPTS):
        observed = [event for number in numbers if (event := _event(number, rows)).source_table == table]
        with store.writing() as transaction:
            inserted = recorded.record(transaction, observed, {}, NOW)
            owed = [(event_id, mentor_of[event.student_id or 0], NOW) for event_id, event in inserted]
            outbox.owe(transaction, owed)


def _event(number: int, rows: int) -> Event:
    student = 1 + number * 7 % STUDENTS
    kind = KINDS[(number // STUDENTS + student) % len(KINDS)]
    metadata: dict[str, Any] = {"course_title": COURSES[number // 11 % len(COURSES)], "chapter_name": "Introduction"}
    if kind.is_exam_end:
        metadata |= {"score": number % 100, "percentage": 20 + number % 81, "result": "pass", "time_taken": 2700}
    return Event(
        event_type=kind,
        source_table=ATTEMPTS if kind.startswith("exam") else CONTENT_ATTEMPTS,
        source_id=number,
        student_id=student,
        student_username=f"student_{student}",
        activity_id=number % 500,
        activity_title=f"Exam number {number % 500}",
        metadata=metadata,
        timestamp=NOW - timedelta(seconds=63_072_000 * (rows - number) / rows),
        is_history=False,
        fingerprint=number,
        mirrors=None,
    )


def _mentor(student_id: int) -> int:
    if student_id <= SMALL:
        return 1
    return 2 if student_id <= SMALL + LARGE else 3 + student_id // 100


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
