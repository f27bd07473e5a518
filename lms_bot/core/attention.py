"""How much a student needs attention: points that add up, each part with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypedDict

from lms_bot.core.academics.deadlines import GRACE, standing
from lms_bot.core.alert_rules import USUAL_GAPS, Facts
from lms_bot.core.alerts import DAY, DEFAULTS, Rule
from lms_bot.core.reports.students import PASS_LINE

HIGHEST = 100  # points
SILENT_DAYS = DEFAULTS[Rule.INACTIVE]  # at least, before silence counts
STUCK_DAYS = DEFAULTS[Rule.STUCK]
COMPARED_DAYS = 14  # of activity, with as many before
FEWEST_BEFORE = 4  # things finished in the days before, for a fall that says something
LEAST_FALL = 0.3
MANY_FAILURES = 3  # exams that count in full
LOW_SHARE = 0.25  # of the points, already of an average just below the pass mark
BELOW_CLASS = 30.0  # points of percent below the class, that count in full
FEWEST_OF_CLASS = 20  # results of an exam, for a class to compare with: fewer would tell of single people
LEAST_BELOW = 1.0  # such points, before any of them count
SHARE_OF_ALL = 0.6  # of the points for deadlines, by how many were missed; the rest where the last one was
ON_TIME_SHARE = 0.35  # of the points for silence, of one who has missed no deadline
NEEDS = 20  # points from which on a student needs their mentor
NOTICED = 5  # points from which on there is something to look at
UNKNOWN_SHARE = 0.5  # of the points, of one of whom nothing is known


class Reason(StrEnum):
    """What gives points."""

    SILENCE = "silence"
    FAILURES = "failures"
    RESULTS = "results"
    ACTIVITY = "activity"
    DEADLINES = "deadlines"
    STUCK = "stuck"


# How well they tell who needs help, and on what they were chosen: docs/evidence.md.
WEIGHTS: Mapping[Reason, int] = MappingProxyType(
    {
        Reason.DEADLINES: 35,
        Reason.RESULTS: 25,
        Reason.SILENCE: 20,
        Reason.FAILURES: 10,
        Reason.ACTIVITY: 5,
        Reason.STUCK: 5,
    }
)


@dataclass(frozen=True, slots=True)
class AttentionFacts:
    """The facts about a student that give points; nothing about who they are. Times are aware UTC.

    `first_at` is the first event of any kind, `learned_at` the last thing finished, `usual_gap` the time that usually
    lies between two days of learning, `average` the mean percentage of all exams, `failures` how many exams were failed
    last. `recent` and `before` are the things finished in the last 14 days and the 14 before, `opened_at` is since when
    a content is open that nothing followed. `against_class` is the mean difference, in points, to the class in the
    same exams. `deadlines_due` counts what was due, `is_last_missed` is about the last of it, and who has some
    deadlines and missed none `is_on_time`.
    """

    is_active: bool
    enrolled_at: datetime | None = None
    first_at: datetime | None = None
    learned_at: datetime | None = None
    usual_gap: timedelta | None = None
    average: float | None = None
    failures: int = 0
    recent: int = 0
    before: int = 0
    opened_at: datetime | None = None
    against_class: float | None = None
    deadlines_due: int = 0
    deadlines_missed: int = 0
    is_last_missed: bool = False
    is_on_time: bool = False


class DeadlineFacts(TypedDict):
    """The facts about deadlines among those of `AttentionFacts`."""

    deadlines_due: int
    deadlines_missed: int
    is_last_missed: bool
    is_on_time: bool


def deadline_facts(facts: Facts, now: datetime) -> DeadlineFacts:
    """Return what is said of deadlines by the facts of the alert rules."""
    stands = standing(facts.deadlines, GRACE, now)
    return {
        "deadlines_due": len(stands.due),
        "deadlines_missed": len(stands.missed),
        "is_last_missed": stands.is_last_missed,
        "is_on_time": facts.is_on_time,
    }


class Part(NamedTuple):
    """What one reason adds."""

    name: Reason
    points: int
    sentence: str


@dataclass(frozen=True, slots=True)
class AttentionScore:
    """How much a student needs attention, from 0 to 100; the part with the most points comes first."""

    parts: tuple[Part, ...] = ()

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def main(self) -> Part | None:
        """Return the part that adds most."""
        return self.parts[0] if self.parts else None

    def as_json(self) -> dict[str, object]:
        return {"attention": self.points, "reasons": [part._asdict() for part in self.parts]}


NONE = AttentionScore()
Share = tuple[float, str]
"""How much of its weight a reason adds, from 0 to 1, and the sentence that says why."""


def score(facts: AttentionFacts, now: datetime) -> AttentionScore:
    """Return the points of a student with their reasons; none for one who has left."""
    if not facts.is_active:
        return NONE
    parts = []
    for reason, judged in _REASONS.items():
        share, sentence = judged(facts, now)
        if share > 0:
            parts.append(Part(reason, max(1, round(WEIGHTS[reason] * min(share, 1.0))), sentence))
    return AttentionScore(tuple(sorted(parts, key=lambda part: -part.points)))


def silence(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that nothing was finished for long, against the student's own rhythm: all points at twice the limit."""
    since = facts.learned_at or facts.first_at or facts.enrolled_at
    if since is None:
        return UNKNOWN_SHARE, "No activity is known."
    allowed = allowed_silence(facts.usual_gap)
    if now - since < allowed:
        return 0.0, ""
    days = (now - since) // DAY
    usually = f", usually every {facts.usual_gap / DAY:g} days" if facts.usual_gap else ""
    share, said = min(1.0, (now - since) / (2 * allowed)), f"Nothing was finished for {days:,} days{usually}"
    if facts.is_on_time:
        return share * ON_TIME_SHARE, f"{said}, but no deadline was missed."
    return share, f"{said}."


