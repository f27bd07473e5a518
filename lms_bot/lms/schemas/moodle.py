"""Declares Moodle 4.1 to 5, which has times in seconds and no foreign keys: whatever is joined may be missing."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from lms_bot.lms import source as lms
from lms_bot.lms.schemas.moodle_academics import COURSE, academics, is_over, module_id
from lms_bot.lms.schemas.tables import Tables

PREFIX = "mdl_"
USER, OF_COURSES = 30, (10, 40, 50)  # levels of contexts; roles in site and category reach down
TEACHERS = ("teacher", "editingteacher")

_EXAMS = ("quiz", "assign")
_OTHERS = """page url resource scorm h5pactivity book folder forum feedback choice glossary wiki workshop data survey
lti imscp chat lesson label bigbluebuttonbn"""
_MODULES = (*_EXAMS, *_OTHERS.split())  # kinds of activity in a course, each with a table that has their names
_GRADER = "mod/assign/view.php?id={module_id}&action=grader&userid={student_id}"
_source = partial(lms.Source, student="userid")
_TABLES = """
quiz_attempts id quiz userid preview:number state:text timestart:seconds timefinish:seconds sumgrades:number \
timemodified:seconds
assign_submission id assignment userid attemptnumber:number status:text timemodified:seconds
assign_grades id assignment userid attemptnumber:number grade:number timemodified:seconds
course_modules_viewed id coursemoduleid userid timecreated:seconds
course_modules_completion id coursemoduleid userid completionstate:number timemodified:seconds
course_completions id userid course timecompleted:seconds
badge_issued id badgeid userid dateissued:seconds
quiz id course name:text sumgrades:number grade:number timelimit:number timeclose:seconds
assign id course name:text grade:number duedate:seconds teamsubmission:number
grade_items id itemtype:text itemmodule:text iteminstance itemnumber:number gradepass:number grademin:number
course_modules id course module instance section visible:number completion:number
modules id name:text
course id fullname:text visible:number
course_sections id name:text section:number visible:number
badge id name:text courseid
user id username:text email:text firstname:text lastname:text deleted:number suspended:number lastaccess:seconds
user_lastaccess id userid timeaccess:seconds
user_enrolments id enrolid userid status:number timestart:seconds timeend:seconds timecreated:seconds
enrol id courseid status:number
role id archetype:text
role_assignments id roleid contextid userid
context id contextlevel:number instanceid path:text
groups id courseid
groups_members id groupid userid
""" + "\n".join(f"{name} id name:text" for name in _MODULES if name not in _EXAMS)


def declare(prefix: str = PREFIX) -> lms.Schema:
    """Return the declaration of a site whose tables bear this prefix."""
    t = Tables(_TABLES, prefix)
    viewed, completed = t.course_modules_viewed, t.course_modules_completion
    by_one = t.assign.c.teamsubmission == 0
    is_completed = completed.c.completionstate.in_((1, 2, 3))  # at all, with a passing or with a failing grade
    enrolled, quiz, work, seen = t.user_enrolments.c, t.quiz.c, t.assign.c, t.user_lastaccess.c
    moments = (sa.select(t.user.c.id, t.user.c.lastaccess), sa.select(seen.userid, seen.timeaccess))
    return lms.Schema(
        name="moodle",
        sources=(
            _quiz_attempts(t),
            _assignment(t, t.assign_submission, "h"),
            _assignment(t, t.assign_grades, "g"),
            _content(t, viewed, "w", sa.literal("viewed"), "timecreated"),
            _content(t, completed, "c", sa.case((is_completed, "complete"), else_="incomplete"), "timemodified"),
            _course_completions(t),
            _badge_issued(t),
        ),
        catalogue=_catalogue(t),
        people=_people(t),
        presence=lms.PresenceQueries(moments=moments),
        enrolment=lms.EnrolmentQueries(
            since=sa.select(enrolled.userid, sa.func.min(enrolled.timecreated)).group_by(enrolled.userid),
            minutes=sa.select(quiz.id, quiz.timelimit // 60),
            deadlines={
                "quiz_attempts": sa.select(quiz.id, quiz.timeclose, quiz.name).where(quiz.timeclose > 0),
                "assign_submission": sa.select(work.id, work.duedate, work.name).where(by_one, work.duedate > 0),
            },
        ),
        academics=academics(t),
        has_markup=True,
        urls={
            "student": "user/profile.php?id={student_id}",
            "quiz_attempts": "mod/quiz/review.php?attempt={source_id}",
            **dict.fromkeys(("assign_submission", "assign_grades"), _GRADER),
            "course_modules_viewed": "mod/{content_type}/view.php?id={activity_id}",
            "course_modules_completion": "mod/{content_type}/view.php?id={activity_id}",
            "course_completions": "course/view.php?id={activity_id}",
        },
    )


def _quiz_attempts(t: Tables) -> lms.Source:
    attempt, quiz = t.quiz_attempts.c, t.quiz.c
    has_marks = quiz.sumgrades >= 0.000005
    scaled = sa.case((has_marks, attempt.sumgrades * quiz.grade / quiz.sumgrades), else_=0)
    grade, share = sa.case((attempt.sumgrades.is_not(None), scaled)), 100 * attempt.sumgrades / quiz.sumgrades
    marks = _marks(t, grade, sa.case((has_marks, share)))
    return _source(
        name="quiz_attempts",
        letter="e",
        table=t.quiz_attempts,
        joins={t.quiz: quiz.id == attempt.quiz, t.grade_items: _grade_item(t, "quiz", attempt.quiz)},
        only=attempt.preview == 0,
        activity="quiz",
        states=lms.states(
            none="notstarted abandoned", exam_started="inprogress overdue submitted", exam_completed="finished"
        ),
        result=marks["result"],
        is_final=sa.case(((attempt.state == "finished") & attempt.sumgrades.is_not(None), 1), else_=0),
        started=("timestart",),
        ended=("timefinish",),
        enrolled=_enrolled(t, quiz.course, attempt.userid),
        facts=marks,
        titles={"course_title": lms.Title("course", quiz.course)},
        durations={"time_taken": sa.case((attempt.timefinish > 0, attempt.timefinish - attempt.timestart))},
    )


def _assignment(t: Tables, table: sa.Table, letter: str) -> lms.Source:
    """Declare work, or else the grades of those for whom others of their group have handed in."""
    row, work, given, assign, module = table.c, t.assign_submission.c, t.assign_grades.c, t.assign.c, t.course_modules.c
    keys, is_work = ("assignment", "userid", "attemptnumber"), table is t.assign_submission
    is_graded = (given.grade >= 0) & (given.timemodified >= sa.func.coalesce(work.timemodified, 0))
    grade = sa.case((is_graded, given.grade))
    marks = _marks(t, grade, sa.case((assign.grade > 0, 100 * grade / assign.grade)))
    return _source(
        name=table.name.removeprefix(t.prefix),
        letter=letter,
        table=table,
        joins={
            t.assign_grades if is_work else t.assign_submission: sa.and_(*(given[key] == work[key] for key in keys)),
            t.assign: assign.id == row.assignment,
            t.grade_items: _grade_item(t, "assign", row.assignment),
            t.course_modules: (module.instance == row.assignment) & (module.module == module_id(t, "assign")),
        },
        parts=(t.assign_grades,) if is_work else (),
        only=work.userid != 0 if is_work else (assign.teamsubmission == 1) & work.id.is_(None),
        activity="assignment",
        state=sa.case((is_graded, "graded"), else_=sa.func.coalesce(work.status, "new")),
        states=lms.states(none="new draft reopened", exam_completed="submitted graded"),
        result=marks["result"],
        is_final=sa.case((is_graded, 1), else_=0),
        ended=(sa.case((is_graded, given.timemodified), else_=work.timemodified),),
        enrolled=_enrolled(t, assign.course, row.userid),
        facts=marks | {"module_id": module.id},
        titles={"course_title": lms.Title("course", assign.course)},
    )


def _content(t: Tables, table: sa.Table, letter: str, state: lms.Expression, when: str) -> lms.Source:
    module, kind = t.course_modules.c, t.modules.c
    course, chapter = lms.Title("course", module.course), lms.Title("sections", module.section)
    return _source(
        name=table.name.removeprefix(t.prefix),
        letter=letter,
        table=table,
        joins={t.course_modules: module.id == table.c.coursemoduleid, t.modules: kind.id == module.module},
        only=kind.name.not_in(_EXAMS),
        activity="coursemoduleid",
        state=state,
        states=lms.states(content_started="viewed", content_completed="complete", none="incomplete"),
        started=(when,),
        ended=(when,),
        enrolled=_enrolled(t, module.course, table.c.userid),
        facts={"content_type": kind.name},
        titles={"course_title": course, "chapter_name": chapter},
    )


def _course_completions(t: Tables) -> lms.Source:
    row = t.course_completions.c
    return _source(
        name="course_completions",
        letter="z",
        table=t.course_completions,
        activity="course",
        state=sa.case((row.timecompleted > 0, "completed"), else_="incomplete"),
        states=lms.states(none="incomplete", certification_issued="completed"),
        ended=("timecompleted",),
        enrolled=_enrolled(t, row.course, row.userid),
    )


def _badge_issued(t: Tables) -> lms.Source:
    return _source(
        name="badge_issued",
        letter="b",
        table=t.badge_issued,
        joins={t.badge: t.badge.c.id == t.badge_issued.c.badgeid},
        activity="badgeid",
        state=sa.literal("issued"),
        states=lms.states(certification_issued="issued"),
        ended=("dateissued",),
        titles={"course_title": lms.Title("course", t.badge.c.courseid)},
        is_optional=True,
    )


def _grade_item(t: Tables, module: str, instance: lms.Expression) -> sa.ColumnElement[bool]:
    item = t.grade_items.c
    of_module = (item.itemtype == "mod") & (item.itemmodule == module) & (item.itemnumber == 0)
    return of_module & (item.iteminstance == instance)


def _marks(t: Tables, grade: lms.Expression, percentage: lms.Expression) -> dict[str, lms.Expression]:
    """Return what is told of a mark; by Moodle's rule nobody passes without a pass grade above the least grade."""
    item, score = t.grade_items.c, sa.func.round(grade, 5)
    is_judged = item.gradepass.is_not(None) & (item.gradepass != item.grademin) & grade.is_not(None)
    result = sa.case((is_judged & (score >= item.gradepass), "pass"), (is_judged, "fail"))
    return {"score": score, "percentage": sa.func.round(percentage, 2), "result": result}


