"""The facts that give points of attention, and what students did since yesterday, for many students at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.core.alert_rules import Facts
from lms_bot.core.attention import COMPARED_DAYS, AttentionFacts
from lms_bot.core.calendar import DAY, UNKNOWN_TIME
from lms_bot.core.events import FINISHING, NO_PRESENCE, Event, EventType
from lms_bot.core.reports.mentor_overview import Presence
from lms_bot.db.lists import each_id, in_list
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events

_c = events.c
_is_exam_end = _c.is_current & _c.event_type.in_([kind for kind in EventType if kind.is_exam_end])
_is_finished = _c.is_current & _c.mirrors.is_(None) & _c.event_type.in_(FINISHING)
_is_presence = _c.event_type.not_in(NO_PRESENCE) & ~_c.is_withdrawn & (_c.timestamp != UNKNOWN_TIME)
_VERDICTS = (EventType.EXAM_PASSED, EventType.EXAM_FAILED)


def attention_facts(transaction: Transaction, known: Sequence[Facts], now: datetime) -> dict[int, AttentionFacts]:
    """Return by student id what gives points, of students of whom the facts of the alert rules are known."""
    ids = [one.student_id for one in known]
    failed, finished = _failures(transaction, ids), _finished(transaction, ids, now)
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
        )
        for one in known
    }


def exams_since(transaction: Transaction, student_ids: Collection[int], since: datetime) -> list[Event]:
    """Return the exams of these students that were passed or failed since a moment, newest first."""
    within = in_list(_c.student_id, student_ids, transaction.dialect.name)
    query = sa.select(*AS_EVENT).where(within, _c.timestamp >= since, _c.is_current, _c.event_type.in_(_VERDICTS))
    rows = transaction.execute(query.order_by(_c.timestamp.desc(), _c.event_id.desc()))
    return [from_row(row) for row in rows]


def presence(transaction: Transaction, student_ids: Collection[int], since: datetime) -> list[Presence]:
    """Return of those of the students who did something since a moment when that was, and when it was before."""
    each = each_id(transaction, student_ids)
    own = sa.select(_c.timestamp).where(_c.student_id == each.c.value, _is_presence)
    first = own.where(_c.timestamp >= since).order_by(_c.timestamp).limit(1).scalar_subquery()
    last = own.where(_c.timestamp < since).order_by(_c.timestamp.desc()).limit(1).scalar_subquery()
    found = transaction.execute(sa.select(each.c.value, first, last))
    return [Presence(*row) for row in found if row[1] is not None]


def _failures(transaction: Transaction, student_ids: Collection[int]) -> dict[int, int]:
    """Return in how many exams each student's last finished attempt was failed; none is left out."""
    exam = (_c.student_id, _c.source_table, sa.func.coalesce(_c.activity_id, -_c.event_id))
    place = sa.func.row_number().over(partition_by=exam, order_by=(_c.timestamp.desc(), _c.event_id.desc()))
    within = in_list(_c.student_id, student_ids, transaction.dialect.name)
    ends = sa.select(_c.student_id, _c.event_type, place.label("place")).where(within, _is_exam_end).subquery()
    query = (
        sa.select(ends.c.student_id, sa.func.count())
        .where(ends.c.place == 1, ends.c.event_type == EventType.EXAM_FAILED)
        .group_by(ends.c.student_id)
    )
    return {row[0]: row[1] for row in transaction.execute(query)}


def _finished(transaction: Transaction, student_ids: Collection[int], now: datetime) -> dict[int, Any]:
    """Return how much each student finished in the last 14 days, and in the 14 before."""
    each = each_id(transaction, student_ids)
    since = now - timedelta(days=COMPARED_DAYS)
    own = sa.select(sa.func.count()).select_from(events).where(_c.student_id == each.c.value, _is_finished)
    recent = own.where(_c.timestamp >= since).scalar_subquery()
    before = own.where(_c.timestamp >= since - COMPARED_DAYS * DAY, _c.timestamp < since).scalar_subquery()
    query = sa.select(each.c.value.label("student_id"), recent.label("recent"), before.label("before"))
    return {row.student_id: row for row in transaction.execute(query)}
