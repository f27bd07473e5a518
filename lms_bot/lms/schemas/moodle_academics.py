"""Declares the courses of Moodle with their students, and what is done in them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source.queries import NOW, AcademicQueries

COURSE = 50  # the level of a course's context


def academics(t: Tables) -> AcademicQueries:
    """Return the queries: an item is an exam, or another activity whose completion is tracked."""
    row, way, module, user, course = t.user_enrolments.c, t.enrol.c, t.course_modules.c, t.user.c, t.course.c
    taken = sa.select(way.courseid, row.userid).join(t.user_enrolments, row.enrolid == way.id).distinct()
    taken = taken.join(t.user, user.id == row.userid).where(row.status == 0, way.status == 0, ~is_over(row))
    items = sa.select(module.course, module.id)
    is_quiz, is_work = (module.module == module_id(t, name) for name in ("quiz", "assign"))
    tracked = items.add_columns(module.id.label("activity")).where(module.completion > 0, ~(is_quiz | is_work))
    quizzes, works = (items.add_columns(module.instance).where(is_kind) for is_kind in (is_quiz, is_work))
    return AcademicQueries(
        courses=sa.select(course.id, sa.case((course.visible == 1, course.fullname))),
        course_students=taken.where(user.deleted == 0, _is_student(t)),
        items={
            "course_modules_viewed": tracked,
            "course_modules_completion": tracked,
            "quiz_attempts": quizzes,
            "assign_submission": works,
        },
        lesson_source="course_modules_completion",
    )


def _is_student(t: Tables) -> sa.Exists:
    """Return that who is enrolled has the role of a student in the course, or in what that lies in."""
    given, role, course, at = t.role_assignments.c, t.role.c, t.context.alias("of_course").c, t.context.alias("at").c
    found = sa.exists(given.userid).where(given.userid == t.user_enrolments.c.userid, role.id == given.roleid)
    found = found.where(role.archetype == "student", at.id == given.contextid)
    found = found.where(course.contextlevel == COURSE, course.instanceid == t.enrol.c.courseid)
    return found.where((at.id == course.id) | course.path.startswith(at.path + "/"))


def is_over(enrolment: Any) -> sa.ColumnElement[bool]:
    """Return that an enrolment, given by its columns, has not begun yet or has ended."""
    return sa.or_(enrolment.timestart > NOW, sa.and_(enrolment.timeend != 0, enrolment.timeend <= NOW))


def module_id(t: Tables, name: str) -> sa.ScalarSelect[int]:
    """Return the id of a kind of module."""
    return sa.select(sa.func.min(t.modules.c.id)).where(t.modules.c.name == name).scalar_subquery()
