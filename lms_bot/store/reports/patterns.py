"""What one student did, as patterns are seen in it and recommendations rest on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.alert_rules import Facts
from lms_bot.core.calendar import counted_at, local_day
from lms_bot.core.events import (
    FINISHING,
    NO_PRESENCE,
    OF_EXAMS,
    OPENING,
    PROGRESS,
    PROGRESS_STEPS,
    EventType,
)
from lms_bot.core.recommendations import Attempt, Evidence, Opened, RecommendationFacts, SubjectResult
from lms_bot.core.reports.patterns import PERIOD, WATCHED_WITHIN, Finished, Observations
from lms_bot.db.engine import UtcDateTime
from lms_bot.store.reports.courses import Touched
from lms_bot.store.session import Transaction
from lms_bot.store.tables import attempt_results, events, student_days

VIDEO = "video"  # the content_type of one
_c = events.c
_NEWEST_FIRST = (_c.timestamp.desc(), _c.event_id.desc())
_EVIDENCE = (_c.event_id, _c.source_table, _c.source_id)
_is_exam = _c.is_current & ~_c.is_withdrawn & _c.event_type.in_(OF_EXAMS)
_is_exam_end = _is_exam & (_c.event_type != EventType.EXAM_STARTED)
_own = _c.student_id == sa.bindparam("student")

# Made once, since making them takes longer than running them.
_LATELY = (
    sa.select(*_EVIDENCE, _c.event_type, _c.episode, _c.activity_id, _c.activity_title, _c.timestamp)
    .add_columns(_c.created_at, _c.is_current, _c.mirrors)
    .add_columns(_c.activity_metadata["content_type"].as_string().label("content_type"))
    .add_columns(_c.activity_metadata[PROGRESS].as_integer().label("progress"))
    .where(_own, _c.timestamp >= sa.bindparam("since", type_=UtcDateTime))
    .where(_c.event_type.not_in(NO_PRESENCE), ~_c.is_withdrawn)
    .order_by(*_NEWEST_FIRST)
)
_ATTEMPTS = (
    sa.select(*_EVIDENCE, _c.event_type, _c.activity_id, _c.activity_title, _c.timestamp)
    .where(_own, _is_exam, _c.activity_id.is_not(None))
    .order_by(*_NEWEST_FIRST)
)
_days = student_days.c
_LEARNED = (
    sa.select(_days.day)
    .where(_days.student_id == sa.bindparam("student"), _days.is_learned, _days.day >= sa.bindparam("since"))
    .order_by(_days.day)
)
_newest = sa.select(_c.event_id).where(_own, ~_c.is_withdrawn).order_by(*_NEWEST_FIRST).limit(1)
_finished = _newest.where(_c.is_current, _c.mirrors.is_(None), _c.event_type.in_(FINISHING)).scalar_subquery()
_done = _newest.where(_c.event_type.not_in(NO_PRESENCE)).scalar_subquery()
_LAST = sa.select(*_EVIDENCE).where(_c.event_id == sa.func.coalesce(_finished, _done))
_result = attempt_results.c
_SUBJECTS = (
    sa.select(_result.label, *_EVIDENCE, _c.timestamp, sa.func.sum(_result.correct), sa.func.sum(_result.total))
    .select_from(events)
    .join(attempt_results, (_result.attempt_id == _c.source_id) & (_result.exam_source == _c.source_table))
    .where(_own, _is_exam_end, _result.dimension == "subject", _result.total > 0)
    .group_by(_result.label, *_EVIDENCE, _c.timestamp)
    .order_by(*_NEWEST_FIRST)
)


def lately(transaction: Transaction, student_id: int, now: datetime) -> list[Any]:
    """Return the events of a student that patterns and open contents are seen in, newest first."""
    return list(transaction.execute(_LATELY, {"student": student_id, "since": now - PERIOD - WATCHED_WITHIN}))


def attempts(transaction: Transaction, student_id: int, touched: Touched) -> list[Attempt]:
    """Return the attempts of a student at exams that are known, as their rows say now, newest first."""
    return [
        Attempt(
            row.timestamp,
            (row.source_table, row.activity_id),
            row.activity_title,
            EventType(row.event_type),
            touched.courses((row.source_table, row.activity_id)),
            _evidence(row),
        )
        for row in transaction.execute(_ATTEMPTS, {"student": student_id})
    ]


def observations(
    transaction: Transaction,
    student_id: int,
    seen: Sequence[Any],
    tried: Sequence[Attempt],
    touched: Touched,
    now: datetime,
) -> Observations:
    """Return what the patterns of a student are seen in."""
    since = now - PERIOD
    recent = [row for row in seen if row.timestamp >= since and row.mirrors is None]
    moments = {(row.source_table, row.source_id, counted_at(row.timestamp, row.created_at)) for row in recent}
    minutes = list(_minutes(recent))
    return Observations(
        moments=[moment for *_, moment in moments if moment is not None],
        learned=list(transaction.scalars(_LEARNED, {"student": student_id, "since": since.date()})),
        content_minutes=[length for kind, length in minutes if not kind.is_exam_end],
        exam_minutes=[length for kind, length in minutes if kind.is_exam_end],
        attempts=[
            Finished(one.at, one.exam, one.outcome, one.courses) for one in tried[::-1] if one.outcome.is_exam_end
        ],
        videos=[
            (row.timestamp, touched.courses((row.source_table, row.activity_id))) for row in seen if _is_watched(row)
        ],
    )


def recommendation_facts(
    transaction: Transaction,
    known: Facts,
    seen: Sequence[Any],
    tried: Sequence[Attempt],
    touched: Touched,
    zone: ZoneInfo,
) -> RecommendationFacts:
    """Return what recommendations for a student rest on; days are those of `zone`."""
    opened = _opened(seen, touched)
    content = known.content
    stuck = next((one for at, one in opened.items() if content and at[1] == content.activity_id), None)
    return RecommendationFacts(
        is_active=known.is_active,
        learned_at=known.learned_at or known.first_at,
        last=_last(transaction, known.student_id),
        usual_gap=known.usual_gap,
        attempts=tuple(tried),
        subjects=_subjects(transaction, known.student_id, zone),
        opened=tuple(one for one in opened.values() if one.courses),
        stuck=stuck,
    )


def _minutes(recent: Iterable[Any]) -> Iterable[tuple[EventType, float]]:
    """Yield how long it took from opening to finishing, of each row that was seen to be opened before."""
    starts: dict[tuple[str, int], list[Any]] = defaultdict(list)
    ends = []
    for row in recent:  # newest first
        kind = EventType(row.event_type)
        if kind.is_start:
            starts[row.source_table, row.source_id].append(row)
        elif kind in FINISHING and row.is_current:
            ends.append((kind, row))
    for kind, end in ends:
        own = starts[end.source_table, end.source_id]
        begun = [start for start in own if start.episode <= end.episode and start.timestamp <= end.timestamp]
        if begun:
            yield kind, (end.timestamp - begun[0].timestamp).total_seconds() / 60


def _is_watched(row: Any) -> bool:
    is_seen = row.event_type in FINISHING or (row.progress or 0) >= PROGRESS_STEPS[-1]
    return bool(row.is_current and _is_video(row) and is_seen)


def _is_video(row: Any) -> bool:
    return (row.content_type or "").casefold() == VIDEO


def _opened(seen: Iterable[Any], touched: Touched) -> dict[tuple[str, int], Opened]:
    """Return what is open by activity, newest first; an item that is open twice, or done otherwise, is left out."""
    found: dict[tuple[str, int], Opened] = {}
    items = set(touched.done)
    for row in seen:
        activity = row.source_table, row.activity_id
        is_open = row.event_type in OPENING and (row.progress or 0) < PROGRESS_STEPS[-1]
        if not (is_open and row.is_current and row.mirrors is None and row.activity_id is not None):
            continue
        of_activity = touched.items.get(activity, frozenset())
        if activity in found or of_activity & items:
            continue
        items |= of_activity
        courses = touched.courses(activity)
        found[activity] = Opened(row.timestamp, row.activity_title, _is_video(row), courses, _evidence(row))
    return found


def _last(transaction: Transaction, student_id: int) -> Evidence | None:
    """Return the last thing finished by a student; where there is none, the last thing done."""
    row = transaction.execute(_LAST, {"student": student_id}).first()
    return None if row is None else _evidence(row)


def _subjects(
    transaction: Transaction, student_id: int, zone: ZoneInfo
) -> tuple[tuple[str, tuple[SubjectResult, ...]], ...]:
    """Return the results of a student in each subject, newest first; what one attempt says of one is pooled."""
    rows = transaction.execute(_SUBJECTS, {"student": student_id})
    found: dict[str, list[SubjectResult]] = defaultdict(list)
    for label, event_id, source_table, source_id, at, correct, total in rows:
        evidence = Evidence(event_id, source_table, source_id)
        found[label].append(SubjectResult(local_day(at, zone), 100 * correct / total, evidence))
    return tuple((label, tuple(results)) for label, results in found.items())


def _evidence(row: Any) -> Evidence:
    return Evidence(row.event_id, row.source_table, row.source_id)
