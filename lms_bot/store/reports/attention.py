"""The facts that give points of attention, and what students did since yesterday, for many students at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.alert_rules import Facts
from lms_bot.core.attention import COMPARED_DAYS, FEWEST_OF_CLASS, AttentionFacts, deadline_facts
from lms_bot.core.calendar import DAY, UNKNOWN_TIME
from lms_bot.core.events import FINISHING, NO_PRESENCE, Event, EventType
from lms_bot.core.reports.mentor_overview import Presence
from lms_bot.db.engine import UtcDateTime
from lms_bot.db.lists import each_bound_id, in_bound_list, run_with_ids
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import class_results, events, is_result

_c = events.c
_is_exam_end = _c.is_current & _c.event_type.in_([kind for kind in EventType if kind.is_exam_end])
_is_finished = _c.is_current & _c.mirrors.is_(None) & _c.event_type.in_(FINISHING)
_is_presence = _c.event_type.not_in(NO_PRESENCE) & ~_c.is_withdrawn & (_c.timestamp != UNKNOWN_TIME)
_SINCE, _BEFORE = (sa.bindparam(name, type_=UtcDateTime) for name in ("since", "before"))
_VERDICTS = (EventType.EXAM_PASSED, EventType.EXAM_FAILED)


def attention_facts(transaction: Transaction, known: Sequence[Facts], now: datetime) -> dict[int, AttentionFacts]:
    """Return by student id what gives points, of students of whom the facts of the alert rules are known."""
    ids = [one.student_id for one in known]
    since = now - COMPARED_DAYS * DAY
    failed = {row[0]: row[1] for row in run_with_ids(transaction, _failures, ids)}
    counts = run_with_ids(transaction, _finished, ids, since=since, before=since - COMPARED_DAYS * DAY)
    finished = {row.student_id: row for row in counts}
    compared = {row[0]: row[1] for row in run_with_ids(transaction, _against_class, ids)}
    return {
        one.student_id: AttentionFacts(
            is_active=one.is_active,
            enrolled_at=one.enrolled_at,
            first_at=one.first_at,
            learned_at=one.learned_at,
            usual_gap=one.usual_gap,
            average=one.average,
            failures=failed.get(one.student_id, 0),
            recent=finished[one.student_id].recent,
            before=finished[one.student_id].before,
            opened_at=one.content.at if one.content else None,
            against_class=compared.get(one.student_id),
            **deadline_facts(one, now),
        )
        for one in known
    }


def exams_since(transaction: Transaction, student_ids: Collection[int], since: datetime) -> list[Event]:
    """Return the exams of these students that were passed or failed since a moment, newest first."""
    return [from_row(row) for row in run_with_ids(transaction, _exams_since, student_ids, since=since)]


def presence(transaction: Transaction, student_ids: Collection[int], since: datetime) -> list[Presence]:
    """Return of those of the students who did something since a moment when that was, and when it was before."""
    found = run_with_ids(transaction, _presence, student_ids, since=since)
    return [Presence(*row) for row in found if row[1] is not None]


@cache
def _exams_since(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(*AS_EVENT)
        .where(in_bound_list(_c.student_id, "ids", dialect), _c.timestamp >= _SINCE)
        .where(_c.is_current, _c.event_type.in_(_VERDICTS))
        .order_by(_c.timestamp.desc(), _c.event_id.desc())
    )


@cache
def _presence(dialect: str) -> sa.Select[Any]:
    each = each_bound_id("ids", dialect)
    own = sa.select(_c.timestamp).where(_c.student_id == each.c.value, _is_presence)
    first = own.where(_c.timestamp >= _SINCE).order_by(_c.timestamp).limit(1).scalar_subquery()
    last = own.where(_c.timestamp < _SINCE).order_by(_c.timestamp.desc()).limit(1).scalar_subquery()
    return sa.select(each.c.value, first, last)


@cache
def _against_class(dialect: str) -> sa.Select[Any]:
    """Select by how many points each student's results differ from the class's in the same exams, on average."""
    c, of_class = _c, class_results.c
    is_its = (of_class.source_table == c.source_table) & (of_class.activity_id == c.activity_id)
    own = sa.select(c.student_id, sa.func.avg(c.percentage - of_class.average)).join(class_results, is_its)
    own = own.where(in_bound_list(c.student_id, "ids", dialect), is_result, of_class.results >= FEWEST_OF_CLASS)
    return own.group_by(c.student_id)


@cache
def _failures(dialect: str) -> sa.Select[Any]:
    """Select in how many exams each student's last finished attempt was failed; who has none is left out."""
    exam = (_c.student_id, _c.source_table, sa.func.coalesce(_c.activity_id, -_c.event_id))
    place = sa.func.row_number().over(partition_by=exam, order_by=(_c.timestamp.desc(), _c.event_id.desc()))
    within = in_bound_list(_c.student_id, "ids", dialect)
    ends = sa.select(_c.student_id, _c.event_type, place.label("place")).where(within, _is_exam_end).subquery()
    return (
        sa.select(ends.c.student_id, sa.func.count())
        .where(ends.c.place == 1, ends.c.event_type == EventType.EXAM_FAILED)
        .group_by(ends.c.student_id)
    )


@cache
def _finished(dialect: str) -> sa.Select[Any]:
    """Select how much each student finished since a moment, and between another and that."""
    each = each_bound_id("ids", dialect)
    own = sa.select(sa.func.count()).select_from(events).where(_c.student_id == each.c.value, _is_finished)
    recent = own.where(_c.timestamp >= _SINCE).scalar_subquery()
    before = own.where(_c.timestamp >= _BEFORE, _c.timestamp < _SINCE).scalar_subquery()
    return sa.select(each.c.value.label("student_id"), recent.label("recent"), before.label("before"))
