"""The alert rules: from which moment on a student needs their mentor, given the facts about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

from lms_bot.core.academics.deadlines import Deadline
from lms_bot.core.alerts import DAY, HOUR, Limits, Rule, Verdict
from lms_bot.core.events import EventType
from lms_bot.core.reports.students import FEWEST_COMPARED, concerns_of

MORE_SERIOUS = timedelta(days=7)  # of inactivity, of a student who is not passing
MOST_SERIOUS = timedelta(days=11)  # of inactivity
USUAL_GAPS = 3  # times the usual gap between days of learning is not inactive yet
ON_TIME = "on_time"  # in the numbers of a verdict about a silent student who has missed no deadline
MOST_TITLES = 5  # of missed deadlines, in the numbers of an alert
COMPARED = 5  # exams before the last one, for a drop of the score
FEWEST_FAILING = 5  # students, for an exam that many fail
FAILING_WITHIN = DAY
LASTING = timedelta(days=14)  # what is said of one event of the past stands so long, unless it is over before
MANY_LASTING = timedelta(days=3)


class Exam(NamedTuple):
    """A finished attempt, as its row says now; `percentage` is None where there is none."""

    at: datetime
    exam_id: int | None
    title: str | None
    outcome: EventType
    percentage: float | None


class Result(NamedTuple):
    """A student's result in an exam within the last day: when it was failed last, and whether it was passed."""

    failed_at: datetime | None
    is_passed: bool


class Opened(NamedTuple):
    """An attempt or a piece of content without an end; `minutes` is how long the exam takes, where that is known."""

    at: datetime
    activity_id: int | None
    title: str | None
    minutes: int | None = None


class Broken(NamedTuple):
    """The last learning streak: of so many days until `last_day`; it is over from `at` on, unless it goes on."""

    days: int
    last_day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about a student that the rules judge; times are aware UTC.

    `average` is the mean percentage of all exams, `first_at` the first event of any kind, `usual_gap` the time that
    usually lies between two days of learning. `exams` are those of the last weeks, newest first. `content` is what the
    student opened last, where nothing was finished since. `deadlines` are those since the enrolment and the
    next one; who has some and missed none `is_on_time`.
    """

    student_id: int
    is_active: bool
    enrolled_at: datetime | None = None
    first_at: datetime | None = None
    learned_at: datetime | None = None
    usual_gap: timedelta | None = None
    exams: tuple[Exam, ...] = ()
    open_exams: tuple[Opened, ...] = ()
    content: Opened | None = None
    streak: Broken | None = None
    average: float | None = None
    deadlines: tuple[Deadline, ...] = ()
    is_on_time: bool = False


def inactive(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that nothing was finished for the larger of `limit` days and three times the usual gap."""
    since = facts.learned_at or facts.first_at
    if since is None:
        return
    allowed = max(limit * DAY, USUAL_GAPS * (facts.usual_gap or timedelta()))
    passing = not concerns_of(facts.exams[0].outcome if facts.exams else None, facts.average)
    numbers = {"last": _said(since), "usual_gap": _days(facts.usual_gap), "allowed": _days(allowed), "passing": passing}
    numbers |= _on_time(facts)
    yield Verdict(Rule.INACTIVE, since + allowed, 1, numbers=numbers)
    if not passing:
        yield Verdict(Rule.INACTIVE, since + max(allowed, MORE_SERIOUS), 2, numbers=numbers)
    yield Verdict(Rule.INACTIVE, since + max(allowed, MOST_SERIOUS), 3, numbers=numbers)


