"""Single students, looked up among those that somebody may see."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lms_bot.core.people import Student
from lms_bot.db.lists import in_list
from lms_bot.store.session import Transaction
from lms_bot.store.tables import mentor_students, students


def all_students(transaction: Transaction) -> list[Student]:
    """Return every student, by username."""
    return _read(transaction, sa.select(students).order_by(students.c.username))


def student(transaction: Transaction, student_id: int) -> Student | None:
    """Return the student with this id in the LMS."""
    return next(iter(_read(transaction, _of_id(student_id))), None)


def known_among(transaction: Transaction, student_ids: Collection[int], mentor_ids: Collection[int] | None) -> set[int]:
    """Return which of these are ids of students: of some mentors, or (None) of any."""
    dialect = transaction.dialect.name
    column = students.c.student_id if mentor_ids is None else mentor_students.c.student_id
    query = sa.select(column).where(in_list(column, student_ids, dialect))
    if mentor_ids is not None:
        query = query.where(mentor_students.c.mentor_id.in_(mentor_ids))
    return set(transaction.scalars(query))


def student_of(transaction: Transaction, student_id: int, mentor_ids: Collection[int]) -> Student | None:
    """Return the student with this id, if they are a student of one of these mentors."""
    link = mentor_students.c
    is_theirs = sa.exists().where(link.student_id == students.c.student_id, link.mentor_id.in_(mentor_ids))
    return next(iter(_read(transaction, _of_id(student_id).where(is_theirs))), None)


def _of_id(student_id: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(students).where(students.c.student_id == student_id)


def _read(transaction: Transaction, query: sa.Select[tuple[object, ...]]) -> list[Student]:
    return [Student(**row._mapping) for row in transaction.execute(query)]
