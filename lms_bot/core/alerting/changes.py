"""How a mentor's alerts come to say what the rules say now: opened, closed, restated, sent, or left unsent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from lms_bot.core.alert_rules import ON_TIME, RULES, Facts, true_verdicts, verdicts
from lms_bot.core.alerts import (
    COVERS,
    RULE_DEFINITIONS,
    Key,
    Limits,
    Opening,
    Outcome,
    Rule,
    StudentAlert,
    Untold,
    Verdict,
)
from lms_bot.core.calendar import EARLIEST


class Closing(NamedTuple):
    """An alert to be closed."""

    alert_id: int
    outcome: Outcome


class Restating(NamedTuple):
    """An open alert whose rule says something else of the same thing."""

    alert: StudentAlert
    verdict: Verdict


class Waiting(NamedTuple):
    """A student who cannot be called absent before the LMS was read again."""

    student_id: int


class Telling(NamedTuple):
    """An open alert that was not sent while its student was on time, and is sent now."""

    alert_id: int


Change: TypeAlias = Opening | Closing | Restating | Waiting | Telling


@dataclass(frozen=True, slots=True)
class MentorRules:
    """A mentor's limits, and since when each rule applies to them."""

    mentor_id: int
    limits: Limits
    since: Mapping[Rule, datetime]


class Moment(NamedTuple):
    """The moment of judging, and the one until which it is known who was there."""

    now: datetime
    absence_known_until: datetime

    @property
    def has_fresh_data(self) -> bool:
        return self.absence_known_until > EARLIEST

    def cannot_judge(self, verdict: Verdict) -> bool:
        """Return whether it takes a later poll to know that this is so."""
        return RULE_DEFINITIONS[verdict.rule].absence and (verdict.at or EARLIEST) > self.absence_known_until


def judged(one: Facts, mentors: Iterable[MentorRules]) -> Iterator[tuple[MentorRules, list[Verdict]]]:
    """Yield what the rules say of a student to each mentor; the same limits are judged once."""
    known: dict[tuple[float, ...], list[Verdict]] = {}
    for mentor in mentors:
        limits = tuple(mentor.limits[rule] for rule in RULES)
        if limits not in known:
            known[limits] = verdicts(one, mentor.limits)
        yield mentor, known[limits]


def true_for(said: Iterable[Verdict], mentor: MentorRules, student_id: int, now: datetime) -> dict[Key, Verdict]:
    """Return what is true now of a student, by the keys of the alerts that say so to a mentor."""
    return {
        Key(mentor.mentor_id, student_id, rule, subject): verdict
        for (rule, subject), verdict in true_verdicts(said, now).items()
    }


def compared(
    true: Mapping[Key, Verdict], kept: Sequence[StudentAlert], mentor: MentorRules, moment: Moment
) -> Iterator[Change]:
    """Yield how one mentor's alerts, of which these are `kept`, come to say what is true."""
    standing = {alert.key: alert for alert in kept if alert.is_open}
    for key, alert in standing.items():
        if key not in true:
            yield Closing(alert.alert_id, Outcome.OVER)
    for key, verdict in true.items():
        weaker = standing.get(key)
        if weaker is not None and weaker.level >= verdict.level:
            yield Restating(weaker, verdict)
            if weaker.untold is Untold.ON_TIME and not verdict.numbers.get(ON_TIME):
                yield Telling(weaker.alert_id)
        elif moment.cannot_judge(verdict):
            yield Waiting(key.student_id)
        elif not _is_dealt_with(key, verdict, kept, moment.now):
            yield _opening(key, verdict, kept, mentor.since[key.rule], moment.now)
            if weaker is not None:
                yield Closing(weaker.alert_id, Outcome.GREW)


def _is_dealt_with(key: Key, verdict: Verdict, kept: Iterable[StudentAlert], now: datetime) -> bool:
    """Return whether a mentor is done with this since it became true, at this level or a higher one."""
    assert verdict.at is not None
    return any(
        one.outcome is Outcome.DONE and verdict.at <= (one.closed_at or now) and verdict.level <= one.level
        for one in kept
        if one.key == key and not one.is_open
    )


def _opening(key: Key, verdict: Verdict, kept: Sequence[StudentAlert], since: datetime, now: datetime) -> Opening:
    """Return the alert that says this from now on; a weaker open one may be among those `kept`."""
    assert verdict.at is not None
    definition = RULE_DEFINITIONS[key.rule]
    if definition.told_otherwise:
        return Opening(key, verdict, None, Untold.OTHERWISE)
    untold = Untold.BASELINE if verdict.at <= since else None
    if before := next((one for one in reversed(kept) if one.was(key, verdict)), None):
        untold = before.untold or untold
        is_known = before.told_at or before.taken_at or untold
        return Opening(key, verdict, None if is_known else now, untold, before.alert_id)
    untold = untold or (Untold.ON_TIME if verdict.numbers.get(ON_TIME) else None)
    if untold:
        return Opening(key, verdict, None, untold)
    same = [one for one in kept if one.key == key]
    settles_at = now if any(one.is_open for one in same) else now + definition.settle
    told = [one for one in same if not one.is_open and one.told_at and one.level >= verdict.level]
    return Opening(key, verdict, max([settles_at, *(one.told_at + definition.cooldown for one in told if one.told_at)]))


def covers(other: StudentAlert, alert: StudentAlert) -> bool:
    """Return whether an open alert says the same more seriously, of the same student or about the same exam."""
    is_of_student = other.student_id in (0, alert.student_id)
    is_of_exam = other.subject_id in (0, alert.numbers.get("exam_id", alert.subject_id))
    return alert.rule in COVERS.get(other.rule, ()) and is_of_student and is_of_exam


def by_seriousness(alert: StudentAlert) -> tuple[int, datetime, int]:
    """Return by what alerts are ordered of which a day has room for some: the most serious, then the oldest first."""
    return -alert.level, alert.since, alert.alert_id
