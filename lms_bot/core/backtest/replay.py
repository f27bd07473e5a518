"""Lives through the past of one mentor's students, day by day, as the worker would have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import NamedTuple

from lms_bot.core.alert_rules import FAILING_WITHIN, Result, many_fail, next_look, verdicts
from lms_bot.core.alerting.changes import (
    Closing,
    MentorRules,
    Moment,
    Restating,
    Telling,
    by_seriousness,
    compared,
    covers,
    true_for,
)
from lms_bot.core.alerting.facts import on_time_until
from lms_bot.core.alerts import COVERS, RULE_DEFINITIONS, Key, Limits, Opening, Rule, StudentAlert, Untold, Verdict
from lms_bot.core.attention import score
from lms_bot.core.backtest.history import Past
from lms_bot.core.backtest.observed import Observed
from lms_bot.core.calendar import DAY
from lms_bot.core.events import EventType

RECENT = 14 * DAY  # so long closed alerts are looked at for what opens again


class Sent(NamedTuple):
    """An alert that a mentor would have been sent, on a day."""

    at: datetime
    mentor_id: int
    student_id: int
    rule: Rule
    level: int


@dataclass
class Replayed:
    """What a replay came to: alerts sent, how many were true and not sent, and points of attention on some days."""

    sent: list[Sent] = field(default_factory=list)
    unsent: dict[Rule, int] = field(default_factory=lambda: defaultdict(int))
    points: dict[datetime, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))


@dataclass
class _Kept:
    """The alerts about one student to the mentor, and when to look at the student next."""

    alerts: list[StudentAlert] = field(default_factory=list)
    look_at: datetime | None = None

    @property
    def may_end(self) -> bool:
        """Return whether there is an open alert that ends when something is done."""
        return any(alert.is_open and RULE_DEFINITIONS[alert.rule].absence for alert in self.alerts)


class MentorReplay:
    """One mentor's days: students are judged when something is known or time makes them due, and alerts are sent."""

    def __init__(self, mentor_id: int, students: Sequence[Observed], limits: Limits, per_day: int, begin: datetime):
        """Take students who have learned nothing yet; at most `per_day` alerts are sent a day."""
        self._rules = MentorRules(mentor_id, limits, dict.fromkeys(Rule, begin))
        self._students = students
        self._per_day = per_day
        self._kept = {student.history.student_id: _Kept(look_at=begin) for student in students} | {0: _Kept()}
        self._ids = count(1)
        self._failing: dict[int, dict[int, Past]] = defaultdict(dict)  # by exam and student: the last end of each
        self.replayed = Replayed()

    def live(self, days: Iterable[datetime], sampled: Iterable[datetime]) -> Replayed:
        """Live through the days, given by the moments at which each ends; note attention at those `sampled`."""
        wanted = set(sampled)
        for now in days:
            self._judge(now)
            self._send(now)
            if now in wanted:
                self._note_attention(now)
        return self.replayed

    def _judge(self, now: datetime) -> None:
        for student in self._students:
            news, kept = student.next_news, self._kept[student.history.student_id]
            has_news = news is not None and news <= now
            is_due = kept.look_at is not None and kept.look_at <= now
            if not (has_news or is_due):
                continue
            new = student.learn(now)
            self._note_exams(student.history.student_id, new)
            # What was studied makes nobody worse off: unless it may end an alert, there is nothing to judge yet.
            if is_due or kept.look_at is None or kept.may_end or student.may_worsen(new):
                self._judge_student(student, kept, now)
        self._judge_exams(now)

    def _judge_student(self, student: Observed, kept: _Kept, now: datetime) -> None:
        facts = student.facts(now)
        said = verdicts(facts, self._rules.limits)
        true = true_for(said, self._rules, facts.student_id, now)
        self._change(kept, true, now)
        looks = (next_look(said, now), student.next_look(now), on_time_until(facts))
        kept.look_at = min((look for look in looks if look is not None), default=None)

    def _judge_exams(self, now: datetime) -> None:
        """Judge which exams many students failed within the last day, as the worker does."""
        limit, kept = self._rules.limits[Rule.MANY_FAIL], self._kept[0]
        true: dict[Key, Verdict] = {}
        for exam_id, ends in self._failing.items() if limit else ():
            recent = [one for one in ends.values() if one.at > now - FAILING_WITHIN]
            results = [_result(one) for one in recent]
            title = recent[0].title if recent else None
            if (verdict := many_fail(exam_id, title, results, limit)) is not None:
                true[Key(self._rules.mentor_id, 0, Rule.MANY_FAIL, exam_id)] = verdict
        self._failing.clear()
        standing = [alert for alert in kept.alerts if alert.is_open and (alert.until or now) > now]
        lasting = {alert.key: _as_verdict(alert) for alert in standing}
        if true or kept.alerts:
            self._change(kept, lasting | true, now)

    def _note_exams(self, student_id: int, new: Iterable[Past]) -> None:
        for one in new:
            if one.activity_id is not None and EventType(one.kind).is_exam_end:
                self._failing[one.activity_id][student_id] = one

    def _change(self, kept: _Kept, true: Mapping[Key, Verdict], now: datetime) -> None:
        alerts = {alert.alert_id: alert for alert in kept.alerts if alert.is_open or _closed(alert) >= now - RECENT}
        for change in list(compared(true, list(alerts.values()), self._rules, Moment(now, now))):
            if isinstance(change, Closing):
                alerts[change.alert_id] = replace(
                    alerts[change.alert_id], closed_at=now, outcome=change.outcome, tell_at=None
                )
                _uncover(alerts, alerts[change.alert_id].rule, now)
            elif isinstance(change, Restating):
                alert = alerts[change.alert.alert_id]
                alerts[alert.alert_id] = replace(alert, numbers=change.verdict.numbers, until=change.verdict.until)
            elif isinstance(change, Telling):
                alerts[change.alert_id] = replace(alerts[change.alert_id], tell_at=now, untold=None)
            elif isinstance(change, Opening):
                opened = self._opened(change, alerts, now)
                alerts[opened.alert_id] = opened
        kept.alerts = list(alerts.values())

    def _opened(self, opening: Opening, alerts: Mapping[int, StudentAlert], now: datetime) -> StudentAlert:
        if opening.again is not None:
            before = alerts[opening.again]
            return replace(before, closed_at=None, outcome=None, tell_at=opening.tell_at, untold=opening.untold)
        key, verdict = opening.key, opening.verdict
        assert verdict.at is not None
        return StudentAlert(
            alert_id=next(self._ids),
            rule=key.rule,
            mentor_id=key.mentor_id,
            name="",
            former_name=None,
            student_id=key.student_id,
            subject_id=key.subject_id,
            title=verdict.title,
            level=verdict.level,
            numbers=verdict.numbers,
            since=verdict.at,
            until=verdict.until,
            opened_at=now,
            tell_at=opening.tell_at,
            untold=opening.untold,
        )

    def _send(self, now: datetime) -> None:
        """Send what is due and not covered, the most serious first; what a day has no room for waits for the next."""
        open_ones = [alert for kept in self._kept.values() for alert in kept.alerts if alert.is_open]
        due = [alert for alert in open_ones if alert.tell_at is not None and alert.tell_at <= now]
        if not due:
            return
        sent: dict[int, StudentAlert] = {}
        free = []
        for alert in due:
            if any(covers(other, alert) for other in self._around(alert)):
                sent[alert.alert_id] = replace(alert, tell_at=None, untold=Untold.COVERED)
            else:
                free.append(alert)
        for alert in sorted(free, key=by_seriousness)[: self._per_day]:
            sent[alert.alert_id] = replace(alert, tell_at=None, told_at=now)
            self.replayed.sent.append(Sent(now, alert.mentor_id, alert.student_id, alert.rule, alert.level))
        for student_id in {alert.student_id for alert in due}:
            kept = self._kept[student_id]
            kept.alerts = [sent.get(alert.alert_id, alert) for alert in kept.alerts]

    def _around(self, alert: StudentAlert) -> Iterator[StudentAlert]:
        for student_id in {alert.student_id, 0}:
            yield from (one for one in self._kept[student_id].alerts if one.is_open)

    def _note_attention(self, now: datetime) -> None:
        for student in self._students:
            left_at = student.history.left_at
            if left_at is None or now < left_at:
                points = score(student.attention_facts(now), now).points
                self.replayed.points[now][student.history.student_id] = points


def _result(one: Past) -> Result:
    is_failed = one.kind == EventType.EXAM_FAILED
    return Result(one.at if is_failed else None, one.kind == EventType.EXAM_PASSED)


def _as_verdict(alert: StudentAlert) -> Verdict:
    key = alert.key
    return Verdict(key.rule, alert.since, alert.level, key.subject_id, alert.title, alert.until, alert.numbers)


def _closed(alert: StudentAlert) -> datetime:
    assert alert.closed_at is not None
    return alert.closed_at


def _uncover(alerts: dict[int, StudentAlert], rule: Rule, now: datetime) -> None:
    """Make due what an alert covered that is closed."""
    for alert_id, alert in alerts.items():
        if alert.is_open and alert.untold is Untold.COVERED and alert.rule in COVERS.get(rule, ()):
            alerts[alert_id] = replace(alert, tell_at=now, untold=None)