def never_started(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that there is no event at all `limit` days after the student was enrolled."""
    if facts.enrolled_at is not None and facts.first_at is None:
        numbers = {"enrolled": _said(facts.enrolled_at), **_on_time(facts)}
        yield Verdict(Rule.NEVER_STARTED, facts.enrolled_at + limit * DAY, 2, numbers=numbers)


def failed_twice(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that the same exam was failed twice within `limit` days, and not passed since."""
    by_exam: dict[int, list[Exam]] = defaultdict(list)
    passed = set()
    for exam in facts.exams:
        if exam.exam_id is None or exam.exam_id in passed:
            continue
        if exam.outcome is EventType.EXAM_PASSED:
            passed.add(exam.exam_id)
        elif exam.outcome is EventType.EXAM_FAILED:
            by_exam[exam.exam_id].append(exam)
    for exam_id, fails in by_exam.items():
        in_order = fails[::-1]
        pairs = (late.at for early, late in pairwise(in_order) if late.at - early.at <= limit * DAY)
        at = next(pairs, None)
        numbers = {"fails": len(fails), "scores": [exam.percentage for exam in in_order], "last": _said(fails[0].at)}
        yield Verdict(Rule.FAILED_TWICE, at, 2, exam_id, fails[0].title, fails[0].at + LASTING, numbers)


def score_drop(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that the last exam is `limit` points below the mean of the five before."""
    scored = [(exam, exam.percentage) for exam in facts.exams if exam.percentage is not None]
    if len(scored) <= FEWEST_COMPARED:
        return
    (exam, score), before = scored[0], [value for _, value in scored[1 : COMPARED + 1]]
    mean = fmean(before)
    numbers = {"score": score, "mean": round(mean, 1), "exams": len(before), "exam_id": exam.exam_id}
    at = exam.at if mean - score >= limit else None
    yield Verdict(Rule.SCORE_DROP, at, 1, title=exam.title, until=exam.at + LASTING, numbers=numbers)


def abandoned(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that an exam did not end after the larger of `limit` hours and twice the time that it takes."""
    for opened in facts.open_exams:
        allowed = max(limit * HOUR, timedelta(minutes=2 * (opened.minutes or 0)))
        numbers = {"started": _said(opened.at), "allowed_hours": allowed / HOUR}
        at = opened.at + allowed
        yield Verdict(Rule.ABANDONED, at, 1, opened.activity_id or 0, opened.title, at + LASTING, numbers)


def streak_broken(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that a streak of `limit` days of learning or more has ended."""
    streak = facts.streak
    if streak is not None and streak.days >= limit:
        numbers = {"days": streak.days, "last_day": streak.last_day.isoformat()}
        yield Verdict(Rule.STREAK_BROKEN, streak.at, 1, until=streak.at + LASTING, numbers=numbers)


def stuck(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that the content opened last is not finished after `limit` days, with nothing else since."""
    opened = facts.content
    if opened is not None:
        at, numbers = opened.at + limit * DAY, {"started": _said(opened.at)}
        yield Verdict(Rule.STUCK, at, 1, opened.activity_id or 0, opened.title, at + LASTING, numbers)


def deadline_missed(facts: Facts, limit: float) -> Iterator[Verdict]:
    """Judge that something is not handed in `limit` days after it was due; all that a student misses is one alert.

    What most of the class has not handed in either counts later: see `Deadline.missed_at`.
    """
    missed = sorted(
        ((one.missed_at(limit * DAY), one) for one in facts.deadlines if not one.is_done), key=lambda pair: pair[0]
    )
    for number, (at, one) in enumerate(missed, 1):
        titles = [before.title for _, before in missed[:number][::-1]][:MOST_TITLES]
        numbers = {"missed": number, "due": _said(one.until), "titles": titles}
        until = at + LASTING
        if 1 < number < len(missed):  # one of the same level follows, and says so from then on
            until = min(until, missed[number][0])
        yield Verdict(Rule.DEADLINE_MISSED, at, min(number, 2), title=one.title, until=until, numbers=numbers)


RULES: dict[Rule, Callable[[Facts, float], Iterator[Verdict]]] = {
    Rule.INACTIVE: inactive,
    Rule.NEVER_STARTED: never_started,
    Rule.FAILED_TWICE: failed_twice,
    Rule.SCORE_DROP: score_drop,
    Rule.ABANDONED: abandoned,
    Rule.STREAK_BROKEN: streak_broken,
    Rule.STUCK: stuck,
    Rule.DEADLINE_MISSED: deadline_missed,
}


def many_fail(exam_id: int, title: str | None, results: Iterable[Result], limit: float) -> Verdict | None:
    """Judge that at least five of those who took an exam in the last day, and `limit` percent of them, failed it.

    Who passed it in the end has not failed.
    """
    took = list(results)
    failed = [one.failed_at for one in took if one.failed_at is not None and not one.is_passed]
    if len(failed) < FEWEST_FAILING or 100 * len(failed) < limit * len(took):
        return None
    numbers = {"failed": len(failed), "took": len(took)}
    return Verdict(Rule.MANY_FAIL, max(failed), 2, exam_id, title, max(failed) + MANY_LASTING, numbers)


def verdicts(facts: Facts, limits: Limits) -> list[Verdict]:
    """Return what the rules that have a limit above 0 say of a student; nothing of one who has left."""
    if not facts.is_active:
        return []
    return [found for rule, says in RULES.items() if limits[rule] > 0 for found in says(facts, limits[rule])]


def true_verdicts(found: Iterable[Verdict], now: datetime) -> dict[tuple[Rule, int], Verdict]:
    """Return what is true now, by rule and subject, each at its highest level."""
    true: dict[tuple[Rule, int], Verdict] = {}
    for verdict in found:
        key = verdict.rule, verdict.subject_id
        if verdict.holds(now) and (key not in true or verdict.level > true[key].level):
            true[key] = verdict
    return true


def next_look(found: Iterable[Verdict], now: datetime) -> datetime | None:
    """Return when time alone changes what the rules say next."""
    return min((moment for one in found for moment in (one.at, one.until) if moment and moment > now), default=None)


def _on_time(facts: Facts) -> dict[str, Any]:
    return {ON_TIME: True} if facts.is_on_time else {}


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _days(length: timedelta | None) -> float | None:
    return None if length is None else round(length / DAY, 1)
