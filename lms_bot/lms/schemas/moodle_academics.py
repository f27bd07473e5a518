"""Declares the courses of Moodle with their students, and what is done in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source.queries import NOW, AcademicQueries

COURSE = 50  # the level of a course's context


def academics(t: Tables, has_role: Callable[..., sa.Exists]) -> AcademicQueries:
    """Return the queries: an item is an exam, or another activity whose completion is tracked.

    `has_role` gives the condition that a user has a kind of role in a context.
    """
    row, way, module, user, context = t.user_enrolments.c, t.enrol.c, t.course_modules.c, t.user.c, t.context.c
    in_course = (context.contextlevel == COURSE) & (context.instanceid == way.courseid)
    is_student = has_role(row.userid, "student").correlate(t.user_enrolments, t.context)
    taken = sa.select(way.courseid, row.userid).join(t.user_enrolments, row.enrolid == way.id).distinct()
    taken = taken.join(t.user, user.id == row.userid).where(row.status == 0, way.status == 0, ~is_over(row))
    items = sa.select(module.course, module.id)
    is_quiz, is_work = (module.module == module_id(t, name) for name in ("quiz", "assign"))
    tracked = items.add_columns(module.id.label("activity")).where(module.completion > 0, ~(is_quiz | is_work))
    quizzes, works = (items.add_columns(module.instance).where(is_kind) for is_kind in (is_quiz, is_work))
    return AcademicQueries(
        courses=sa.select(t.course.c.id, t.course.c.fullname),
        course_students=taken.where(user.deleted == 0, sa.exists(context.id).where(in_course, is_student)),
        items={
            "course_modules_viewed": tracked,
            "course_modules_completion": tracked,
            "quiz_attempts": quizzes,
            "assign_submission": works,
        },
    )


def is_over(enrolment: Any) -> sa.ColumnElement[bool]:
    """Return that an enrolment, given by its columns, has not begun yet or has ended."""
    return sa.or_(enrolment.timestart > NOW, sa.and_(enrolment.timeend != 0, enrolment.timeend <= NOW))


def module_id(t: Tables, name: str) -> sa.ScalarSelect[int]:
    """Return the id of a kind of module."""
    return sa.select(sa.func.min(t.modules.c.id)).where(t.modules.c.name == name).scalar_subquery()
