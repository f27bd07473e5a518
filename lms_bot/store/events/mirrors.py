"""Content that is an exam: the same fact as an attempt, where exam, student and time show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import MIRRORED_EXAM, MIRRORING, OF_EXAMS, Event, is_finished
from lms_bot.db.lists import in_list
from lms_bot.store.events.events import Said
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, is_current_exam

NEAR = timedelta(minutes=10)  # between what an attempt and its content say of one moment
SAME_FACT = "an attempt at the exam says the same"

_c = events.c
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_Attempts = dict[tuple[int | None, int | None], list[tuple[datetime, int]]]


class Mirrored(NamedTuple):
    """Events that turned out to mirror an attempt, by id, and what that changes for days."""

    event_ids: list[int]
    corrected: list[Said]


def with_attempts(transaction: Transaction, found: Sequence[Event]) -> tuple[Event, ...]:
    """Return these events, those of content with the recorded attempt that states the same, if there is one."""
    exams = {_exam(event) for event in found} - {None}
    if not exams:
        return tuple(found)
    dialect = transaction.dialect.name
    students = {event.student_id for event in found if _exam(event) is not None} - {None}
    query = sa.select(_c.student_id, _c.activity_id, _c.timestamp, _c.source_id).where(
        in_list(_c.student_id, students, dialect), in_list(_c.activity_id, exams, dialect)
    )
    attempts: _Attempts = defaultdict(list)
    for student_id, exam_id, at, source_id in transaction.execute(query.where(is_current_exam, ~_c.is_withdrawn)):
        attempts[student_id, exam_id].append((at, source_id))
    return tuple(
        event
        if (exam_id := _exam(event)) is None
        else event._replace(mirrors=_nearest(attempts, event.student_id, exam_id, event.timestamp))
        for event in found
    )


def note_mirrors(transaction: Transaction, inserted: Iterable[Event]) -> Mirrored:
    """Note which content, recorded before these attempts were found, states the same as one of them."""
    attempts: _Attempts = defaultdict(list)
    for event in inserted:
        if event.event_type in OF_EXAMS and event.student_id is not None and not event.is_history:
            attempts[event.student_id, event.activity_id].append((event.timestamp, event.source_id))
    if not attempts:
        return Mirrored([], [])
    moments = [at for of_exam in attempts.values() for at, _ in of_exam]
    within = in_list(_c.student_id, {student_id for student_id, _ in attempts}, transaction.dialect.name)
    first, last = min(moments), max(moments)
    near = _c.timestamp.between(first - min(NEAR, first - _FIRST), last + min(NEAR, _LAST - last))
    exam = _c.activity_metadata[MIRRORED_EXAM].as_integer()
    query = (
        sa.select(_c.event_id, _c.student_id, exam, _c.timestamp, _c.created_at, _c.event_type, _c.is_current)
        .where(within, near, _c.mirrors.is_(None), _c.event_type.in_(MIRRORING), exam.is_not(None))
        .order_by(_c.event_id)
    )
    found, corrected = [], []
    for event_id, student_id, exam_id, at, found_at, kind, is_current in transaction.execute(query).all():
        source_id = _nearest(attempts, student_id, exam_id, at)
        if source_id is None:
            continue
        found.append({"of_id": event_id, "mirrored": source_id})
        if is_current and is_finished(kind, None):
            corrected.append(Said(student_id, at, found_at, True, -1))
    if found:
        mirroring = (
            sa.update(events).where(_c.event_id == sa.bindparam("of_id")).values(mirrors=sa.bindparam("mirrored"))
        )
        transaction.execute(mirroring, found)
    return Mirrored([one["of_id"] for one in found], corrected)


def _exam(event: Event) -> int | None:
    """Return the exam that an event's content is, where the event does not say which attempt it belongs to."""
    return event.metadata.get(MIRRORED_EXAM) if event.event_type in MIRRORING else None


def _nearest(attempts: _Attempts, student_id: int | None, exam_id: int | None, at: datetime) -> int | None:
    """Return the attempt of a student at an exam that was nearest to a moment, if it was near."""
    near = [(abs(when - at), source_id) for when, source_id in attempts.get((student_id, exam_id), ())]
    distance, source_id = min(near, default=(NEAR + NEAR, None))
    return source_id if distance <= NEAR else None
