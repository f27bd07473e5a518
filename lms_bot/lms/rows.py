"""Turns rows of a source into activities, as the source is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from lms_bot.core.events import MIRRORED_EXAM, PROGRESS, PROGRESS_STEPS, Activity, EventType
from lms_bot.lms.catalogue import Catalogue
from lms_bot.lms.source import Field, Source
from lms_bot.lms.values import duration, fingerprint, integer, moment, number, plain, text

Row = tuple[Any, ...]
"""The values of a row, in the order of the columns that its source reads."""


class RowReader:
    """Reads the rows of one source; naive times are in `zone`."""

    def __init__(self, source: Source, zone: tzinfo) -> None:
        self._source = source
        self._zone = zone
        at = source.place

        def place(field: Field | None) -> int | None:
            return None if field is None else at(field)

        width = len(source.columns)
        self._width = width if source.only is None else width - 1
        self._own = len(source.own_columns)
        self._key, self._student, self._activity = at(source.key), at(source.student), at(source.activity)
        self._state = at(source.state)
        self._username, self._result = place(source.username), place(source.result)
        self._progress, self._turn = place(source.progress), place(source.turn)
        self._final, self._enrolled = place(source.is_final), place(source.enrolled)
        self._started, self._ended = list(map(at, source.started)), list(map(at, source.ended))
        self._facts = [(name, at(field)) for name, field in source.facts.items()]
        self._titles = [(name, title.catalogue, at(title.id)) for name, title in source.titles.items()]
        self._times = [(name, at(field)) for name, field in source.times.items()]
        self._durations = [(name, at(field)) for name, field in source.durations.items()]
        self._bands = [(at(column), sorted(steps)) for column, steps in source.bands.items()]
        mirrors = source.mirrors
        self._mirror = (at(mirrors.column), mirrors.value, at(mirrors.key), mirrors.exams) if mirrors else None
        self._stated = lru_cache(1_000)(_states(source))

    def by_id(self, read: Iterable[Any]) -> dict[int, Row]:
        """Return those of the rows read that are the source's by id, in the order in which they come."""
        width = self._width
        if self._source.only is None:
            found = {row[self._key]: tuple(row[:width]) for row in read}
        else:
            found = {row[self._key]: tuple(row[:width]) for row in read if row[width]}
        return {one: self._banded(row) for one, row in found.items()} if self._bands else found

    def fingerprint(self, row: Row) -> int:
        """Return a number that changes when the row does."""
        return fingerprint(row if self._own == self._width else row[: self._own])

    def lacks_title(self, row: Row, catalogue: Catalogue) -> bool:
        """Return whether the row's activity is one that the catalogue does not know."""
        activity = row[self._activity]
        return activity is not None and activity not in catalogue[self._source.names]

    def activity(self, row: Row, mark: int, catalogue: Catalogue) -> Activity:
        """Return what a row with this fingerprint states. This runs a hundred thousand times in a burst."""
        state, activity_id = text(row[self._state]), integer(row[self._activity])
        event_type, is_known = self._stated(state, None if self._result is None else text(row[self._result]))
        turn = None if self._turn is None else integer(row[self._turn])
        details = self._details(row, catalogue)
        if event_type is EventType.CONTENT_PROGRESS:
            turn = step_reached(None if self._progress is None else row[self._progress])
            event_type = None if turn is None else event_type
            details[PROGRESS] = None if turn is None else PROGRESS_STEPS[turn]
        started_at, ended_at = self._first(row, self._started), self._first(row, self._ended)
        mirrored, exam_id = self._mirrored(row, catalogue) if self._mirror else (None, None)
        if exam_id is not None:
            details[MIRRORED_EXAM] = exam_id
        return Activity(
            source_table=self._source.name,
            source_id=row[self._key],
            event_type=event_type,
            unknown_state=None if is_known else state or "(none)",
            student_id=integer(row[self._student]),
            student_username=None if self._username is None else text(row[self._username]),
            activity_id=activity_id,
            title=catalogue[self._source.names].get(activity_id),
            started_at=started_at,
            ended_at=ended_at,
            details=details,
            fingerprint=mark,
            mirrors=mirrored,
            turn=turn,
            is_final=self._final is not None and bool(row[self._final]),
            is_copy=self._enrolled is not None and self._is_copy(row, started_at or ended_at),
        )

    def _details(self, row: Row, catalogue: Catalogue) -> dict[str, Any]:
        details = {
            name: value if (value := row[place]) is None or type(value) is int else plain(value)
            for name, place in self._facts
        }
        for name, catalogue_name, place in self._titles:
            details[name] = catalogue[catalogue_name].get(integer(row[place]))
        for name, place in self._times:
            at = moment(row[place], self._zone)
            details[name] = at.isoformat() if at else None
        for name, place in self._durations:
            details[name] = duration(row[place])
        return details

    def _is_copy(self, row: Row, began_at: datetime | None) -> bool:
        enrolled_at = None if self._enrolled is None else moment(row[self._enrolled], self._zone)
        return began_at is not None and enrolled_at is not None and began_at < enrolled_at

    def _banded(self, row: Row) -> Row:
        values = list(row)
        for place, steps in self._bands:
            value = number(values[place])
            values[place] = None if value is None else max((step for step in steps if step <= value), default=0)
        return tuple(values)

    def _first(self, row: Row, places: list[int]) -> datetime | None:
        for place in places:
            if at := moment(row[place], self._zone):
                return at
        return None

    def _mirrored(self, row: Row, catalogue: Catalogue) -> tuple[int | None, int | None]:
        """Return the row that states the same, or else the exam about which such a row would be."""
        assert self._mirror is not None
        column, value, key, exams = self._mirror
        if _word(text(row[column])) != value:
            return None, None
        mirrored = integer(row[key])
        exam_id = catalogue[exams].get(row[self._activity]) if mirrored is None else None
        return mirrored, None if exam_id is None else int(exam_id)


def step_reached(percentage: Any) -> int | None:
    """Return the place of the step of progress that a percentage has come to; None before the first."""
    value = number(percentage)
    reached = 0 if value is None else sum(step <= value for step in PROGRESS_STEPS)
    return reached - 1 if reached else None


def _states(source: Source) -> Callable[[str | None, str | None], tuple[EventType | None, bool]]:
    """Return which event a state and a result state, and whether the state is known.

    Case and surrounding space do not matter.
    """

    def stated(state: str | None, result: str | None) -> tuple[EventType | None, bool]:
        word = _word(state)
        found = source.states.get(word)
        known = source.results.get(_word(result), found) if found is EventType.EXAM_COMPLETED else found
        return known, word in source.states

    return stated


def _word(value: str | None) -> str:
    return (value or "").strip().casefold()