def _enrolled(t: Tables, course: lms.Expression, user: lms.Expression) -> sa.ScalarSelect[int]:
    """Return since when a user is enrolled in a course: what a restored course brings is older."""
    row, way = t.user_enrolments.c, t.enrol.c
    query = sa.select(sa.func.min(row.timecreated)).join(t.enrol, way.id == row.enrolid)
    return query.where(way.courseid == course, row.userid == user).scalar_subquery()


def _catalogue(t: Tables) -> dict[str, tuple[lms.Query, ...]]:
    """Return the names, only of what is not hidden from students."""
    module, section, course = t.course_modules.c, t.course_sections.c, t.course.c
    topic = sa.case((section.section == 0, "General"), else_="Topic " + sa.cast(section.section, sa.String(10)))

    def names(kind: str, key: sa.Column[int]) -> lms.Query:
        table = getattr(t, kind)
        query = sa.select(key, table.c.name).join_from(table, t.course_modules, module.instance == table.c.id)
        query = query.join(t.course, course.id == module.course).where(course.visible == 1, module.visible == 1)
        return query.where(module.module == module_id(t, kind))

    return {
        "quiz": (names("quiz", t.quiz.c.id),),
        "assignment": (names("assign", t.assign.c.id),),
        "coursemoduleid": tuple(names(kind, module.id) for kind in _MODULES),
        "sections": (sa.select(section.id, section.name).where(section.visible == 1), sa.select(section.id, topic)),
        "course": (sa.select(course.id, course.fullname).where(course.visible == 1, course.id > 1),),
        "badgeid": (sa.select(t.badge.c.id, t.badge.c.name),),
    }


