"""Looks up everybody that the LMS has, for those who may know everybody."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.core.people import Mentor, Student, folded_email
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, hand_mappings, is_nobodys, mentor_students, mentors, students


def everybody(transaction: Transaction) -> list[Mentor | Student]:
    """Return every mentor and then every student, by username."""
    return _people(transaction, sa.true(), sa.true())


def with_number(transaction: Transaction, number: int) -> list[Mentor | Student]:
    """Return the mentor and the student who have this id in the LMS."""
    return _people(transaction, mentors.c.mentor_id == number, students.c.student_id == number)


def with_account(transaction: Transaction, zulip_user_id: int) -> list[Mentor | Student]:
    """Return the mentors and students to whom this Zulip account belongs."""
    return _people(transaction, mentors.c.zulip_user_id == zulip_user_id, students.c.zulip_user_id == zulip_user_id)


def named(transaction: Transaction, name: str) -> list[Mentor | Student]:
    """Return those with this username or name, in any case as far as the database knows it, or e-mail address."""
    ascii_only = "C" if transaction.dialect.name == "postgresql" else "BINARY"  # SQLite's lower knows no other case
    of_mentors, of_students = (
        sa.or_(
            *(sa.func.lower(table.c[column]) == sa.func.lower(name) for column in ("username", "display_name")),
            sa.func.lower(sa.collate(sa.func.trim(table.c.email), ascii_only)) == folded_email(name),
        )
        for table in (mentors, students)
    )
    return _people(transaction, of_mentors, of_students)


def mentors_of(transaction: Transaction, student_id: int) -> list[Mentor]:
    """Return the mentors of a student, by username."""
    of_student = sa.select(mentor_students.c.mentor_id).where(mentor_students.c.student_id == student_id)
    query = sa.select(mentors).where(mentors.c.mentor_id.in_(of_student)).order_by(mentors.c.username)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def mapped_by_hand(transaction: Transaction, mentor_id: int) -> int | None:
    """Return the account to which an admin mapped the mentor, if one did."""
    query = sa.select(hand_mappings.c.zulip_user_id).where(hand_mappings.c.mentor_id == mentor_id)
    return transaction.scalar(query)


def unmapped_with_students(transaction: Transaction) -> list[int]:
    """Return the ids of the mentors who have students and no Zulip account that can be written to."""
    has_students = sa.exists().where(mentor_students.c.mentor_id == mentors.c.mentor_id)
    query = sa.select(mentors.c.mentor_id).where(mentors.c.zulip_user_id.is_(None), has_students)
    return list(transaction.scalars(query.order_by(mentors.c.mentor_id)))


def _people(
    transaction: Transaction, of_mentors: sa.ColumnElement[bool], of_students: sa.ColumnElement[bool]
) -> list[Mentor | Student]:
    found_mentors = transaction.execute(sa.select(mentors).where(of_mentors).order_by(mentors.c.username))
    found_students = transaction.execute(sa.select(students).where(of_students).order_by(students.c.username))
    return [*(Mentor(**row._mapping) for row in found_mentors), *(Student(**row._mapping) for row in found_students)]


def students_of_account(transaction: Transaction, zulip_user_id: int) -> list[Student]:
    """Return the students that one Zulip account belongs to: none, one, or several with one address."""
    query = sa.select(students).where(students.c.zulip_user_id == zulip_user_id).order_by(students.c.student_id)
    return [Student(**row._mapping) for row in transaction.execute(query)]


def students_without_mentor(transaction: Transaction, most: int) -> tuple[int, list[tuple[int, str, int]]]:
    """Return the students who have no mentor and whose events nobody was notified of.

    How many there are, and the first of them as (student id, name, number of such events), most events first.
    """
    nobodys = _unnotified()
    is_mentored = sa.exists().where(mentor_students.c.student_id == nobodys.c.student_id)
    found = nobodys.join(students, students.c.student_id == nobodys.c.student_id)
    name = sa.func.coalesce(sa.func.nullif(students.c.display_name, ""), students.c.username)
    query = sa.select(nobodys.c.student_id, name, nobodys.c.events, sa.func.count().over())
    rows = transaction.execute(
        query.select_from(found).where(~is_mentored).order_by(nobodys.c.events.desc(), nobodys.c.student_id).limit(most)
    ).all()
    return (rows[0][3] if rows else 0), [(row[0], row[1], row[2]) for row in rows]


def count_events_without_student(transaction: Transaction) -> int:
    """Return how many events name no student that the LMS has."""
    nobodys = _unnotified()
    is_known = sa.exists().where(students.c.student_id == nobodys.c.student_id)
    return int(transaction.scalar(sa.select(sa.func.sum(nobodys.c.events)).where(~is_known)) or 0)


def _unnotified() -> sa.Subquery:
    """Return the number of events of each student id with nobody to notify, from the index of those."""
    query = sa.select(events.c.student_id, sa.func.count().label("events")).where(is_nobodys)
    return query.group_by(events.c.student_id).subquery("nobodys")
