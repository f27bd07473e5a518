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
from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Mentor, Student
from lms_bot.core.reports.attention import Attention
from lms_bot.core.reports.feed import Exported, Filter
from lms_bot.core.reports.students import StudentSummary
from lms_bot.core.streaks import Lasting
from lms_bot.handlers.mentor.history import FILE_EVENTS
from lms_bot.render.chart import chart_png, chart_text
from lms_bot.render.export import csv_pages
from lms_bot.render.feed import feed_text
from lms_bot.render.students import card_text, students_text
from lms_bot.store import counters, tables
from lms_bot.store.events import events as recorded
from lms_bot.store.notifications.trace import trace
from lms_bot.store.people import people
from lms_bot.store.reports.feed import export, feed
from lms_bot.store.reports.statistics import statistics as count_statistics
from lms_bot.store.reports.students import card, scores, summaries
from lms_bot.store.session import Store, Transaction, open_store
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

NOW = datetime.now(UTC).replace(microsecond=0)
STUDENTS = 20_000
SMALL, LARGE = 40, 200  # students of mentors 1 and 2; the others have 100 each
PAGE = 5_000
OWED = 1_000
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

    def __str__(self) -> str:
        return f"p50 {self.median:.1f} p95 {self.late:.1f}"


def measure(kind: str, rows: int) -> None:
    """Print what each question takes: reading, as a multiple of its bare statements, and making the answer."""
    with filled(kind, rows) as store:
        print(f"{kind}: {rows:,} events of {STUDENTS:,} students, {RUNS} times each, milliseconds")
        for name, read, show in _questions(store):
            reading, bare, showing = measured(store, read, show)
            ratio = reading.median / bare.median
            print(f"{name}: read {reading}, bare SQL {bare} ({ratio:.1f}), show {showing}", flush=True)


def measured(store: Store, read: Question, show: Callable[[Any], object]) -> tuple[Measured, Measured, Measured]:
    """Reading with the bare statements in turn, so that a busy moment of the machine is in both; then showing."""
    with _statements(store.engine) as statements, store.reading() as transaction:
        answer = read(transaction)

    def ask() -> None:
        with store.reading() as transaction:
            read(transaction)

    def ask_bare() -> None:
        with store.reading() as transaction:
            cursor: Any = transaction.connection.cursor()
            for statement, parameters in statements:
                cursor.execute(statement, parameters)
                cursor.fetchall()
            cursor.close()

    asked, bare, shown = (_Times() for _ in range(3))
    for _ in range(RUNS):
        asked.take(ask)
        bare.take(ask_bare)
        shown.take(lambda: show(answer))
    return asked.measured(), bare.measured(), shown.measured()


def _questions(store: Store) -> Iterator[tuple[str, Question, Callable[[Any], object]]]:
    with store.reading() as transaction:
        forty, many = (people.students_of(transaction, [mentor]) for mentor in (1, 2))
    ids, many_ids = ([student.student_id for student in own] for own in (forty, many))
    jane = many[0]
    nobody = Filter(course="no such course")
    yield "stats, 40 students", lambda t: count_statistics(t, [1]), str
    yield "stats, 200 students", lambda t: count_statistics(t, [2]), str
    yield "stats, admin", count_statistics, str
    yield "students, 40", lambda t: summaries(t, forty), _listed
    yield "students, 200", lambda t: summaries(t, many), _listed
    yield "student", lambda t: card(t, jane), lambda found: card_text(found, NOW)
    yield "history 20", lambda t: feed(t, [jane.student_id], 21), feed_text
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
    yield "why", lambda t: trace(t, ATTEMPTS, 8 * STUDENTS, [1]), str
    yield "students of a mentor", lambda t: people.students_of(t, [2]), str
    yield "export, one student", lambda t: list(export(t, [jane.student_id])), csv_pages
    yield "export 30d, 200 students", lambda t: list(export(t, many_ids, NOW - timedelta(days=30))), csv_pages
    yield "export all, 200 students, a file", lambda t: list(export(t, many_ids, most=FILE_EVENTS + 1)), csv_pages
    yield "export all, 200 students, the next file", lambda t: list(_next_file(t, many_ids)), csv_pages


def _next_file(transaction: Transaction, ids: Sequence[int]) -> Iterator[list[Exported]]:
    """After half of the students, which is in the middle of a file."""
    return export(transaction, ids, most=FILE_EVENTS + 1, after=(sorted(ids)[len(ids) // 2], NOW, 0))


def _drawn(found: Sequence[Event]) -> object:
    jane = Student(1, "jane")
    return chart_png(jane, found, UTC), chart_text(jane, found, NOW)


def _listed(found: Sequence[StudentSummary]) -> object:
    return students_text(Attention(tuple(found), {one.student.student_id: Lasting(0, 0) for one in found}, {}), NOW)


class _Times:
    """How long something took, again and again."""

    def __init__(self) -> None:
        self._taken: list[float] = []

    def take(self, action: Callable[[], object]) -> None:
        started = time.perf_counter()
        action()
        self._taken.append(1000 * (time.perf_counter() - started))

    def measured(self) -> Measured:
        return Measured(statistics.median(self._taken), statistics.quantiles(self._taken, n=20)[-1])


@contextmanager
def _statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block with their parameters, as the driver gets them."""
    noted: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            noted.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    yield noted
    sa.event.remove(engine, "before_cursor_execute", note)


@contextmanager
def filled(kind: str, rows: int) -> Iterator[Store]:
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
    links = [(mentor_of(student.student_id), student.student_id) for student in students]
    mentors = [Mentor(number, f"mentor_{number}") for number in sorted({mentor_id for mentor_id, _ in links})]
    with store.writing() as transaction:
        people.keep_people(transaction, students, mentors, links, NOW)
    for start in range(0, rows, PAGE):
        record(store, page(start, rows))
    with store.writing() as transaction:
        transaction.execute(_logs(rows))
        counters.add(transaction, counters.NOTIFIED, rows - OWED - (rows - OWED) // 10)
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def page(start: int, rows: int) -> list[Event]:
    return [_event(number, rows) for number in range(start, min(start + PAGE, rows))]


def record(store: Store, observed: list[Event]) -> None:
    """Record a page as a poll does, each source table in a transaction of its own."""
    for table in (ATTEMPTS, CONTENT_ATTEMPTS):
        with store.writing() as transaction:
            recorded.record(transaction, [event for event in observed if event.source_table == table], {}, NOW)


def _logs(rows: int) -> sa.Insert:
    """Every event is owed to its student's mentor: the last are still, of the others nine of ten were told."""
    event_id = tables.events.c.event_id
    is_owed = event_id > rows - OWED
    query = sa.select(
        event_id,
        tables.mentor_students.c.mentor_id,
        sa.case((is_owed, NOW)),
        ~is_owed & (event_id % 10 != 0),
        sa.case((event_id % 1000 == 0, "refused")),
    ).join(tables.mentor_students, tables.mentor_students.c.student_id == tables.events.c.student_id)
    columns = ["event_id", "mentor_id", "due_at", "notification_sent", "error_message"]
    return sa.insert(tables.logs).from_select(columns, query)


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


def mentor_of(student_id: int) -> int:
    if student_id <= SMALL:
        return 1
    return 2 if student_id <= SMALL + LARGE else 3 + student_id // 100


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
