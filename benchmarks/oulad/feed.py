"""Feeds a store with the dataset: a day with clicks is activity, a submission an exam end, a due day a deadline."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from benchmarks.oulad.dataset import Dataset, Enrolment
from lms_bot.core.calendar import DAY
from lms_bot.core.events import EventType
from lms_bot.store import tables
from lms_bot.store.session import Store

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)  # the start of every presentation, so that all are of one age
OF_MENTOR = 20
SEED = 19
PASS = 40.0
TOGETHER = 20_000


@dataclass(frozen=True, slots=True)
class Fed:
    """Who is in the store: enrolments by the id of the student that each is there, and when those left who did."""

    enrolments: Mapping[int, Enrolment]
    left: Mapping[int, datetime]
    mentors: int


def feed(store: Store, dataset: Dataset, days: int) -> Fed:
    """Fill an empty store with what happened until the end of so many days."""
    enrolled = {number: one for number, one in enumerate(dataset.enrolments, 1) if one.unregistered > 0}
    ids = {(one.course, one.student): number for number, one in enrolled.items()}
    order = sorted(enrolled)
    random.Random(SEED).shuffle(order)
    links = [(1 + place // OF_MENTOR, number) for place, number in enumerate(order)]
    courses = {course: number for number, course in enumerate(sorted({one.course for one in enrolled.values()}), 1)}
    exams = {name: number for number, name in enumerate(sorted(dataset.assessments), 1)}
    _put(store, tables.students, ({"student_id": one, "username": f"s{one}", "is_active": True} for one in enrolled))
    mentors = sorted({mentor for mentor, _ in links})
    _put(store, tables.mentors, ({"mentor_id": one, "username": f"m{one}"} for one in mentors))
    _put(store, tables.mentor_students, ({"mentor_id": one, "student_id": other} for one, other in links))
    _put(store, tables.watched, (_watched(number, one) for number, one in enrolled.items()))
    taken = ({"course_id": courses[one.course], "student_id": number} for number, one in enrolled.items())
    _put(store, tables.course_students, taken)
    due = [
        (name, one) for name, one in dataset.assessments.items() if one.due_day is not None and one.course in courses
    ]
    _put(store, tables.course_items, (_item(exams[name], courses[one.course]) for name, one in due))
    _put(store, tables.deadlines, (_deadline(exams[name], one.due_day or 0, one.title) for name, one in due))
    _put(store, tables.events, _events(dataset, ids, courses, exams, days))
    left = {number: BEGIN + one.unregistered * DAY for number, one in enrolled.items() if one.unregistered < days}
    return Fed(enrolled, left, len(mentors))


def _put(store: Store, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    insert = sa.insert(table)
    rest = iter(rows)
    with store.writing() as transaction:
        while some := [row for row, _ in zip(rest, range(TOGETHER), strict=False)]:
            transaction.execute(insert, some)


def _watched(number: int, one: Enrolment) -> dict[str, Any]:
    return {"student_id": number, "enrolled_at": BEGIN + max(one.registered, 0) * DAY}


def _item(exam_id: int, course_id: int) -> dict[str, Any]:
    return {"course_id": course_id, "item": str(exam_id), "source_table": "attempts", "activity_id": exam_id}


def _deadline(exam_id: int, due_day: int, title: str) -> dict[str, Any]:
    return {
        "source_table": "attempts",
        "activity_id": exam_id,
        "until": BEGIN + (due_day + 1) * DAY,  # the due day is still in time
        "title": title,
    }


def _events(
    dataset: Dataset,
    ids: Mapping[tuple[tuple[str, str], str], int],
    courses: Mapping[tuple[str, str], int],
    exams: Mapping[str, int],
    days: int,
) -> Iterator[dict[str, Any]]:
    number = 0
    for course, student, day in dataset.activity():
        student_id = ids.get((course, student))
        if student_id is not None and day < days:
            number += 1
            at = BEGIN + (day + 0.5) * DAY
            yield _event(("content_attempts", number), student_id, courses[course], EventType.CONTENT_WATCHED, at, None)
    for student, name, day, score in dataset.submissions():
        assessment = dataset.assessments.get(name)
        student_id = ids.get((assessment.course, student)) if assessment else None
        if student_id is not None and day < days:
            number += 1
            passed = EventType.EXAM_FAILED if score is not None and score < PASS else EventType.EXAM_PASSED
            kind = EventType.EXAM_COMPLETED if score is None else passed
            yield _event(("attempts", number), student_id, exams[name], kind, BEGIN + (day + 0.75) * DAY, score)


def _event(
    source: tuple[str, int], student_id: int, activity_id: int, kind: EventType, at: datetime, score: float | None
) -> dict[str, Any]:
    return {
        "event_type": kind.value,
        "student_id": student_id,
        "activity_id": activity_id,
        "activity_metadata": {},
        "timestamp": at,
        "created_at": at,
        "source_table": source[0],
        "source_id": source[1],
        "is_history": True,
        "fingerprint": 0,
        "percentage": score,
    }
