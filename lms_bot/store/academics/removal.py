"""Removes what is known of the studies of a forgotten student, and of attempts that are removed for their age."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from lms_bot.db.lists import in_list
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    attempt_results,
    batch_students,
    course_batches,
    course_students,
    events,
    lms_counts,
    mentor_students,
    mentors,
    snapshots,
    students,
    sync_conflicts,
)

_OF_STUDENT = (batch_students, course_students, lms_counts, snapshots)
_NAMING = (students, mentors, mentor_students, batch_students, course_students, course_batches)


def forget_student(transaction: Transaction, student_id: int, are_theirs: sa.ColumnElement[bool]) -> None:
    """Remove all that is known of a student's studies, and results of the attempts whose events `are_theirs`.

    Marks that may name the student go, too; those that still hold for others are found again within minutes.
    """
    for table in _OF_STUDENT:
        transaction.execute(sa.delete(table).where(table.c.student_id == student_id))
    marks = sync_conflicts.c
    transaction.execute(sa.delete(sync_conflicts).where(marks.source_table.in_([table.name for table in _NAMING])))
    for source_table, ids in attempts_of(transaction, are_theirs).items():
        within = in_list(marks.source_id, ids, transaction.dialect.name)
        transaction.execute(sa.delete(sync_conflicts).where(marks.source_table == source_table, within))
        _remove_results(transaction, source_table, ids)


def attempts_of(transaction: Transaction, are_these: sa.ColumnElement[bool]) -> dict[str, set[int]]:
    """Return the rows of the LMS whose events these are, by source."""
    found: dict[str, set[int]] = defaultdict(set)
    for source_table, source_id in transaction.execute(
        sa.select(events.c.source_table, events.c.source_id).where(are_these).distinct()
    ):
        found[source_table].add(source_id)
    return found


def remove_results_of_nothing(transaction: Transaction, attempts: dict[str, set[int]]) -> None:
    """Remove the results of those of these attempts of which no event is left."""
    for source_table, ids in attempts.items():
        within = in_list(events.c.source_id, ids, transaction.dialect.name)
        query = sa.select(events.c.source_id).where(events.c.source_table == source_table, within)
        _remove_results(transaction, source_table, ids - set(transaction.scalars(query)))


def _remove_results(transaction: Transaction, exam_source: str, attempt_ids: set[int]) -> None:
    c, marks = attempt_results.c, sync_conflicts.c
    are_of = (c.exam_source == exam_source) & in_list(c.attempt_id, attempt_ids, transaction.dialect.name)
    of_results = sa.select(c.source_table, c.source_id).where(are_of)
    transaction.execute(sa.delete(sync_conflicts).where(sa.tuple_(marks.source_table, marks.source_id).in_(of_results)))
    transaction.execute(sa.delete(attempt_results).where(are_of))
