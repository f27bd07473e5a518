"""Everybody that the LMS knows, for those who may know everybody."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.domain import Mentor, Student
from lms_bot.store import Transaction
from lms_bot.store.tables import hand_mappings, mentor_students, mentors, students


def everybody(transaction: Transaction) -> list[Mentor | Student]:
    """Every mentor and then every student, by username."""
    of_mentors = transaction.execute(sa.select(mentors).order_by(mentors.c.username))
    of_students = transaction.execute(sa.select(students).order_by(students.c.username))
    return [*(Mentor(**row._mapping) for row in of_mentors), *(Student(**row._mapping) for row in of_students)]


def mentors_of(transaction: Transaction, student_id: int) -> list[Mentor]:
    """The mentors of a student, by username."""
    of_student = sa.select(mentor_students.c.mentor_id).where(mentor_students.c.student_id == student_id)
    query = sa.select(mentors).where(mentors.c.mentor_id.in_(of_student)).order_by(mentors.c.username)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def is_mapped_by_hand(transaction: Transaction, mentor_id: int) -> bool:
    """Whether an admin said which account is the mentor's."""
    query = sa.select(hand_mappings.c.mentor_id).where(hand_mappings.c.mentor_id == mentor_id)
    return transaction.scalar(query) is not None


def unmapped_with_students(transaction: Transaction) -> list[int]:
    """The ids of the mentors who have students and no Zulip account that can be written to."""
    has_students = sa.exists().where(mentor_students.c.mentor_id == mentors.c.mentor_id)
    query = sa.select(mentors.c.mentor_id).where(mentors.c.zulip_user_id.is_(None), has_students)
    return list(transaction.scalars(query.order_by(mentors.c.mentor_id)))
