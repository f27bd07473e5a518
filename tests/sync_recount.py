"""What an LMS and a store hold of people and studies, each counted by plain SQL; alike where both are in sync."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lms_bot.core.sync import Problem, SyncResult
from lms_bot.store import tables
from lms_bot.store.session import Store
from tests.lms_rows import LmsRows, Watch

Held = dict[str, dict[tuple[int, ...], tuple[Any, ...]]]
"""By table, the values of each row under its key."""

_KINDS = {"students": ["students"], "mentors": ["mentors"], "links": ["mentor_students"]}
_KEPT = {
    tables.students: ("student_id", "username", "email", "is_active"),
    tables.mentors: ("mentor_id", "username", "email"),
    tables.mentor_students: ("mentor_id", "student_id"),
    tables.batches: ("batch_id", "name"),
    tables.batch_students: ("batch_id", "student_id"),
    tables.courses: ("course_id", "title"),
    tables.course_batches: ("course_id", "batch_id"),
    tables.course_items: ("course_id", "item", "source_table", "activity_id"),
    tables.lms_counts: ("student_id", "source_id", "day", "current_streak"),
    tables.attempt_results: ("source_table", "source_id", "attempt_id", "label", "correct", "incorrect", "total"),
}
_READ = {
    "students": "SELECT id, username, email, is_active FROM students",
    "mentors": "SELECT id, username, email FROM mentors",
    "mentor_students": 'SELECT DISTINCT "A", "B" FROM "_MentorToStudent"',
    "batches": "SELECT id, name FROM batches",
    "batch_students": 'SELECT DISTINCT "A", "B" FROM "_BatchToStudent"',
    "courses": "SELECT id, title FROM courses",
    "course_batches": 'SELECT DISTINCT "B", "A" FROM "_CourseBatch"',
}
_RESULTS = """
    SELECT id, attempt_id, trim(subject_name), coalesce(correct_answers_count, 0), coalesce(incorrect_answers_count, 0),
           total_count, is_leaf
    FROM subject_stats WHERE attempt_id IS NOT NULL AND trim(subject_name) <> ''
"""
_DAYS = "SELECT id, student_id, fetch_date, current_streak FROM student_activities WHERE fetch_date IS NOT NULL"


def in_lms(rows: LmsRows) -> Held:
    """What the LMS holds, as the store should."""
    with rows.engine.connect() as connection:

        def read(query: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        held = {name: _by_key(read(query), 1 if name in _NAMED else 2) for name, query in _READ.items()}
        held["students"] = {key: (*row[:2], bool(row[2])) for key, row in held["students"].items()}
        leaves = [row for row in read(_RESULTS) if row[-1] is None or row[-1]]
        held["attempt_results"] = {(row[0],): tuple(row[1:-1]) for row in leaves}
        newest: dict[int, tuple[str, int, Any]] = {}
        for source_id, student, day, streak in read(_DAYS):
            one = (str(day)[:10], source_id, streak)
            newest[int(student)] = max(newest.get(int(student), one), one, key=lambda each: each[:2])
    held["lms_counts"] = {(student,): (one[1], one[0], one[2]) for student, one in newest.items()}
    return held


def in_store(store: Store) -> Held:
    """What the store holds of the same."""
    held: Held = {}
    with store.reading() as transaction:
        for table, names in _KEPT.items():
            width = len(table.primary_key)
            rows = transaction.execute(sa.select(*(table.c[name] for name in names)))
            held[table.name] = _by_key([tuple(row) for row in rows], width)
    held["attempt_results"] = {(key[1],): row for key, row in held["attempt_results"].items()}
    held["lms_counts"] = {key: (row[0], str(row[1]), row[2]) for key, row in held["lms_counts"].items()}
    return held


def differences(lms: Held, store: Held) -> dict[str, tuple[Any, Any]]:
    """Where the two differ, as (what only the LMS has, what only the store has), by table."""
    return {
        name: (dict(there.items() - store[name].items()), dict(store[name].items() - there.items()))
        for name, there in lms.items()
        if there != store[name]
    }


def changes(before: Held, after: Held) -> dict[str, tuple[int, int, int]]:
    """How many rows of each kind were added, changed and removed."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for name, there in after.items():
        was = before[name]
        kind = next((kind for kind, names in _KINDS.items() if name in names), "academics")
        for place, number in enumerate(
            (
                len(there.keys() - was.keys()),
                sum(was[key] != there[key] for key in was.keys() & there.keys()),
                len(was.keys() - there.keys()),
            )
        ):
            counted[kind][place] += number
    return {kind: (found[0], found[1], found[2]) for kind, found in counted.items()}


def said_changes(result: SyncResult) -> dict[str, tuple[int, int, int]]:
    """The same as a sync says it."""
    return {name: (one.changes.added, one.changes.changed, one.changes.removed) for name, one in result.kinds.items()}


def conflicts_of_people(lms: Held) -> set[tuple[str, int, Problem]]:
    """Which people, links and pairs cannot be quite right, by what the LMS holds."""
    found: set[tuple[str, int, Problem]] = set()
    for name in ("students", "mentors"):
        for place, problem in ((0, Problem.SAME_USERNAME), (1, Problem.SAME_EMAIL)):
            groups: dict[str, list[int]] = defaultdict(list)
            for (one,), row in lms[name].items():
                if row[place] and row[place].strip():
                    groups[row[place].strip().casefold()].append(one)
            found |= {(name, min(ids), problem) for ids in groups.values() if len(ids) > 1}
    for name, place, known, problem in (
        ("mentor_students", 0, "mentors", Problem.UNKNOWN_MENTOR),
        ("mentor_students", 1, "students", Problem.UNKNOWN_STUDENT),
        ("batch_students", 0, "batches", Problem.UNKNOWN_BATCH),
        ("batch_students", 1, "students", Problem.UNKNOWN_STUDENT),
    ):
        found |= {(name, pair[place], problem) for pair in lms[name] if (pair[place],) not in lms[known]}
    return found


@contextmanager
def after_reading(watch: Watch, times: int, change: Callable[[], None]) -> Iterator[None]:
    """Have something change in the LMS once so many transactions have read it."""
    left = [times]

    def ended(*_given: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            change()

    sa.event.listen(watch.lms.engine, "checkin", ended)
    try:
        yield
    finally:
        sa.event.remove(watch.lms.engine, "checkin", ended)


_NAMED: Mapping[str, None] = dict.fromkeys(("students", "mentors", "batches", "courses"))


def _by_key(rows: Iterable[tuple[Any, ...]], width: int) -> dict[tuple[int, ...], tuple[Any, ...]]:
    return {row[:width]: row[width:] for row in rows}
