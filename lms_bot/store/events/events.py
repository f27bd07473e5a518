"""Events: recorded once, and kept true to the rows that they came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core import detect
from lms_bot.core.detect import Observed, follow
from lms_bot.core.events import COURSE, NO_PRESENCE, Event, EventType, course_key, is_finished, percentage
from lms_bot.db.engine import UtcDateTime
from lms_bot.db.lists import in_list
from lms_bot.store import counters
from lms_bot.store.bulk import insert_new
from lms_bot.store.events import tombstones
from lms_bot.store.events.attempts import number_attempts
from lms_bot.store.events.rows import courses_of, event_ids, recorded
from lms_bot.store.people import forgotten
from lms_bot.store.people.people import UNKNOWN_STUDENT, Mentoring
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events

COLUMNS = (
    "event_type",
    "student_id",
    "student_username",
    "mentor_id",
    "mentor_username",
    "activity_id",
    "activity_title",
    "activity_metadata",
    "timestamp",
    "created_at",
    "zulip_user_id",
    "source_table",
    "source_id",
    "episode",
    "is_history",
    "mirrors",
    "fingerprint",
    "percentage",
    "course_key",
)
NATURAL_KEY = ("source_table", "source_id", "episode", "event_type")


class Said(NamedTuple):
    """An event that students' days count, or do so no more: `counts` 1 or -1; `is_finished` only where that changes."""

    student_id: int | None
    timestamp: datetime
    found_at: datetime
    is_finished: bool
    counts: int = 1


class Reconciled(NamedTuple):
    """What was inserted, with event ids; what changes for days by what was there; rows that must be read again.

    `changed` are the events, by id, that say something else now; `withdrawn` those that are nobody's any more.
    """

    inserted: list[tuple[int, Event]]
    corrected: list[Said]
    doubtful: list[int]
    withdrawn: list[int]
    changed: list[int]


def record(
    transaction: Transaction, observed: Sequence[Event], around: Mapping[int, Mentoring], now: datetime
) -> list[tuple[int, Event]]:
    """Insert events that are not there yet, and give those with their event ids; the others are left as they are.

    What students did who were forgotten is not recorded, nor again what was removed for its age.
    """
    gone = forgotten.forgotten_students(transaction) if observed else None
    if gone and gone.student_ids:
        observed = [event for event in observed if not gone.has(event.student_id, event.student_username)]
    if observed:
        observed = tombstones.without_pruned(transaction, observed)
    if not observed:
        return []
    rows = [_row(event, around.get(event.student_id or 0, UNKNOWN_STUDENT), now) for event in observed]
    event_ids = insert_new(transaction, events, COLUMNS, rows, NATURAL_KEY)
    recorded = [(event_id, event) for event_id, event in zip(event_ids, observed, strict=True) if event_id is not None]
    counters.add(transaction, counters.EVENTS, len(recorded))
    return recorded


def restate(transaction: Transaction, stated: Mapping[int, Event]) -> list[Said]:
    """Bring recorded events up to what their rows say now, silently, and make them current; by event id.

    A title that is not told any more, as of a course that is hidden by now, stays as it was.
    Gives by how much that changes the days of students.
    """
    courses = courses_of(transaction, [one for one, event in stated.items() if event.metadata.get(COURSE, "") is None])
    parameters = [
        {
            "id": event_id,
            "metadata": (metadata := event.metadata | courses.get(event_id, {})),
            "mark": event.fingerprint,
            "percent": percentage(metadata),
            "course": course_key(metadata),
            "student": event.student_id,
            "title": event.activity_title,
            "username": event.student_username,
            "at": event.timestamp if event.is_dated else None,
        }
        for event_id, event in stated.items()
    ]
    if not parameters:
        return []
    corrected = _restated(transaction, stated)
    statement = sa.update(events).where(events.c.event_id == sa.bindparam("id"))
    values = {
        "activity_metadata": sa.bindparam("metadata", type_=sa.JSON),
        "fingerprint": sa.bindparam("mark"),
        "percentage": sa.bindparam("percent"),
        "course_key": sa.bindparam("course"),
        "student_id": sa.bindparam("student"),
        "activity_title": sa.func.coalesce(sa.bindparam("title", type_=sa.Text), events.c.activity_title),
        "student_username": sa.func.coalesce(sa.bindparam("username", type_=sa.Text), events.c.student_username),
        "timestamp": sa.func.coalesce(sa.bindparam("at", type_=UtcDateTime), events.c.timestamp),
        "is_current": True,
    }
    transaction.execute(statement.values(values), parameters)
    return corrected


def supersede(transaction: Transaction, event_ids: Collection[int]) -> list[Said]:
    """Mark events whose rows say something else by now, or are gone; gives by how much that changes days."""
    if not event_ids:
        return []
    c = events.c
    within = in_list(c.event_id, event_ids, transaction.dialect.name)
    marked = sa.update(events).where(within, c.is_current).values(is_current=False)
    gone = transaction.execute(marked.returning(c.student_id, c.timestamp, c.created_at, c.event_type, c.mirrors)).all()
    return [
        Said(student_id, at, found_at, True, -1)
        for student_id, at, found_at, kind, mirrors in gone
        if is_finished(kind, mirrors)
    ]


