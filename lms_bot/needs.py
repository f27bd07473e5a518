"""Alerts about students, as they are opened, kept and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from lms_bot.rules import Verdict
from lms_bot.terms import Rule


class Outcome(StrEnum):
    """How an alert was closed."""

    OVER = "over"
    GREW = "grew"  # another alert says so more seriously
    DONE = "done"
    OFF = "off"  # its rule was turned off, or the student is not the mentor's any more


class Untold(StrEnum):
    """Why an open alert sends no message."""

    BASELINE = "baseline"  # it was true already when the rule began to be looked at
    COVERED = "covered"  # a more serious one stands
    OTHERWISE = "otherwise"  # the end of a streak is told as such
    TURNED_OFF = "turned off"  # nobody is told anything


class Reason(StrEnum):
    """Why an alert is said again."""

    UNTAKEN = "untaken"
    SNOOZED = "snoozed"  # it was put off until now


@dataclass(frozen=True, slots=True)
class StudentAlert:
    """An alert as it is kept; its mentor knows it by its `number`. `student_id` is 0 where it is about an exam."""

    alert_id: int
    rule: Rule
    mentor_id: int
    number: int
    student_id: int
    subject_id: int
    title: str | None
    level: int
    numbers: Mapping[str, Any]
    since: datetime
    until: datetime | None
    opened_at: datetime
    tell_at: datetime | None = None
    untold: Untold | None = None
    told_at: datetime | None = None
    remind_at: datetime | None = None
    snoozed_until: datetime | None = None
    taken_at: datetime | None = None
    taken_by: int | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def key(self) -> Key:
        return Key(self.mentor_id, self.student_id, self.rule, self.subject_id)


class Key(NamedTuple):
    """What one open alert at most there is of."""

    mentor_id: int
    student_id: int
    rule: Rule
    subject_id: int


class Reminder(NamedTuple):
    """An alert that is said again."""

    reminder_id: int
    alert: StudentAlert
    reason: Reason


class Opening(NamedTuple):
    """An alert to be opened: what the rule says to whom, and when that is to be told, or why not."""

    key: Key
    verdict: Verdict
    tell_at: datetime | None
    untold: Untold | None = None
