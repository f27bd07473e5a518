"""What should happen next for a student: a few rules over given facts, each with the events that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from lms_bot.core.alert_rules import USUAL_GAPS
from lms_bot.core.alerts import DAY, DEFAULTS, Rule
from lms_bot.core.events import EventType
from lms_bot.core.reports.students import PASS_LINE

MOST = 3  # recommendations at a time
SILENT = timedelta(days=7)  # at least, before a meeting is recommended
LAST_RESULTS = 4  # of a subject, of which
FEWEST_LOW = 3  # are below the pass mark
RETAKE_AFTER = timedelta(days=3)  # without another try
RETAKE_WITHIN = timedelta(days=60)  # what was failed before that is over
STUCK = DEFAULTS[Rule.STUCK] * DAY

Exam = tuple[str, int]
"""An exam, by source table and id."""


class Advice(StrEnum):
    """What is recommended; what matters most comes first."""

    MEET = "meet"
    PREPARE = "prepare"
    RETAKE = "retake"
    REPEAT = "repeat"
    FINISH = "finish"


class Evidence(NamedTuple):
    """An event that a recommendation rests on, with the row of the LMS that people know it by."""

    event_id: int
    source_table: str
    source_id: int


class Attempt(NamedTuple):
    """An attempt at an exam, finished or not, as its row says now; `courses` are those that the exam belongs to."""

    at: datetime
    exam: Exam
    title: str | None
    outcome: EventType
    courses: frozenset[int]
    evidence: Evidence


class SubjectResult(NamedTuple):
    """The result of one attempt in one subject, in percent; `day` is the student's local day."""

    day: date
    percentage: float
    evidence: Evidence


class Opened(NamedTuple):
    """A video or another content that was opened and is not finished."""

    at: datetime
    title: str | None
    is_video: bool
    courses: frozenset[int]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RecommendationFacts:
    """What the rules go by; `attempts`, the results of each subject and what is `opened` come newest first.

    `last` is the event of `learned_at`, the last thing finished; without any, the first event of all. `stuck` is the
    content opened last, where nothing was finished since.
    """

    is_active: bool
    learned_at: datetime | None = None
    last: Evidence | None = None
    usual_gap: timedelta | None = None
    attempts: tuple[Attempt, ...] = ()
    subjects: tuple[tuple[str, tuple[SubjectResult, ...]], ...] = ()
    opened: tuple[Opened, ...] = ()
    stuck: Opened | None = None


class Recommendation(NamedTuple):
    """What should happen, in one sentence, and the events that say so."""

    advice: Advice
    sentence: str
    evidence: tuple[Evidence, ...]

    def as_json(self) -> dict[str, object]:
        events = [one.event_id for one in self.evidence]
        return {"advice": self.advice.value, "sentence": self.sentence, "event_ids": events}


def recommendations(facts: RecommendationFacts, now: datetime) -> list[Recommendation]:
    """Return at most three recommendations, the most important first; none for a student who has left.

    One of each kind goes before a second of a kind.
    """
    if not facts.is_active:
        return []
    found = [
        (place, kind, said) for kind, rule in enumerate(_RULES) for place, said in enumerate(rule(facts, now))
    ]  # rules in the order of importance
    return [said for *_, said in sorted(found, key=lambda one: one[:2])[:MOST]]


def meet(facts: RecommendationFacts, now: datetime) -> Iterator[Recommendation]:
    """Recommend to meet after seven days of silence, if that is also more than three times the usual gap."""
    if facts.learned_at is None or facts.last is None:
        return
    silent = now - facts.learned_at
    if silent >= SILENT and silent > USUAL_GAPS * (facts.usual_gap or timedelta()):
        sentence = f"Meet: nothing was finished for {_days(silent)}."
        yield Recommendation(Advice.MEET, sentence, (facts.last,))


def prepare(facts: RecommendationFacts, now: datetime) -> Iterator[Recommendation]:
    """Recommend to finish what is open in the course of a failed exam before it is taken again."""
    for failed in _failed_last(facts, now):
        if waiting := [one for one in facts.opened if one.courses & failed.courses]:
            noun = "video" if all(one.is_video for one in waiting) else "lesson"
            what = noun if len(waiting) == 1 else _counted(len(waiting), noun)
            sentence = f"Finish the {what} still open in its course before retaking {_exam(failed)}."
            evidence = (failed.evidence, *(one.evidence for one in waiting))
            yield Recommendation(Advice.PREPARE, sentence, evidence)


def retake(facts: RecommendationFacts, now: datetime) -> Iterator[Recommendation]:
    """Recommend to take a failed exam again that was not tried for three days, with nothing to be done before."""
    tried = {one.exam: one.at for one in reversed(facts.attempts)}
    for failed in _failed_last(facts, now):
        is_prepared = not any(one.courses & failed.courses for one in facts.opened)
        if is_prepared and now - tried[failed.exam] >= RETAKE_AFTER:
            sentence = f"Retake {_exam(failed)}: it was failed {_days(now - failed.at)} ago and not tried since."
            yield Recommendation(Advice.RETAKE, sentence, (failed.evidence,))


def repeat(facts: RecommendationFacts, now: datetime) -> Iterator[Recommendation]:
    """Recommend to repeat a subject of whose last four results at least three are below 50 %, the newest first."""
    low = []
    for subject, results in facts.subjects:
        last = results[:LAST_RESULTS]
        below = [one for one in last if one.percentage < PASS_LINE]
        if len(below) >= FEWEST_LOW:
            low.append((last[0].day, subject, last, below))
    for day, subject, last, below in sorted(low, key=lambda one: (-one[0].toordinal(), one[1])):
        counts = f"{len(below)} of the last {len(last)} results are below {PASS_LINE:g} %"
        sentence = f"Repeat {subject}: {counts}, the last on {day.isoformat()}."
        yield Recommendation(Advice.REPEAT, sentence, tuple(one.evidence for one in below))


def finish(facts: RecommendationFacts, now: datetime) -> Iterator[Recommendation]:
    """Recommend to finish what was opened four days ago or more, unless a retake waits for it."""
    opened = facts.stuck
    if opened is None or now - opened.at < STUCK:
        return
    if not any(opened.courses & failed.courses for failed in _failed_last(facts, now)):
        title = opened.title or ("the video" if opened.is_video else "the lesson")
        sentence = f"Finish {title}: it was opened {_days(now - opened.at)} ago."
        yield Recommendation(Advice.FINISH, sentence, (opened.evidence,))


_RULES: Sequence[Callable[[RecommendationFacts, datetime], Iterator[Recommendation]]] = (
    meet,
    prepare,
    retake,
    repeat,
    finish,
)


def _failed_last(facts: RecommendationFacts, now: datetime) -> list[Attempt]:
    """Return the exams whose last finished attempt was failed within 60 days, by that attempt, newest first."""
    last: dict[Exam, Attempt] = {}
    for attempt in facts.attempts:
        if attempt.outcome.is_exam_end:
            last.setdefault(attempt.exam, attempt)
    failed = [one for one in last.values() if one.outcome is EventType.EXAM_FAILED]
    return [one for one in failed if now - one.at <= RETAKE_WITHIN]


def _exam(attempt: Attempt) -> str:
    return attempt.title or f"exam #{attempt.exam[1]}"


def _days(length: timedelta) -> str:
    return _counted(length // DAY, "day")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
