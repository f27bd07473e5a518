"""Counts a student's attempts at an exam, and knows which failures stand."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import OF_EXAMS, Event, EventType
from lms_bot.db.lists import in_bound_list, list_value
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events

# The condition of ix_lms_activity_events_exams stands here word for word, or else that index would not be used.
_ATTEMPTS = {
    "sqlite": """
        SELECT e.source_table, e.student_id, e.activity_id, e.source_id
        FROM (SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS student,
                     json_extract(value, '$[2]') AS exam
              FROM json_each(:exams)) AS a
        CROSS JOIN lms_activity_events AS e INDEXED BY ix_lms_activity_events_exams
        WHERE e.event_type > 'exam' AND e.event_type < 'exan' AND e.is_current = 1
          AND e.student_id = a.student AND e.activity_id = a.exam AND e.source_table = a.source""",
    "postgresql": """
        SELECT e.source_table, e.student_id, e.activity_id, e.source_id
        FROM (SELECT v->>0 AS source, (v->>1)::bigint AS student, (v->>2)::bigint AS exam
              FROM json_array_elements(CAST(:exams AS json)) AS j(v)) AS a
        JOIN lms_activity_events AS e
          ON e.student_id = a.student AND e.activity_id = a.exam AND e.source_table = a.source
        WHERE e.event_type > 'exam' AND e.event_type < 'exan' AND e.is_current""",
}


def settled_failures(transaction: Transaction, seen: Sequence[Event]) -> set[int]:
    """Return the ids of the failed exams among these that were passed since, or are failed no more."""
    failed = [event.event_id for event in seen if event.event_type is EventType.EXAM_FAILED]
    if not failed:
        return set()
    dialect = transaction.dialect.name
    return set(transaction.scalars(_settled(dialect), {"failed": list_value(failed, dialect)}))


@cache
def _settled(dialect: str) -> sa.Select[Any]:
    failed, passed = events.c, events.alias("passed").c
    was_passed = sa.exists().where(
        *(passed[name] == failed[name] for name in ("student_id", "activity_id", "source_table")),
        passed.timestamp >= failed.timestamp,
        passed.event_type == EventType.EXAM_PASSED,
        passed.is_current,
    )
    among = in_bound_list(failed.event_id, "failed", dialect)
    return sa.select(failed.event_id).where(among, ~failed.is_current | was_passed)


def number_attempts(transaction: Transaction, observed: Sequence[Event]) -> None:
    """Note in the metadata of exam events which attempt of its student at its exam each belongs to, by id, from 1."""
    exams = [
        event
        for event in observed
        if event.event_type in OF_EXAMS and event.student_id is not None and event.activity_id is not None
    ]
    if not exams:
        return
    attempts: dict[tuple[str, int | None, int | None], set[int]] = defaultdict(set)
    for event in exams:
        attempts[event.source_table, event.student_id, event.activity_id].add(event.source_id)
    query = sa.text(_ATTEMPTS[transaction.dialect.name])
    for *key, source_id in transaction.execute(query, {"exams": json.dumps(list(attempts))}).all():
        attempts[key[0], key[1], key[2]].add(source_id)
    in_order = {key: sorted(ids) for key, ids in attempts.items()}
    for event in exams:
        of_exam = in_order[event.source_table, event.student_id, event.activity_id]
        event.metadata["attempt_number"] = bisect_left(of_exam, event.source_id) + 1