def _people(t: Tables) -> lms.PeopleQueries:
    user, row, way = t.user.c, t.user_enrolments.c, t.enrol.c
    names = (user.firstname.label("first_name"), user.lastname.label("last_name"), sa.null().label("display_name"))
    people = sa.select(user.id, user.username, user.email, *names).where(user.deleted == 0, user.username != "guest")
    is_enrolled = sa.exists(row.userid).where(row.userid == user.id, row.status == 0, ~is_over(row))
    is_enrolled = is_enrolled.where(way.id == row.enrolid, way.status == 0)
    is_active = sa.case(((user.suspended == 0) & is_enrolled, 1), else_=0).label("is_active")
    mentors = _has_role(t, user.id, (USER,)) | _has_role(t, user.id, OF_COURSES, *TEACHERS)
    return lms.PeopleQueries(
        students=people.add_columns(is_active).where(_has_role(t, user.id, OF_COURSES, "student")),
        mentors=people.where(user.suspended == 0, mentors),
        links={"role": _links_by_role(t), "group": _links_by_group(t)},
        only_linked=True,
    )


def _has_role(t: Tables, user: lms.Expression, levels: tuple[int, ...], *archetypes: str) -> sa.Exists:
    """Return that a user has a role in a context of these levels, of one of these kinds if there are any."""
    given, role, at = t.role_assignments.c, t.role.c, t.context.c
    found = sa.exists(given.userid).where(given.userid == user, given.contextid == at.id, at.contextlevel.in_(levels))
    return found.where(role.id == given.roleid, role.archetype.in_(archetypes)) if archetypes else found


def _links_by_role(t: Tables) -> lms.Query:
    """Return mentors with any role in the context of a student: Moodle's own way for parents."""
    given, context = t.role_assignments.c, t.context.c
    query = sa.select(given.userid, context.instanceid).join(t.context, context.id == given.contextid).distinct()
    return query.where(context.contextlevel == USER, given.userid != context.instanceid)


def _links_by_group(t: Tables) -> lms.Query:
    """Return teachers and students who are in one group of a course."""
    teacher, student = _members(t, *TEACHERS).c, _members(t, "student").c
    pairs = sa.select(teacher.userid, student.userid).distinct()
    return pairs.where(teacher.groupid == student.groupid, teacher.userid != student.userid)


def _members(t: Tables, *archetypes: str) -> sa.Subquery:
    """Return members of groups with a role of these kinds in the group's course, or in what that lies in."""
    member, given, role, group = t.groups_members.c, t.role_assignments.c, t.role.c, t.groups.c
    course, at = t.context.c, t.context.alias("at").c
    is_there = (at.id == course.id) | course.path.startswith(at.path + "/")
    query = sa.select(member.userid, member.groupid).where(group.id == member.groupid, given.userid == member.userid)
    query = query.where(role.id == given.roleid, role.archetype.in_(archetypes), at.id == given.contextid, is_there)
    return query.where(course.contextlevel == COURSE, course.instanceid == group.courseid).subquery()
