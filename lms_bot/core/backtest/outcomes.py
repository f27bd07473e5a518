"""What became of students, and how right alerts were about that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from lms_bot.core.alerts import Rule
from lms_bot.core.backtest.history import Past, StudentHistory
from lms_bot.core.backtest.replay import Sent
from lms_bot.core.calendar import DAY
from lms_bot.core.events import NO_PRESENCE, EventType

SILENT = timedelta(days=14)
WEEK = timedelta(days=7)


class Kind(StrEnum):
    """What a student would have needed their mentor for."""

    FAILED = "failed"  # an exam, and not passed it until the end
    LEFT = "left"
    SILENT = "silent"  # for 14 days


class Outcome(NamedTuple):
    """What became of a student first, and when that was so."""

    at: datetime
    kind: Kind


class Judged(NamedTuple):
    """How right the alerts of a rule were, or all of them (`rule` is None); students are counted once.

    `lead_days` is the median of the days from a student's first alert to what became of them, None without any.
    """

    rule: Rule | None
    alerts: int
    per_mentor_week: float
    students: int
    precision: float | None
    recall: float | None
    lead_days: float | None


def outcome(history: StudentHistory, begin: datetime, end: datetime) -> Outcome | None:
    """Return what became of a student first within a period, None if nothing did."""
    found = [*_failed(history.past, end), *_silent(history.past, end)]
    if history.left_at is not None and history.left_at <= end:
        found.append(Outcome(history.left_at, Kind.LEFT))
    return min((one for one in found if begin < one.at <= end), default=None)


def _failed(past: Iterable[Past], end: datetime) -> Iterable[Outcome]:
    last: dict[tuple[str, int | None], Past] = {}
    for one in past:
        if one.known_at <= end and EventType(one.kind).is_exam_end:
            last[one.source_table, one.activity_id] = one
    return (Outcome(one.known_at, Kind.FAILED) for one in last.values() if one.kind == EventType.EXAM_FAILED)


def _silent(past: Iterable[Past], end: datetime) -> Iterable[Outcome]:
    seen = sorted(one.at for one in past if one.kind not in NO_PRESENCE and one.at <= end)
    return (Outcome(early + SILENT, Kind.SILENT) for early, late in pairwise([*seen, end]) if late - early >= SILENT)


def judge(
    sent: Sequence[Sent], outcomes: Mapping[int, Outcome | None], mentors: int, period: timedelta
) -> list[Judged]:
    """Return how right the alerts of each rule were, those with most first, and before them all together."""
    by_rule = {rule: [one for one in sent if one.rule is rule] for rule in Rule}
    rules = sorted((rule for rule, own in by_rule.items() if own), key=lambda rule: -len(by_rule[rule]))
    mentor_weeks = mentors * period / WEEK
    whole = _judged(None, sent, outcomes, mentor_weeks)
    return [whole, *(_judged(rule, by_rule[rule], outcomes, mentor_weeks) for rule in rules)]


def _judged(
    rule: Rule | None, sent: Sequence[Sent], outcomes: Mapping[int, Outcome | None], mentor_weeks: float
) -> Judged:
    first: dict[int, datetime] = {}
    for one in sent:
        if one.student_id:
            first[one.student_id] = min(one.at, first.get(one.student_id, one.at))
    true = {student_id: found for student_id, found in outcomes.items() if found is not None}
    right = [(true[student_id].at - at) / DAY for student_id, at in first.items() if student_id in true]
    return Judged(
        rule,
        len(sent),
        round(len(sent) / mentor_weeks, 3) if mentor_weeks else 0.0,
        len(first),
        round(len(right) / len(first), 3) if first else None,
        round(len(right) / len(true), 3) if true else None,
        round(median(right), 1) if right else None,
    )