def students_of(transaction: Transaction, event_ids: Collection[int]) -> set[int | None]:
    """Return the students whom events are about."""
    if not event_ids:
        return set()
    within = in_list(events.c.event_id, event_ids, transaction.dialect.name)
    return set(transaction.scalars(sa.select(events.c.student_id).where(within)))


def withdraw(transaction: Transaction, event_ids: Collection[int]) -> list[Said]:
    """Show to nobody any more the events whose rows turned out to be about somebody or something else.

    Gives by how much that changes days.
    """
    if not event_ids:
        return []
    c = events.c
    within = in_list(c.event_id, event_ids, transaction.dialect.name)
    marked = sa.update(events).where(within, ~c.is_withdrawn).values(is_withdrawn=True)
    gone = transaction.execute(marked.returning(c.student_id, c.timestamp, c.created_at, c.event_type, c.mirrors)).all()
    return [
        Said(student_id, at, found_at, is_finished(kind, mirrors), -1)
        for student_id, at, found_at, kind, mirrors in gone
    ]


def _restated(transaction: Transaction, stated: Mapping[int, Event]) -> list[Said]:
    """Return what changes for days when these events become current and the students' whose rows say so now."""
    c = events.c
    within = in_list(c.event_id, stated, transaction.dialect.name)
    query = sa.select(c.event_id, c.student_id, c.timestamp, c.created_at, c.event_type, c.mirrors, c.is_current).where(
        within, c.event_type.not_in(NO_PRESENCE)
    )
    corrected = []
    for event_id, student_id, at, found_at, kind, mirrors, was_current in transaction.execute(query):
        finished, now = is_finished(kind, mirrors), stated[event_id]
        happened_at = now.timestamp if now.is_dated else at
        if student_id != now.student_id or happened_at != at or (finished and not was_current):
            corrected.append(Said(student_id, at, found_at, finished, -1))
            corrected.append(Said(now.student_id, happened_at, found_at, finished))
    return corrected


AS_EVENT = tuple(
    events.c[name]
    for name in (
        *("event_id", "event_type", "source_table", "source_id", "student_id", "student_username", "activity_id"),
        *("activity_title", "activity_metadata", "timestamp", "is_history", "fingerprint", "mirrors", "episode"),
    )
)
"""The columns that `from_row` reads."""


def from_row(row: Any) -> Event:
    """Return the event from a row that has these columns of the events table."""
    return Event(
        event_type=EventType(row.event_type),
        source_table=row.source_table,
        source_id=row.source_id,
        student_id=row.student_id,
        student_username=row.student_username,
        activity_id=row.activity_id,
        activity_title=row.activity_title,
        metadata=row.activity_metadata,
        timestamp=row.timestamp,
        is_history=row.is_history,
        fingerprint=row.fingerprint,
        mirrors=row.mirrors,
        event_id=row.event_id,
        episode=row.episode,
    )


def _row(event: Event, around: Mentoring, now: datetime) -> tuple[Any, ...]:
    mentor_id, mentor_username = around.mentors[0] if around.mentors else (None, None)
    return (
        event.event_type.value,
        event.student_id,
        event.student_username or around.username,
        mentor_id,
        mentor_username,
        event.activity_id,
        event.activity_title,
        event.metadata,
        event.timestamp,
        now,
        around.zulip_user_id,
        event.source_table,
        event.source_id,
        event.episode,
        event.is_history,
        event.mirrors,
        event.fingerprint,
        percentage(event.metadata),
        course_key(event.metadata),
    )


def reconcile(
    transaction: Transaction,
    observed: Observed,
    around: Mapping[int, Mentoring],
    read_before: int,
    now: datetime,
    *,
    is_overtaken: bool = False,
) -> Reconciled:
    """Insert what is new, and bring the rest up to date; rows of ids up to `read_before` may have been recorded.

    `is_overtaken`: another poll has stored a page since this one was read, which may be the older of the two.
    """
    again = [event.source_id for event in observed.events if event.source_id <= read_before]
    states_of = recorded(transaction, observed.events[0].source_table, again) if again else {}
    restated: dict[int, Event] = {}
    superseded: list[int] = []
    withdrawn: list[int] = []
    new: list[Event] = []
    doubtful: list[int] = []
    for event in observed.events:
        states = states_of.get(event.source_id)
        if not states:
            new.append(event)
            continue
        followed = follow(states, event)
        same = followed.same
        if is_overtaken and not (same and same.is_current):
            doubtful.append(event.source_id)
            continue
        outdated = event_ids(state for state in states if state.is_current and state is not same)
        superseded += outdated
        if followed.is_another and outdated:
            withdrawn += event_ids(one for one in states if one.is_about_same(states[-1]))
        if same and same.event_id is not None:
            restated[same.event_id] = detect.restated(event, followed)
        else:
            is_history = event.is_history and all(state.is_history for state in states)
            new.append(event._replace(episode=followed.episode, is_history=is_history))
    number_attempts(transaction, [*new, *restated.values()])
    corrected = restate(transaction, restated) + supersede(transaction, superseded) + withdraw(transaction, withdrawn)
    changed = [*restated, *superseded, *withdrawn]
    return Reconciled(record(transaction, new, around, now), corrected, doubtful, withdrawn, changed)
