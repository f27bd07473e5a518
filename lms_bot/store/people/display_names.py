"""How the students whom events and alerts are about are called, for whoever reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import Event
from lms_bot.core.people import Student, folded_name, shared_names
from lms_bot.db.lists import in_bound_list, in_list, list_value
from lms_bot.store.session import Transaction
from lms_bot.store.tables import mentor_students, mentors, students

_c = students.c
_NAME = sa.func.coalesce(sa.func.nullif(_c.display_name, ""), _c.username)


def named(transaction: Transaction, found: Iterable[Event], mentor_ids: Collection[int] | None) -> list[Event]:
    """Return events with the names of their students, as these mentors (None: who sees everybody) tell them apart."""
    kept = list(found)
    known = students_named(transaction, {event.student_id for event in kept}, mentor_ids)
    return [
        event._replace(student_name=one.display_name, shares_name=one.shares_name)
        if (one := known.get(event.student_id))
        else event
        for event in kept
    ]


def students_named(
    transaction: Transaction, student_ids: Collection[int | None], mentor_ids: Collection[int] | None
) -> dict[int | None, Student]:
    """Return these students by id, marked if another student of the mentors (None: any other) has the same name."""
    dialect = transaction.dialect.name
    ids = {student_id for student_id in student_ids if student_id is not None}
    if not ids:
        return {}
    rows = transaction.execute(_with_ids(dialect), {"student_ids": list_value(ids, dialect)}).all()
    shared = _shared(transaction, rows, mentor_ids)
    found = [Student(**row._mapping) for row in rows]
    return {one.student_id: replace(one, shares_name=folded_name(one.name) in shared) for one in found}


def _shared(transaction: Transaction, rows: Sequence[Any], mentor_ids: Collection[int] | None) -> frozenset[str]:
    """Return the folded names that several students of the reader have."""
    if mentor_ids is None:
        names = [row.display_name or row.username for row in rows]
        return shared_names(transaction.scalars(sa.select(_NAME).where(_NAME.in_(names))))
    dialect = transaction.dialect.name
    return shared_names(transaction.scalars(_names(dialect), {"mentor_ids": list_value(mentor_ids, dialect)}))


@cache
def _with_ids(dialect: str) -> sa.Select[Any]:
    return sa.select(students).where(in_bound_list(_c.student_id, "student_ids", dialect))


@cache
def _names(dialect: str) -> sa.Select[Any]:
    link = mentor_students.c
    of_mentors = sa.select(link.student_id).where(in_bound_list(link.mentor_id, "mentor_ids", dialect))
    return sa.select(_NAME).where(_c.student_id.in_(of_mentors))


def mentor_names(transaction: Transaction, mentor_ids: Collection[int | None]) -> dict[int, str]:
    """Return what mentors are called, by id."""
    name = sa.func.coalesce(sa.func.nullif(mentors.c.display_name, ""), mentors.c.username)
    query = sa.select(mentors.c.mentor_id, name)
    found = transaction.execute(query.where(in_list(mentors.c.mentor_id, mentor_ids, transaction.dialect.name)))
    return {row[0]: row[1] for row in found}
