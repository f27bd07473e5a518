"""What `progress` and the overview of a mentor take in a store with much history, against their bare statements."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks.ground import databases
from benchmarks.questions import NOW, PAGE, STUDENTS, measured_with_bare, mentor_of, page, record
from lms_bot.config.settings import load
from lms_bot.core.events import Event
from lms_bot.core.people import Mentor, Student
from lms_bot.core.principal import Principal
from lms_bot.core.reports.mentor_overview import MentorOverview
from lms_bot.render import ROOM_FOR_LINES
from lms_bot.render.academics.progress import progress_text
from lms_bot.render.students import students_text
from lms_bot.reports.attention import attention, mentor_overview
from lms_bot.reports.patterns import progress
from lms_bot.store import tables
from lms_bot.store.people import people
from lms_bot.store.session import Store, open_store
from lms_bot.store.streaks import days
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

SETTINGS = load(None, {"LMS_DATABASE_URL": "sqlite:///nowhere.db"})
BATCH = 100  # students
COURSES, ITEMS = 25, 20  # each item has an exam and a content of one number
TAKEN = 4  # courses of a student: each is taken by 32 of the 200 batches, that is by 3,200 students
SUBJECTS = ("Algebra", "Geometry", "История")  # in each attempt


def measure(kind: str, rows: int) -> None:
    """Print what each report takes, as a multiple of its bare statements, and making the answer."""
    with _filled(kind, rows) as store:
        print(f"{kind}: {rows:,} events of {STUDENTS:,} students, milliseconds")
        mary, admin = Principal.of([Mentor(1, "mary")], []), Principal.of([], [], is_admin=True)
        zone = SETTINGS.timezone
        students = iter(range(1, STUDENTS, 7))
        for name, read, show in (
            ("progress", lambda t: progress(t, mary, 20, SETTINGS, NOW), lambda p: progress_text(p, ROOM_FOR_LINES)),
            ("progress of another each time", lambda t: progress(t, admin, next(students), SETTINGS, NOW), str),
            ("students, 40", lambda t: attention(t, mary, zone, NOW), lambda a: students_text(a, NOW)),
            ("overview, 40 students", lambda t: mentor_overview(t, mary, SETTINGS, NOW), MentorOverview.as_json),
        ):
            reading, bare, showing = measured_with_bare(store, read, show)
            ratio = reading.median / bare.median
            print(f"{name}: read {reading}, bare SQL {bare} ({ratio:.1f}), show {showing}", flush=True)


@contextmanager
def _filled(kind: str, rows: int) -> Iterator[Store]:
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (_, store_url, _),
    ):
        store = open_store(store_url)
        started = time.perf_counter()
        _fill(store, rows)
        print(f"{kind}: filled in {time.perf_counter() - started:.0f} s", flush=True)
        try:
            yield store
        finally:
            store.close()


def _fill(store: Store, rows: int) -> None:
    """Events of two years at the items of each student's courses, three results by subject each, and their days."""
    students = [Student(number, f"student_{number}") for number in range(1, STUDENTS + 1)]
    links = [(mentor_of(student.student_id), student.student_id) for student in students]
    mentors = [Mentor(number, f"mentor_{number}") for number in sorted({mentor_id for mentor_id, _ in links})]
    with store.writing() as transaction:
        people.keep_people(transaction, students, mentors, links, NOW)
        _add_courses(transaction)
    for start in range(0, rows, PAGE):
        record(store, [_at_item(event) for event in page(start, rows)])
    with store.writing() as transaction:
        _add_results(transaction)
    with store.writing() as transaction:
        days.recount(transaction, SETTINGS.timezone, NOW)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if store.engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


def _at_item(event: Event) -> Event:
    """The same event at the next item of the courses that its student takes."""
    first = (event.student_id or 0) // BATCH % COURSES * ITEMS
    item = (first + event.source_id // STUDENTS * 7 % (TAKEN * ITEMS)) % (COURSES * ITEMS)
    is_video = event.source_table == CONTENT_ATTEMPTS and item % 2
    metadata = {**event.metadata, "content_type": "video"} if is_video else event.metadata
    return event._replace(activity_id=item, activity_title=f"Item {item}", metadata=metadata)


def _add_courses(transaction: sa.Connection) -> None:
    batches = range(STUDENTS // BATCH + 1)
    rows: dict[sa.Table, list[dict[str, object]]] = {
        tables.batches: [{"batch_id": batch, "name": f"Batch {batch}"} for batch in batches],
        tables.batch_students: [
            {"batch_id": student // BATCH, "student_id": student} for student in range(1, STUDENTS + 1)
        ],
        tables.courses: [{"course_id": course, "title": f"Course {course}"} for course in range(COURSES)],
        tables.course_batches: [
            {"course_id": (batch + step) % COURSES, "batch_id": batch} for batch in batches for step in range(TAKEN)
        ],
        tables.course_items: [
            {"course_id": item // ITEMS, "item": f"{kind} {item}", "source_table": kind, "activity_id": item}
            for item in range(COURSES * ITEMS)
            for kind in (ATTEMPTS, CONTENT_ATTEMPTS)
        ],
    }
    for table, values in rows.items():
        transaction.execute(sa.insert(table), values)


def _add_results(transaction: sa.Connection) -> None:
    """Three results by subject for each event, of an attempt or not: so many are there to be passed over."""
    c = tables.events.c
    for place, subject in enumerate(SUBJECTS):
        correct = (c.source_id + place) % 11
        result = sa.select(
            sa.literal("results"), c.source_id * len(SUBJECTS) + place, sa.literal(ATTEMPTS), c.source_id
        ).add_columns(sa.literal("subject"), sa.literal(subject), correct, 10 - correct, sa.literal(0), sa.literal(10))
        columns = list(tables.attempt_results.c)
        transaction.execute(sa.insert(tables.attempt_results).from_select(columns, result))


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
