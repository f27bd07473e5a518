"""Turns rows of details into results of parts of attempts, and into what the LMS counts of students."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date
from typing import Any

from lms_bot.core.sync.studies import COUNTED, AttemptResult, LmsCounts
from lms_bot.lms.source import Counts, Detail, Results
from lms_bot.lms.values import integer, moment, number, text

_HIGHEST = 2**31  # what is more is a mistake, and the store could not hold it

Stated = tuple[tuple[AttemptResult | LmsCounts, ...], tuple[int, ...]]
"""What rows say, and the ids of those that say nothing that can be kept, or are none of ours."""


def detail_reader(detail: Detail) -> Callable[[Iterable[Any]], Stated]:
    """Return what reads rows with all columns of a detail; of a row read twice, the last counts."""
    key = detail.place(detail.key)
    state = _results(detail) if isinstance(detail, Results) else _counts(detail)

    def read(rows: Iterable[Any]) -> Stated:
        by_id = {row[key]: row for row in rows}
        stated = {one: state(row) if detail.only is None or row[-1] else None for one, row in by_id.items()}
        dropped = tuple(one for one, said in stated.items() if said is None)
        return tuple(said for said in stated.values() if said is not None), dropped

    return read


def _results(detail: Results) -> Callable[[Any], AttemptResult | None]:
    at = detail.place
    key, attempt, label, student = at(detail.key), at(detail.attempt), at(detail.label), at(detail.student)
    username = None if detail.username is None else at(detail.username)
    counts = [at(field) for field in (detail.correct, detail.incorrect, detail.unanswered, detail.total)]

    def state(row: Any) -> AttemptResult | None:
        attempt_id, name = integer(row[attempt]), (text(row[label]) or "").strip()
        if attempt_id is None or not name:
            return None
        correct, incorrect, unanswered, total = (_count(row[place]) for place in counts)
        answered = ((correct or 0), (incorrect or 0), (unanswered or 0))
        return AttemptResult(
            detail.name,
            row[key],
            detail.exam_source,
            attempt_id,
            detail.dimension,
            name,
            *answered,
            sum(answered) if total is None else total,
            integer(row[student]),
            None if username is None else text(row[username]),
        )

    return state


def _counts(detail: Detail) -> Callable[[Any], LmsCounts | None]:
    assert isinstance(detail, Counts)
    key, student, day = (detail.place(field) for field in (detail.key, detail.student, detail.day))
    counts = [None if (field := detail.counts.get(name)) is None else detail.place(field) for name in COUNTED]

    def state(row: Any) -> LmsCounts | None:
        student_id, on = _id(row[student]), _day(row[day])
        if student_id is None or on is None:
            return None
        counted = (None if place is None else _count(row[place]) for place in counts)
        return LmsCounts(student_id, row[key], on, *counted)

    return state


def _id(value: Any) -> int | None:
    """Return a student's id, which may stand there as text."""
    said = (text(value) or "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


def _day(value: Any) -> date | None:
    at = moment(text(value), UTC)
    return None if at is None else at.date()


def _count(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 <= found < _HIGHEST else None
