"""Moodle 4.1 to 5: quizzes and assignments as exams, views and completion as content, courses completed, and badges.

Times are seconds since 1970; there are no foreign keys, so whatever is joined may be missing.
"""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.lms.source import (
    NOW,
    EnrolmentQueries,
    Kind,
    PeopleQueries,
    PresenceQueries,
    Query,
    Schema,
    Source,
    Tables,
    Title,
)

PREFIX = "mdl_"
USER, COURSE = 30, 50  # levels of contexts

_EXAMS = ("quiz", "assign")
_OTHERS = """page url resource scorm h5pactivity book folder forum feedback choice glossary wiki workshop data survey
lti imscp chat lesson label bigbluebuttonbn"""
_MODULES = (*_EXAMS, *_OTHERS.split())  # kinds of activity in a course, each with a table that has their names
_TABLES = """
quiz_attempts id:id quiz:id userid:id attempt:number preview:number state:text timestart:seconds timefinish:seconds \
sumgrades:number
assign_submission id:id assignment:id userid:id attemptnumber:number status:text timemodified:seconds
assign_grades id:id assignment:id userid:id attemptnumber:number grade:number timemodified:seconds
course_modules_viewed id:id coursemoduleid:id userid:id timecreated:seconds
course_modules_completion id:id coursemoduleid:id userid:id completionstate:number timemodified:seconds
course_completions id:id userid:id course:id timecompleted:seconds
badge_issued id:id badgeid:id userid:id dateissued:seconds
quiz id:id course:id name:text sumgrades:number grade:number timelimit:number timeclose:seconds
assign id:id course:id name:text grade:number duedate:seconds
grade_items id:id itemtype:text itemmodule:text iteminstance:id itemnumber:number gradepass:number grademin:number
course_modules id:id course:id module:id instance:id section:id visible:number
modules id:id name:text
course id:id fullname:text
course_sections id:id name:text section:number
badge id:id name:text courseid:id
user id:id username:text email:text firstname:text lastname:text deleted:number suspended:number lastaccess:seconds
user_lastaccess id:id userid:id timeaccess:seconds
user_enrolments id:id enrolid:id userid:id status:number timestart:seconds timeend:seconds timecreated:seconds
enrol id:id courseid:id status:number
role id:id archetype:text
role_assignments id:id roleid:id contextid:id userid:id
context id:id contextlevel:number instanceid:id
groups id:id courseid:id
groups_members id:id groupid:id userid:id
""" + "\n".join(f"{name} id:id name:text" for name in _MODULES if name not in _EXAMS)


