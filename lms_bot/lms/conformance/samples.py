"""Reads the newest rows of each source as a poll would, and counts what of them makes no sense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from lms_bot.core.events import MIRRORED_EXAM, Activity, EventType, percentage
from lms_bot.core.reports.findings import Finding, failed, ok, some, warning
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import inspection
from lms_bot.lms.catalogue import Catalogue, read_catalogue
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.people import read_people
from lms_bot.lms.rows import RowReader
from lms_bot.lms.source import Source, Watch
from lms_bot.lms.values import plain, text

WORD = 40  # characters that are shown of a word of the LMS
MOST_ROWS = 3_000  # of each table, the newest
AHEAD = timedelta(minutes=5)  # what lies further in the future is a mistake, or in another zone


class Known:
    """What rows are compared with: students and titles, each read once."""

    def __init__(self, installation: Installation, now: datetime) -> None:
        self.installation = installation
        self.now = now

    @cached_property
    def students(self) -> frozenset[int | str] | None:
        """Return the ids and usernames of students; None where they cannot be read, which is said elsewhere."""
        one = self.installation
        try:
            people = read_people(one.engine, one.schema.people, one.files, self.now)
        except LmsUnavailable:
            return None
        return frozenset(name for student in people.students for name in (student.student_id, student.username))

    @cached_property
    def catalogue(self) -> Catalogue:
        with self.installation.reading() as connection:
            return read_catalogue(connection, self.installation.schema)


def check(known: Known, source: Source) -> Iterator[Finding]:
    """Say of the newest rows of a source whether they are understood; nothing of a source that cannot be read."""
    try:
        samples = [(watch, _newest(known, watch)) for watch in source.watches]
        (_, read), *_ = samples
        reader = RowReader(source, known.installation.zone)
        rows = list(reader.by_id(read or []).values())
        activities = [reader.activity(row, 0, known.catalogue) for row in rows]
    except (LmsUnavailable, TypeError, ValueError) as error:
        advice = "see of which types the columns are, and what the declaration makes of them"
        why = str(error) if isinstance(error, LmsUnavailable) else type(error).__name__  # others may quote a value
        yield failed("schema rows", f"{source.name}: the newest rows cannot be read: {why}", advice)
        return
    if read is None:
        return
    for watch, sample in samples:
        yield from _keys(watch, sample or [])
    yield from _states(source, rows, activities)
    yield from _rows(known, source, activities)
    yield from _percentages(source, read)
    yield from _mirrors(known, source, rows, activities)


def _newest(known: Known, watch: Watch) -> Sequence[Any] | None:
    """Return the newest rows of a watched table; None where something of them is not there, or not for us to read."""
    with known.installation.reading() as connection:
        if not inspection.can_read(connection, watch.select):
            return None
        return connection.execute(watch.select.order_by(watch.key_column.desc()).limit(MOST_ROWS)).all()


def _keys(watch: Watch, read: Sequence[Any]) -> Iterator[Finding]:
    place = -1 if watch.is_part else watch.source.place(watch.source.key)
    times = Counter(row[place] for row in read)
    if nameless := times.pop(None, 0):
        yield failed("schema keys", f"{watch.name}: {nameless} rows have no key", "name a column that is never NULL")
    if doubled := sum(count > 1 for count in times.values()):
        advice = "each row must come once: name a key that is unique, and join what has one row for it"
        yield failed("schema keys", f"{watch.name}: {doubled} of {len(times)} keys are read several times", advice)


def _states(source: Source, rows: Sequence[Any], activities: Sequence[Activity]) -> Iterator[Finding]:
    if not rows:
        yield ok("schema states", f"{source.name}: there are no rows yet")
        return
    unknown = Counter(activity.unknown_state for activity in activities if activity.unknown_state is not None)
    place = source.place(source.state)
    known = Counter(
        text(row[place]) for row, activity in zip(rows, activities, strict=True) if activity.unknown_state is None
    )
    if known:
        yield ok("schema states", f"{source.name}: {_counted(known)}")
    if unknown:
        advice = "add them to its states, with None for those that state no event; until then they are told to nobody"
        message = f"{source.name}: unknown states {_counted(unknown)}"
        yield (warning if known else failed)("schema states", message, advice)
    if source.result is not None:
        result, ends = source.place(source.result), (EventType.EXAM_COMPLETED,)
        words = Counter(text(r[result]) for r, a in zip(rows, activities, strict=True) if a.event_type in ends)
        if without := Counter({one: count for one, count in words.items() if one and one.strip()}):
            advice = "add those that mean passed or failed to its results; until then they are told as completed"
            yield warning("schema states", f"{source.name}: unknown results {_counted(without)}", advice)


def _rows(known: Known, source: Source, activities: Sequence[Activity]) -> Iterator[Finding]:
    stating = [activity for activity in activities if activity.event_type is not None]
    strangers = sum(_is_strange(known, one) for one in stating)
    if strangers:
        message = f"{source.name}: {strangers} of the newest {len(stating)} rows have a student who is not read"
        advice = "see which column holds the student's id, and whom the query of students leaves out"
        yield (failed if strangers == len(stating) else warning)("schema rows", message, advice)
    nameless = sum(not one.title for one in stating)
    timeless = sum(one.started_at is None and one.ended_at is None for one in stating)
    latest = known.now + AHEAD
    ahead = sum(max(one.started_at or latest, one.ended_at or latest) > latest for one in stating)
    for count, what, advice in (
        (nameless, "have no title", "see which ids the catalogue has, and what it leaves out"),
        (timeless, "have no time", "name all columns with times: an event without one has the time when it was found"),
        (ahead, "have a time in the future", "set timezone to that of the LMS, or see which column is meant"),
    ):
        if count:
            yield warning("schema rows", f"{source.name}: {count} of the newest {len(stating)} rows {what}", advice)
    if stating and not (strangers or nameless or timeless or ahead):
        yield ok("schema rows", f"{source.name}: the newest {len(stating)} rows have students, titles and times")


def _is_strange(known: Known, one: Activity) -> bool:
    name = one.student_username if one.student_id is None else one.student_id
    return known.students is not None and name not in known.students


def _percentages(source: Source, rows: Sequence[Any]) -> Iterator[Finding]:
    fields = [field for field in (source.facts.get("percentage"), source.progress) if field is not None]
    given = [row[place] for place in map(source.place, fields) for row in rows if row[place] is not None]
    counted = [percentage({"percentage": plain(value)}) for value in given]
    if wrong := sum(value is None or not 0 <= value <= 100 for value in counted):
        advice = "let the declaration give a percentage from 0 to 100"
        message = f"{source.name}: {wrong} of {len(given)} percentages are none from 0 to 100"
        yield warning("schema rows", message, advice)


def _mirrors(known: Known, source: Source, rows: Sequence[Any], activities: Sequence[Activity]) -> Iterator[Finding]:
    if source.mirrors is None:
        return
    place, value = source.place(source.mirrors.column), source.mirrors.value
    mirroring = [
        activity
        for row, activity in zip(rows, activities, strict=True)
        if (text(row[place]) or "").strip().casefold() == value
    ]
    named = {activity.mirrors for activity in mirroring if activity.mirrors is not None}
    there = named & _ids_of_exams(known, named)
    if lost := sum(activity.mirrors not in there and MIRRORED_EXAM not in activity.details for activity in mirroring):
        advice = "see what the key of its mirror holds, and whether the catalogue of its exams has these activities"
        message = f"{source.name}: {lost} of {len(mirroring)} rows that mirror another find none"
        yield warning("schema mirrors", message, advice)
    elif mirroring:
        yield ok("schema mirrors", f"{source.name}: {len(mirroring)} rows mirror rows that are there")
    elif rows:
        yield ok("schema mirrors", f"{source.name}: none of the newest {len(rows)} rows mirrors another")


def _ids_of_exams(known: Known, ids: Collection[int]) -> set[int]:
    """Return which of these ids are those of rows about exams, in whichever source."""
    installation = known.installation
    dialect, found = installation.engine.dialect.name, set[int]()
    of_exams = (one for one in installation.schema.sources if any(s and s.is_of_exam for s in one.states.values()))
    for source in of_exams:
        with installation.reading() as connection:
            by_key, values = source.watches[0].rows_by_key(sorted(ids), dialect)
            if ids and inspection.can_read(connection, by_key):
                found.update(row[source.place(source.key)] for row in connection.execute(by_key, values))
    return found


def _counted(words: Counter[Any]) -> str:
    return some([f"{_word(one)} {count}" for one, count in words.most_common()])


def _word(value: str | None) -> str:
    """Return a word of the LMS in one line of a terminal."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in value or "")
    return (f"{shown[:WORD]}…" if len(shown) > WORD else shown) or "(none)"