def failures(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that exams were failed and not passed since: more than half of the points for one, all for three."""
    count = facts.failures
    exams = "1 exam was" if count == 1 else f"{count:,} exams were"
    return (count + 2) / (MANY_FAILURES + 2) if count else 0.0, f"{exams} failed and not passed since."


def results(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that the average is below the pass mark or the class: all points at 0 %, or 30 points below the class."""
    below = -(facts.against_class or 0.0)
    below_class = min(1.0, below / BELOW_CLASS) if below >= LEAST_BELOW else 0.0
    below_mark = 0.0
    if facts.average is not None and facts.average < PASS_LINE:
        below_mark = LOW_SHARE + (1 - LOW_SHARE) * min(1.0, (PASS_LINE - facts.average) / PASS_LINE)
    if below_mark >= below_class:
        average = round(facts.average or 0.0, 1)
        return below_mark, f"The average is {average:g} %, below the pass mark of {PASS_LINE:g} %."
    return below_class, f"Results are {round(below, 1):g} points below the class in the same exams."


def activity(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that clearly less was finished in the last 14 days than in the 14 before: all points for nothing at all."""
    if facts.before < FEWEST_BEFORE:
        return 0.0, ""
    fall = 1 - facts.recent / facts.before
    counts = f"{facts.recent:,} things were finished in the last {COMPARED_DAYS} days, {facts.before:,} before that."
    return (fall if fall >= LEAST_FALL else 0.0), counts


def stuck(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that the content opened last is not finished after days, with nothing else since."""
    if facts.opened_at is None or now - facts.opened_at < STUCK_DAYS * DAY:
        return 0.0, ""
    return 1.0, f"What was opened {(now - facts.opened_at) // DAY:,} days ago is not finished."


def deadlines(facts: AttentionFacts, now: datetime) -> Share:
    """Judge that deadlines were missed: by their share, and whether the last one was."""
    if not facts.deadlines_missed:
        return 0.0, ""
    share = facts.deadlines_missed / max(facts.deadlines_due, facts.deadlines_missed)
    last = ", the last one too" if facts.is_last_missed and facts.deadlines_due > 1 else ""
    said = f"{facts.deadlines_missed:,} of {facts.deadlines_due:,} deadlines were missed{last}."
    return SHARE_OF_ALL * share + (1 - SHARE_OF_ALL) * facts.is_last_missed, said


_REASONS: dict[Reason, Callable[[AttentionFacts, datetime], Share]] = {
    Reason.SILENCE: silence,
    Reason.FAILURES: failures,
    Reason.RESULTS: results,
    Reason.ACTIVITY: activity,
    Reason.DEADLINES: deadlines,
    Reason.STUCK: stuck,
}


def allowed_silence(usual_gap: timedelta | None) -> timedelta:
    """Return how long nothing need be finished: five days, or three times the usual gap if that is longer."""
    return max(SILENT_DAYS * DAY, USUAL_GAPS * (usual_gap or timedelta()))
