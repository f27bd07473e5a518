"""The rules about who needs a mentor: their limits, what is told of them, and which covers which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class Rule(StrEnum):
    """What a student may need their mentor for; the last one is about an exam."""

    INACTIVE = "inactive"
    NEVER_STARTED = "never_started"
    FAILED_TWICE = "failed_twice"
    SCORE_DROP = "score_drop"
    ABANDONED = "abandoned"
    STREAK_BROKEN = "streak_broken"
    STUCK = "stuck"
    MANY_FAIL = "many_fail"


class Unit(StrEnum):
    """What the limit of a rule is counted in."""

    DAYS = "d"
    HOURS = "h"
    POINTS = "points"
    PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Terms:
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


TERMS: dict[Rule, Terms] = {
    Rule.INACTIVE: Terms(5, Unit.DAYS, 1, 90, WEEK, absence=True),
    Rule.NEVER_STARTED: Terms(5, Unit.DAYS, 1, 90, WEEK, absence=True),
    Rule.FAILED_TWICE: Terms(14, Unit.DAYS, 1, 60, WEEK),
    Rule.SCORE_DROP: Terms(20, Unit.POINTS, 5, 100, WEEK, settle=HOUR),
    Rule.ABANDONED: Terms(3, Unit.HOURS, 1, 240, DAY, absence=True),
    Rule.STREAK_BROKEN: Terms(7, Unit.DAYS, 7, 365, WEEK, absence=True, told_otherwise=True),
    Rule.STUCK: Terms(4, Unit.DAYS, 1, 60, WEEK, absence=True),
    Rule.MANY_FAIL: Terms(40, Unit.PERCENT, 5, 100, DAY, settle=HOUR),
}
COVERS: dict[Rule, tuple[Rule, ...]] = {
    Rule.INACTIVE: (Rule.STREAK_BROKEN, Rule.STUCK, Rule.ABANDONED),
    Rule.FAILED_TWICE: (Rule.SCORE_DROP,),
    Rule.MANY_FAIL: (Rule.FAILED_TWICE, Rule.SCORE_DROP),
}
"""Which alerts are not sent while a more serious one of the same student, or about the same exam, stands."""

Limits = Mapping[Rule, float]
DEFAULTS: Limits = {rule: terms.limit for rule, terms in TERMS.items()}
