"""What was known of a student on a day of the past, as the facts that rules and attention judge."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from lms_bot.core.academics.deadlines import CLASS_GRACE, GRACE, Deadline
from lms_bot.core.alert_rules import Facts
from lms_bot.core.alerting.facts import (
    EXAM_ENDS,
    GAP_WINDOW,
    LOOKBACK,
    sort_activities,
    usual_gap,
    with_deadlines,
)
from lms_bot.core.attention import COMPARED_DAYS, AttentionFacts, deadline_facts
from lms_bot.core.backtest.history import Activity, ClassHistory, Due, Item, Past, StudentHistory
from lms_bot.core.calendar import DAY, EARLIEST, local_day
from lms_bot.core.events import FINISHING, NO_PRESENCE, EventType

_T = TypeVar("_T", int, tuple[datetime, int])
_when = attrgetter("at", "event_id")
_STUDY = frozenset({EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED})


class Observed:
    """A student as the days go by; `learn` takes in what becomes known, `facts` says what is known."""

    def __init__(
        self,
        history: StudentHistory,
        of_class: ClassHistory,
        items: Mapping[Activity, tuple[Item, ...]],
        minutes: Mapping[int, int],
        zone: ZoneInfo,
    ) -> None:
        self.history = history
        self._class = of_class
        self._items = items
        self._minutes = minutes
        self._zone = zone
        self._next = 0
        self._first_at: datetime | None = None
        self._rows: dict[Activity, Past] = {}  # by the row of the LMS: what it says now
        self._studied: list[tuple[datetime, int]] = []  # what is finished, by its time
        self._days: list[int] = []  # of learning, by their number; each once for everything finished then
        self._kept: list[Past] = []  # of exams and of content that was opened, by its time
        self._results: dict[Activity, float] = {}  # percentages, by the row
        self._done: dict[Item, int] = {}

    @property
    def next_news(self) -> datetime | None:
        """Return when something becomes known next."""
        past = self.history.past
        return past[self._next].known_at if self._next < len(past) else None

    def learn(self, until: datetime) -> list[Past]:
        """Take in what is known by a moment; return what is new."""
        past, first = self.history.past, self._next
        while self._next < len(past) and past[self._next].known_at <= until:
            self._add(past[self._next])
            self._next += 1
        return list(past[first : self._next])

    def _add(self, one: Past) -> None:
        if one.kind not in NO_PRESENCE and (self._first_at is None or one.at < self._first_at):
            self._first_at = one.at
        row = (one.source_table, one.source_id)
        if (before := self._rows.get(row)) is not None:
            self._remove(before)
        self._rows[row] = one
        if one.kind in FINISHING:
            for item in self._items_of(one):
                self._done[item] = self._done.get(item, 0) + 1
        if one.kind in EXAM_ENDS and one.percentage is not None:
            self._results[row] = one.percentage
        if one.mirrors is not None:
            return
        if one.kind in FINISHING:
            _put(self._studied, (one.at, one.event_id))
            if one.at >= EARLIEST:
                _put(self._days, local_day(one.at, self._zone).toordinal())
        if one.kind not in _STUDY:
            insort(self._kept, one, key=_when)

    def _remove(self, one: Past) -> None:
        """Take back what a row said before it said something else."""
        if one.kind in FINISHING:
            for item in self._items_of(one):
                self._done[item] -= 1
        self._results.pop((one.source_table, one.source_id), None)
        if one.mirrors is not None:
            return
        if one.kind in FINISHING:
            self._studied.remove((one.at, one.event_id))
            if one.at >= EARLIEST:
                self._days.remove(local_day(one.at, self._zone).toordinal())
        if one.kind not in _STUDY:
            self._kept.remove(one)

    def _items_of(self, one: Past) -> tuple[Item, ...]:
        return () if one.activity_id is None else self._items.get((one.source_table, one.activity_id), ())

    def facts(self, now: datetime) -> Facts:
        """Return the facts that the rules judge; streaks are left out, whose end sends no alert."""
        history = self.history
        enrolled_at = history.enrolled_at
        results = self._results
        due = [self._deadline(one, now) for one in history.due]
        return Facts(
            student_id=history.student_id,
            is_active=history.left_at is None or now < history.left_at,
            enrolled_at=min(enrolled_at, now) if enrolled_at else None,
            first_at=self._first_at,
            learned_at=self._studied[-1][0] if self._studied else None,
            usual_gap=self._usual_gap(now),
            average=sum(results.values()) / len(results) if results else None,
            **sort_activities(self._activities(now), self._minutes),
            **with_deadlines(due, enrolled_at, now),
        )

    def attention_facts(self, now: datetime) -> AttentionFacts:
        """Return the facts that give points of attention."""
        facts = self.facts(now)
        since = now - COMPARED_DAYS * DAY
        return AttentionFacts(
            is_active=facts.is_active,
            enrolled_at=facts.enrolled_at,
            first_at=facts.first_at,
            learned_at=facts.learned_at,
            usual_gap=facts.usual_gap,
            average=facts.average,
            failures=self._failures(),
            recent=len(self._studied) - self._finished_before(since),
            before=self._finished_before(since) - self._finished_before(since - COMPARED_DAYS * DAY),
            opened_at=facts.content.at if facts.content else None,
            against_class=self._against_class(now),
            **deadline_facts(facts, now),
        )

    def _deadline(self, one: Due, now: datetime) -> Deadline:
        """Return a deadline, with what the class had come to where that says whether it counts as missed."""
        if self._done.get(one.item) or one.until > now:
            return Deadline(one.until, one.title, 0, 0, one.until <= now)
        return Deadline(one.until, one.title, *self._class.deadline(one.activity, now), False)

    def may_worsen(self, new: Iterable[Past]) -> bool:
        """Return whether what became known may be a reason for an alert: all but what was studied."""
        return any(one.kind not in _STUDY for one in new)

    def next_look(self, now: datetime) -> datetime | None:
        """Return when to look again though nothing becomes known: for deadlines, and when the student leaves."""
        open_ones = [one for one in self.history.due if one.until + CLASS_GRACE > now and not self._done.get(one.item)]
        looks = [self.history.left_at, *(one.until + GRACE for one in open_ones)]
        looks += [one.until + CLASS_GRACE for one in open_ones] + [self._class.turned_at(one) for one in open_ones]
        return min((look for look in looks if look is not None and look > now), default=None)

    def _usual_gap(self, now: datetime) -> timedelta | None:
        first = (now - GAP_WINDOW).date().toordinal()
        days = sorted(set(self._days[bisect_left(self._days, first) :]))
        return usual_gap(days)

    def _activities(self, now: datetime) -> list[tuple[str, datetime, int | None, str | None, float | None]]:
        """Return what rules look at, newest first: of other content, when something was finished last is enough."""
        since = now - LOOKBACK
        found = [(one.at, one.event_id, one) for one in self._kept[bisect_left(self._kept, (since, 0), key=_when) :]]
        rows = [(one.kind, at, one.activity_id, one.title, one.percentage) for at, _, one in reversed(found)]
        if self._studied and self._studied[-1][0] >= since:
            last = self._studied[-1]
            place = sum((at, number) > last for at, number, _ in found)
            if place == len(rows) or found[-1 - place][:2] != last:
                rows.insert(place, (EventType.CONTENT_COMPLETED, last[0], None, None, None))
        return rows

    def _finished_before(self, moment: datetime) -> int:
        return bisect_left(self._studied, (moment, 0))

    def _failures(self) -> int:
        last: dict[tuple[str, int], Past] = {}
        for one in self._rows.values():
            if one.kind in EXAM_ENDS:
                exam = (one.source_table, -one.event_id if one.activity_id is None else one.activity_id)
                if exam not in last or _when(last[exam]) < _when(one):
                    last[exam] = one
        return sum(one.kind == EventType.EXAM_FAILED for one in last.values())

    def _against_class(self, now: datetime) -> float | None:
        differences = []
        for row, value in self._results.items():
            activity_id = self._rows[row].activity_id
            average = None if activity_id is None else self._class.average((row[0], activity_id), now)
            if average is not None:
                differences.append(value - average)
        return sum(differences) / len(differences) if differences else None


def _put(values: list[_T], value: _T) -> None:
    """Put a value into its place, which is nearly always the end."""
    if values and value < values[-1]:
        insort(values, value)
    else:
        values.append(value)
