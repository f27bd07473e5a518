"""Who mentors whom, for many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from lms_bot.db import in_list
from lms_bot.store import Transaction
from lms_bot.store.tables import mentor_students, mentors


def mentors_by_student(transaction: Transaction, student_ids: Collection[int]) -> dict[int, list[int]]:
    """The mentors of each of these students that has any, lowest id first."""
    link = mentor_students.c
    of_students = in_list(link.student_id, student_ids, transaction.dialect.name)
    query = sa.select(link.student_id, link.mentor_id).where(of_students)
    known = query.join(mentors, mentors.c.mentor_id == link.mentor_id).order_by(link.mentor_id)
    found: dict[int, list[int]] = defaultdict(list)
    for student_id, mentor_id in transaction.execute(known):
        found[student_id].append(mentor_id)
    return found


def students_by_mentor(transaction: Transaction, mentor_ids: Collection[int]) -> dict[int, set[int]]:
    """The students of each of these mentors."""
    link = mentor_students.c
    of_mentors = in_list(link.mentor_id, mentor_ids, transaction.dialect.name)
    found: dict[int, set[int]] = defaultdict(set)
    query = sa.select(link.mentor_id, link.student_id).where(of_mentors)
    for mentor_id, student_id in transaction.execute(query):
        found[mentor_id].add(student_id)
    return found
