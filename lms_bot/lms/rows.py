"""Turns rows of a source into activities, as the source is declared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from lms_bot.core.events import MIRRORED_EXAM, Activity, EventType
from lms_bot.lms.catalogue import Catalogue
from lms_bot.lms.source import Source
from lms_bot.lms.values import integer, moment, plain, text

Row = tuple[Any, ...]
"""The values of a row, in the order of the source's columns."""


class RowReader:
    """Reads the rows of one source; naive times are in `zone`."""

    def __init__(self, source: Source, zone: tzinfo) -> None:
        self._source = source
        self._zone = zone
        at = {column.key: place for place, column in enumerate(source.table.c)}
        self._key, self._student, self._activity = at[source.key], at[source.student], at[source.activity]
        self._state = at[source.state]
        self._username = None if source.username is None else at[source.username]
        self._result = None if source.result is None else at[source.result]
        self._started = [at[name] for name in source.started]
        self._ended = [at[name] for name in source.ended]
        self._facts = [(name, at[column]) for name, column in source.facts.items()]
        self._titles = [(name, title.catalogue, at[title.column]) for name, title in source.titles.items()]
        self._times = [(name, at[column]) for name, column in source.times.items()]
        mirrors = source.mirrors
        self._mirror = (at[mirrors.column], mirrors.value, at[mirrors.key], mirrors.exams) if mirrors else None
        self._stated = lru_cache(1_000)(_states(source))

    def lacks_title(self, row: Row, catalogue: Catalogue) -> bool:
        """Return whether the row's activity is one that the catalogue does not know."""
        activity = row[self._activity]
        return activity is not None and activity not in catalogue[self._source.title]

    def activity(self, row: Row, fingerprint: int, catalogue: Catalogue) -> Activity:
        """Return what a row states. This runs a hundred thousand times in a burst."""
        state, activity_id = text(row[self._state]), integer(row[self._activity])
        details = {
            name: value if (value := row[place]) is None or type(value) is int else plain(value)
            for name, place in self._facts
        }
        for name, catalogue_name, place in self._titles:
            details[name] = catalogue[catalogue_name].get(integer(row[place]))
        for name, place in self._times:
            at = moment(row[place], self._zone)
            details[name] = at.isoformat() if at else None
        mirrored, exam_id = self._mirrored(row, catalogue) if self._mirror else (None, None)
        if exam_id is not None:
            details[MIRRORED_EXAM] = exam_id
        return Activity(
            source_table=self._source.name,
            source_id=row[self._key],
            event_type=self._stated(state, None if self._result is None else text(row[self._result])),
            state=state,
            student_id=integer(row[self._student]),
            student_username=None if self._username is None else text(row[self._username]),
            activity_id=activity_id,
            title=catalogue[self._source.title].get(activity_id),
            started_at=self._first(row, self._started),
            ended_at=self._first(row, self._ended),
            details=details,
            fingerprint=fingerprint,
            mirrors=mirrored,
        )

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


def _states(source: Source) -> Callable[[str | None, str | None], EventType | None]:
    """Return which event a state and a result state; case and surrounding space do not matter."""

    def stated(state: str | None, result: str | None) -> EventType | None:
        found = source.states.get(_word(state))
        return source.results.get(_word(result), found) if found is EventType.EXAM_COMPLETED else found

    return stated


def _word(value: str | None) -> str:
    return (value or "").strip().casefold()
