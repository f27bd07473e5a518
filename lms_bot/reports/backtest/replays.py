"""Replays the recorded past of all mentors, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from lms_bot.core.alerts import DEFAULTS, Limits
from lms_bot.core.backtest.observed import Observed
from lms_bot.core.backtest.outcomes import Judged, Outcome, judge, outcome
from lms_bot.core.backtest.replay import MentorReplay, Replayed
from lms_bot.core.calendar import DAY
from lms_bot.core.principal import Principal
from lms_bot.reports import access
from lms_bot.store.reports import backtest
from lms_bot.store.session import Transaction

TOGETHER = 50  # mentors whose students are read at a time
Show = Callable[[int, int], None]
"""Called with how many mentors of how many are done."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days to be replayed, by the moments at which each ends; the rules begin at `begin`, and so say what is new.

    `sampled` are those at which attention is noted.
    """

    begin: datetime
    days: tuple[datetime, ...]
    sampled: frozenset[datetime] = frozenset()

    @property
    def end(self) -> datetime:
        return self.days[-1]

    @classmethod
    def between(cls, begin: datetime, days: int, every: int = 7) -> Period:
        """Return so many days from a moment on; attention is noted at the end of every so many."""
        ends = tuple(begin + number * DAY for number in range(1, days + 1))
        return cls(begin, ends, frozenset(ends[every - 1 :: every]))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay: in a time zone, with so many alerts a mentor and day at most, and with limits of the rules.

    `left` says when students left, where that is known.
    """

    period: Period
    zone: ZoneInfo
    per_day: int
    limits: Limits = field(default_factory=lambda: DEFAULTS)
    left: Mapping[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the replays of all mentors came to, and what became of their students, by student id."""

    period: Period
    mentors: int
    replayed: Replayed
    outcomes: Mapping[int, Outcome | None] = field(default_factory=dict)

    def judged(self) -> list[Judged]:
        """Return how right the alerts were, all together and by rule."""
        return judge(self.replayed.sent, self.outcomes, self.mentors, self.period.end - self.period.begin)


def first_known(transaction: Transaction, principal: Principal) -> datetime | None:
    """Return when the first event happened that the store has; None without any. Raises NotFound."""
    access.require_admin(principal)
    return backtest.first_known(transaction)


def replay(transaction: Transaction, principal: Principal, plan: Plan, show: Show | None = None) -> Backtest:
    """Return what the rules, the budget and attention would have said to every mentor.

    Raises NotFound for anybody but an admin.
    """
    access.require_admin(principal)
    mentors = backtest.mentors_students(transaction)
    dues, items = backtest.dues_of(transaction), backtest.items_due(transaction)
    of_class = backtest.class_history(transaction, dues, items, plan.left)
    minutes = backtest.exam_minutes(transaction)
    total, became, done = Replayed(), dict[int, Outcome | None](), 0
    begin, end = plan.period.begin, plan.period.end
    for some in _parts(list(mentors.items())):
        wanted = {student_id for _, own in some for student_id in own}
        found = {one.student_id: one for one in backtest.histories(transaction, wanted, dues, plan.left)}
        for mentor_id, own in some:
            observed = [Observed(found[one], of_class, items, minutes, plan.zone) for one in own if one in found]
            mentor = MentorReplay(mentor_id, observed, plan.limits, plan.per_day, plan.period.begin)
            one = mentor.live(plan.period.days, plan.period.sampled)
            total.sent.extend(one.sent)
            for moment, points in one.points.items():
                total.points[moment].update(points)
        became |= {student_id: outcome(history, begin, end) for student_id, history in found.items()}
        done += len(some)
        if show is not None:
            show(done, len(mentors))
    return Backtest(plan.period, len(mentors), total, became)


def _parts(mentors: Sequence[tuple[int, list[int]]]) -> Iterator[list[tuple[int, list[int]]]]:
    rest = iter(mentors)
    while some := list(islice(rest, TOGETHER)):
        yield some
