"""Declares the courses of Moodle with their students, and what is done in them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import queries


def academics(t: Tables, is_student: sa.Exists, exams: Mapping[str, sa.ColumnElement[bool]]) -> queries.AcademicQueries:
    """Return the queries: an item is an exam, or another activity whose completion is tracked.

    `is_student` says of an enrolment that its user is a student in a context; `exams` are which modules are a quiz, and
    which an assignment.
    """
    row, way, module, user, context = t.user_enrolments.c, t.enrol.c, t.course_modules.c, t.user.c, t.context.c
    is_over = (row.timestart > queries.NOW) | ((row.timeend != 0) & (row.timeend <= queries.NOW))
    in_course = sa.exists(context.id).where(
        context.instanceid == way.courseid, is_student.correlate(t.user_enrolments, t.context)
    )
    taken = sa.select(way.courseid, row.userid).join(t.user_enrolments, row.enrolid == way.id).distinct()
    taken = taken.join(t.user, user.id == row.userid).where(row.status == 0, way.status == 0, ~is_over)
    items = sa.select(module.course, module.id)
    tracked = items.add_columns(module.id.label("activity")).where(module.completion > 0, ~sa.or_(*exams.values()))
    quizzes, works = (items.add_columns(module.instance).where(exams[name]) for name in ("quiz", "assign"))
    return queries.AcademicQueries(
        courses=sa.select(t.course.c.id, t.course.c.fullname),
        course_students=taken.where(user.deleted == 0, in_course),
        items={
            "course_modules_viewed": tracked,
            "course_modules_completion": tracked,
            "quiz_attempts": quizzes,
            "assign_submission": works,
        },
    )