def declare(prefix: str = PREFIX) -> Schema:
    """Return the declaration of a site whose tables bear this prefix."""
    t = Tables(_TABLES, prefix)
    return Schema(
        name="moodle",
        sources=(
            _quiz_attempts(t),
            _assign_submission(t),
            _content(t, t.course_modules_viewed, "w", sa.literal("viewed"), "timecreated"),
            _content(t, t.course_modules_completion, "c", _completed(t), "timemodified"),
            _course_completions(t),
            _badge_issued(t),
        ),
        catalogue=_catalogue(t),
        people=_people(t),
        presence=PresenceQueries(moments=_moments(t)),
        enrolment=EnrolmentQueries(
            since=sa.select(t.user_enrolments.c.userid, sa.func.min(t.user_enrolments.c.timecreated)).group_by(
                t.user_enrolments.c.userid
            ),
            minutes=sa.select(t.quiz.c.id, t.quiz.c.timelimit // 60),
            deadlines={
                "quiz_attempts": sa.select(t.quiz.c.id, t.quiz.c.timeclose).where(t.quiz.c.timeclose > 0),
                "assign_submission": sa.select(t.assign.c.id, t.assign.c.duedate).where(t.assign.c.duedate > 0),
            },
        ),
        has_markup=True,
        urls={
            "student": "user/profile.php?id={student_id}",
            "quiz_attempts": "mod/quiz/review.php?attempt={source_id}",
            "assign_submission": "mod/assign/view.php?id={module_id}&action=grader&userid={student_id}",
            "course_modules_viewed": "mod/{content_type}/view.php?id={activity_id}",
            "course_modules_completion": "mod/{content_type}/view.php?id={activity_id}",
            "course_completions": "course/view.php?id={activity_id}",
        },
    )


def _quiz_attempts(t: Tables) -> Source:
    attempt, quiz, item = t.quiz_attempts.c, t.quiz.c, t.grade_items
    has_marks = quiz.sumgrades >= 0.000005
    grade = sa.case(
        (attempt.sumgrades.is_(None), None), (has_marks, attempt.sumgrades * quiz.grade / quiz.sumgrades), else_=0
    )
    return Source(
        name="quiz_attempts",
        kind=Kind.EXAM,
        letter="e",
        table=t.quiz_attempts,
        joins={t.quiz: quiz.id == attempt.quiz, item: _grade_item(t, "quiz", attempt.quiz)},
        computed={
            "course": quiz.course,
            "grade": sa.func.round(grade, 5),
            "percentage": sa.case((has_marks, sa.func.round(100 * attempt.sumgrades / quiz.sumgrades, 2))),
            "result": _result(t, grade),
            "enrolled": _enrolled(t, quiz.course, attempt.userid),
            "is_graded": sa.case(((attempt.state == "finished") & attempt.sumgrades.is_not(None), 1), else_=0),
            "seconds": sa.case((attempt.timefinish > 0, attempt.timefinish - attempt.timestart)),
        },
        only=attempt.preview == 0,
        student="userid",
        activity="quiz",
        title="quiz",
        states={
            **dict.fromkeys(("notstarted", "abandoned")),
            **dict.fromkeys(("inprogress", "overdue", "submitted"), EventType.EXAM_STARTED),
            "finished": EventType.EXAM_COMPLETED,
        },
        result="result",
        is_final="is_graded",
        started=("timestart",),
        ended=("timefinish",),
        enrolled="enrolled",
        facts={"score": "grade", "percentage": "percentage", "result": "result"},
        titles={"course_title": Title("course", "course")},
        durations={"time_taken": "seconds"},
    )


def _assign_submission(t: Tables) -> Source:
    work, given, assign, module = t.assign_submission.c, t.assign_grades.c, t.assign.c, t.course_modules.c
    is_graded = (given.grade >= 0) & (given.timemodified >= work.timemodified)
    of_work = (given.assignment == work.assignment) & (given.userid == work.userid)
    return Source(
        name="assign_submission",
        kind=Kind.EXAM,
        letter="h",
        table=t.assign_submission,
        joins={
            t.assign_grades: of_work & (given.attemptnumber == work.attemptnumber),
            t.assign: assign.id == work.assignment,
            t.grade_items: _grade_item(t, "assign", work.assignment),
            t.course_modules: (module.instance == work.assignment) & (module.module == _module_id(t, "assign")),
        },
        parts=(t.assign_grades,),
        computed={
            "state": sa.case((is_graded, "graded"), else_=work.status),
            "ended": sa.case((is_graded, given.timemodified), else_=work.timemodified),
            "course": assign.course,
            "score": sa.case((is_graded, given.grade)),
            "percentage": sa.case((is_graded & (assign.grade > 0), sa.func.round(100 * given.grade / assign.grade, 2))),
            "result": sa.case((is_graded, _result(t, given.grade))),
            "enrolled": _enrolled(t, assign.course, work.userid),
            "is_graded": sa.case((is_graded, 1), else_=0),
            "module_id": module.id,
        },
        only=work.userid != 0,
        student="userid",
        activity="assignment",
        title="assign",
        states={
            **dict.fromkeys(("new", "draft", "reopened")),
            **dict.fromkeys(("submitted", "graded"), EventType.EXAM_COMPLETED),
        },
        result="result",
        is_final="is_graded",
        ended=("ended",),
        enrolled="enrolled",
        facts={"score": "score", "percentage": "percentage", "result": "result", "module_id": "module_id"},
        titles={"course_title": Title("course", "course")},
    )


def _content(t: Tables, table: sa.Table, letter: str, state: sa.ColumnElement[str], when: str) -> Source:
    module, kind = t.course_modules.c, t.modules.c
    return Source(
        name=table.name.removeprefix(t.prefix),
        kind=Kind.CONTENT,
        letter=letter,
        table=table,
        joins={t.course_modules: module.id == table.c.coursemoduleid, t.modules: kind.id == module.module},
        computed={
            "state": state,
            "content_type": kind.name,
            "course": module.course,
            "section": module.section,
            "enrolled": _enrolled(t, module.course, table.c.userid),
        },
        only=kind.name.is_(None) | kind.name.not_in(_EXAMS),
        student="userid",
        activity="coursemoduleid",
        title="modules",
        states={"viewed": EventType.CONTENT_STARTED, "complete": EventType.CONTENT_COMPLETED, "incomplete": None},
        started=(when,) if table is t.course_modules_viewed else (),
        ended=(when,),
        enrolled="enrolled",
        facts={"content_type": "content_type"},
        titles={"course_title": Title("course", "course"), "chapter_name": Title("sections", "section")},
    )


def _completed(t: Tables) -> sa.ColumnElement[str]:
    """Complete at all, with a passing or with a failing grade."""
    return sa.case((t.course_modules_completion.c.completionstate.in_((1, 2, 3)), "complete"), else_="incomplete")


def _course_completions(t: Tables) -> Source:
    row = t.course_completions.c
    return Source(
        name="course_completions",
        kind=Kind.CERTIFICATION,
        letter="z",
        table=t.course_completions,
        computed={
            "state": sa.case((row.timecompleted > 0, "completed"), else_=""),
            "enrolled": _enrolled(t, row.course, row.userid),
        },
        student="userid",
        activity="course",
        title="course",
        states={"": None, "completed": EventType.CERTIFICATION_ISSUED},
        ended=("timecompleted",),
        enrolled="enrolled",
    )


def _badge_issued(t: Tables) -> Source:
    return Source(
        name="badge_issued",
        kind=Kind.CERTIFICATION,
        letter="b",
        table=t.badge_issued,
        joins={t.badge: t.badge.c.id == t.badge_issued.c.badgeid},
        computed={"state": sa.literal("issued"), "course": t.badge.c.courseid},
        student="userid",
        activity="badgeid",
        title="badge",
        states={"issued": EventType.CERTIFICATION_ISSUED},
        ended=("dateissued",),
        titles={"course_title": Title("course", "course")},
        is_optional=True,
    )


def _grade_item(t: Tables, module: str, instance: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    item = t.grade_items.c
    is_module = (item.itemtype == "mod") & (item.itemmodule == module)
    return is_module & (item.iteminstance == instance) & (item.itemnumber == 0)


def _result(t: Tables, grade: sa.ColumnElement[float]) -> sa.ColumnElement[str]:
    """Moodle's rule: there is no pass or fail without a pass grade above the least grade."""
    item = t.grade_items.c
    is_judged = item.gradepass.is_not(None) & (item.gradepass != item.grademin) & grade.is_not(None)
    return sa.case((is_judged & (sa.func.round(grade, 5) >= item.gradepass), "pass"), (is_judged, "fail"))


def _module_id(t: Tables, name: str) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.min(t.modules.c.id)).where(t.modules.c.name == name).scalar_subquery()


def _enrolled(t: Tables, course: sa.ColumnElement[int], user: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """Since when a user is enrolled in a course; a restored course has older attempts."""
    enrolment, way = t.user_enrolments.c, t.enrol.c
    return (
        sa.select(sa.func.min(enrolment.timecreated))
        .join(t.enrol, way.id == enrolment.enrolid)
        .where(way.courseid == course, enrolment.userid == user)
        .scalar_subquery()
    )


def _catalogue(t: Tables) -> dict[str, tuple[Query, ...]]:
    """Names of what is not hidden from students."""
    module, section = t.course_modules.c, t.course_sections.c
    shown = {
        name: sa.join(t.course_modules, table := getattr(t, name), table.c.id == module.instance) for name in _MODULES
    }
    is_shown = {name: (module.visible == 1) & (module.module == _module_id(t, name)) for name in _MODULES}
    names = {name: getattr(t, name).c for name in _MODULES}
    return {
        **{
            name: (sa.select(names[name].id, names[name].name).select_from(shown[name]).where(is_shown[name]),)
            for name in _EXAMS
        },
        "modules": tuple(
            sa.select(module.id, names[name].name).select_from(shown[name]).where(is_shown[name]) for name in _MODULES
        ),
        "sections": (
            sa.select(section.id, section.name).where(section.name.is_not(None)),
            sa.select(section.id, sa.literal("Topic ") + sa.cast(section.section, sa.String(10))),
        ),
        "course": (sa.select(t.course.c.id, t.course.c.fullname),),
        "badge": (sa.select(t.badge.c.id, t.badge.c.name),),
    }


def _people(t: Tables) -> PeopleQueries:
    user, enrolment, way = t.user.c, t.user_enrolments.c, t.enrol.c
    columns = (
        user.id,
        user.username,
        user.email,
        user.firstname.label("first_name"),
        user.lastname.label("last_name"),
        sa.null().label("display_name"),
    )
    is_there = (user.deleted == 0) & (user.username != "guest")
    is_enrolled = (
        sa.exists()
        .where(enrolment.userid == user.id, enrolment.status == 0, enrolment.timestart <= NOW)
        .where((enrolment.timeend == 0) | (enrolment.timeend > NOW))
        .where(way.id == enrolment.enrolid, way.status == 0)
    )
    is_active = sa.case(((user.suspended == 0) & is_enrolled, 1), else_=0).label("is_active")
    mentors = _with_role(t, COURSE, "teacher", "editingteacher").union(_with_role(t, USER))
    return PeopleQueries(
        students=sa.select(*columns, is_active).where(is_there, user.id.in_(_with_role(t, COURSE, "student"))),
        mentors=sa.select(*columns).where(is_there, user.suspended == 0, user.id.in_(mentors)),
        links={"role": _links_by_role(t), "group": _links_by_group(t)},
        only_linked=True,
    )


def _with_role(t: Tables, level: int, *archetypes: str) -> sa.Select[tuple[int]]:
    """Who has a role in a context of this level, one of these kinds if there are any."""
    given = t.role_assignments.c
    query = sa.select(given.userid).join(t.context, t.context.c.id == given.contextid)
    query = query.where(t.context.c.contextlevel == level)
    if not archetypes:
        return query
    return query.join(t.role, t.role.c.id == given.roleid).where(t.role.c.archetype.in_(archetypes))


def _links_by_role(t: Tables) -> Query:
    """Mentors with any role in the context of a student, as Moodle says it is done for parents."""
    given, context = t.role_assignments.c, t.context.c
    query = sa.select(given.userid, context.instanceid).join(t.context, context.id == given.contextid)
    return query.where(context.contextlevel == USER, given.userid != context.instanceid).distinct()


def _links_by_group(t: Tables) -> Query:
    """Teachers and students in one group of a course."""
    teacher, student = t.groups_members.alias("teacher"), t.groups_members.alias("student")
    group, context = t.groups.c, t.context.c

    def has_role(member: sa.FromClause, *archetypes: str) -> sa.ColumnElement[bool]:
        given, role = t.role_assignments.alias(), t.role.alias()
        return (
            sa.exists()
            .where(given.c.userid == member.c.userid, given.c.contextid == context.id)
            .where(role.c.id == given.c.roleid, role.c.archetype.in_(archetypes))
            .correlate(member, t.context)
        )

    return (
        sa.select(teacher.c.userid, student.c.userid)
        .select_from(teacher.join(student, student.c.groupid == teacher.c.groupid))
        .join(t.groups, group.id == teacher.c.groupid)
        .join(t.context, (context.contextlevel == COURSE) & (context.instanceid == group.courseid))
        .where(has_role(teacher, "teacher", "editingteacher"), has_role(student, "student"))
        .distinct()
    )


def _moments(t: Tables) -> tuple[Query, ...]:
    seen = t.user_lastaccess.c
    return (
        sa.select(t.user.c.id, t.user.c.lastaccess).where(t.user.c.lastaccess > 0),
        sa.select(seen.userid, sa.func.max(seen.timeaccess)).group_by(seen.userid),
    )
