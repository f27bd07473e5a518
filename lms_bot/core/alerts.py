"""Alert rules and alerts: their limits, when they are sent, and which covers which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from lms_bot.core.events import Event
from lms_bot.core.people import Student

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
HIGHEST_LEVEL = 3  # of an alert
NAME_LETTERS = "BCHKMPTX"  # of an alert; Cyrillic has letters that look the same, and without vowels they make no words


class Rule(StrEnum):
    """The rules by which a student may need their mentor; the last one is about an exam."""

    INACTIVE = "inactive"
    NEVER_STARTED = "never_started"
    FAILED_TWICE = "failed_twice"
    SCORE_DROP = "score_drop"
    ABANDONED = "abandoned"
    STREAK_BROKEN = "streak_broken"
    STUCK = "stuck"
    DEADLINE_MISSED = "deadline_missed"
    MANY_FAIL = "many_fail"


class Unit(StrEnum):
    """What the limit of a rule is counted in."""

    DAYS = "d"
    HOURS = "h"
    POINTS = "points"
    PERCENT = "%"


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """How a rule is applied: its limit, in a unit, and the bounds that a mentor may set it within.

    What becomes true is told after it has been so for `settle`, and not twice within `cooldown` of the same thing. A
    rule about `absence` says nothing while there is no fresh data. One that is `told_otherwise` sends no message.
    """

    limit: float
    unit: Unit
    low: float
    high: float
    cooldown: timedelta
    settle: timedelta = timedelta()
    absence: bool = False
    told_otherwise: bool = False


RULE_DEFINITIONS: dict[Rule, RuleDefinition] = {
    Rule.INACTIVE: RuleDefinition(5, Unit.DAYS, 1, 90, WEEK, absence=True),
    Rule.NEVER_STARTED: RuleDefinition(5, Unit.DAYS, 1, 90, WEEK, absence=True),
    Rule.FAILED_TWICE: RuleDefinition(14, Unit.DAYS, 1, 60, WEEK),
    Rule.SCORE_DROP: RuleDefinition(20, Unit.POINTS, 5, 100, WEEK, settle=HOUR),
    Rule.ABANDONED: RuleDefinition(3, Unit.HOURS, 1, 240, DAY, absence=True),
    Rule.STREAK_BROKEN: RuleDefinition(7, Unit.DAYS, 7, 365, WEEK, absence=True, told_otherwise=True),
    Rule.STUCK: RuleDefinition(4, Unit.DAYS, 1, 60, WEEK, absence=True),
    Rule.DEADLINE_MISSED: RuleDefinition(1, Unit.DAYS, 1, 60, WEEK, absence=True),
    Rule.MANY_FAIL: RuleDefinition(40, Unit.PERCENT, 5, 100, DAY, settle=HOUR),
}
COVERS: dict[Rule, tuple[Rule, ...]] = {
    Rule.INACTIVE: (Rule.STREAK_BROKEN, Rule.STUCK, Rule.ABANDONED),
    Rule.DEADLINE_MISSED: (Rule.INACTIVE, Rule.NEVER_STARTED, Rule.STREAK_BROKEN, Rule.STUCK),
    Rule.FAILED_TWICE: (Rule.SCORE_DROP,),
    Rule.MANY_FAIL: (Rule.FAILED_TWICE, Rule.SCORE_DROP),
}
"""Which alerts are not sent while a more serious one of the same student, or about the same exam, stands."""

BY_SERIOUSNESS = (
    Rule.FAILED_TWICE,
    Rule.MANY_FAIL,
    Rule.DEADLINE_MISSED,
    Rule.SCORE_DROP,
    Rule.INACTIVE,
    Rule.ABANDONED,
    Rule.STUCK,
    Rule.STREAK_BROKEN,
    Rule.NEVER_STARTED,
)
"""Of alerts of one level, those of the first rules come first."""

Limits = Mapping[Rule, float]
DEFAULTS: Limits = {rule: terms.limit for rule, terms in RULE_DEFINITIONS.items()}


class Verdict(NamedTuple):
    """The verdict of a rule about a student or an exam: true from `at` until `until`; None: not as things are.

    `numbers` are the facts it was based on, as JSON can hold them. Of several levels the highest that is true counts.
    """

    rule: Rule
    at: datetime | None
    level: int = 1
    subject_id: int = 0
    title: str | None = None
    until: datetime | None = None
    numbers: Mapping[str, Any] = MappingProxyType({})

    def holds(self, now: datetime) -> bool:
        return self.at is not None and self.at <= now and (self.until is None or now < self.until)


_CAUSES = ("last", "enrolled", "started", "last_day")  # since when somebody is absent, whatever the limit is


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
    ON_TIME = "on time"  # the student is silent, but has missed no deadline


class Reason(StrEnum):
    """Why an alert is sent again."""

    UNTAKEN = "untaken"
    SNOOZED = "snoozed"  # it was put off until now


@dataclass(frozen=True, slots=True)
class StudentAlert:
    """An alert as it is kept; all mentors of the student know it by its `name`, this one maybe by a former name too.

    `student_id` is 0 where it is about an exam.
    """

    alert_id: int
    rule: Rule
    mentor_id: int
    name: str
    former_name: str | None
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

    def was(self, key: Key, verdict: Verdict) -> bool:
        """Return whether this alert said the same of the same cause, until it was over or its rule or limit changed."""
        if self.key != key or self.level != verdict.level or self.outcome not in (Outcome.OVER, Outcome.OFF):
            return False
        cause = next((name for name in _CAUSES if name in verdict.numbers), None)
        if cause is None or not RULE_DEFINITIONS[self.rule].absence:
            return self.since == verdict.at
        return bool(self.numbers.get(cause) == verdict.numbers[cause])


def is_urgent(event: Event) -> bool:
    """Return whether an event does not wait for the quiet minutes to pass: an alert of the highest level."""
    return event.event_type.is_alert and event.metadata.get("level", 1) >= HIGHEST_LEVEL


class Key(NamedTuple):
    """The key of an alert: at most one alert with it is open."""

    mentor_id: int
    student_id: int
    rule: Rule
    subject_id: int


class Reminder(NamedTuple):
    """An alert that is sent again."""

    reminder_id: int
    alert: StudentAlert
    reason: Reason


class Opening(NamedTuple):
    """An alert to be opened, and when it is sent, or why not; `again` is the id of a closed one that is so again."""

    key: Key
    verdict: Verdict
    tell_at: datetime | None
    untold: Untold | None = None
    again: int | None = None


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """An alert as one of its mentors sees it.

    `student` is None where it is about none, or about one who is gone. `taken_by` is the name of the mentor who took
    it, where that is known, and `is_mine` says whether that is the one who asks. `limit` is the rule's for this mentor,
    0 where it is off.
    """

    alert: StudentAlert
    student: Student | None
    taken_by: str | None
    is_mine: bool
    limit: float


class RuleState(StrEnum):
    """Why there is an alert by a rule, or why there is none."""

    OFF = "off"
    OPEN = "open"
    DONE = "done"  # it was dealt with, and has not become more serious since
    BLIND = "blind"  # it is true, but there is no fresh data
    NEXT = "next"  # it is true, and the next poll opens an alert
    LATER = "later"  # it becomes true as time goes by
    BELOW = "below"  # there is something of the kind, but not enough
    NOTHING = "nothing"


class RuleStatus(NamedTuple):
    """What a rule with a limit says of a student: with the alerts, or the verdict, that the state is about."""

    rule: Rule
    limit: float
    state: RuleState
    alerts: tuple[StudentAlert, ...] = ()
    verdict: Verdict | None = None


class StudentRules(NamedTuple):
    """What every rule says of a student to one mentor; none applies to a student who is not active."""

    is_active: bool
    rules: tuple[RuleStatus, ...]


class RuleSetting(NamedTuple):
    """By which limit a rule goes for one mentor: their own, perhaps; off for everybody, perhaps."""

    rule: Rule
    limit: float
    is_own: bool
    is_off: bool
