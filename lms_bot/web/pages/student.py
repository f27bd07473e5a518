"""The page of one student: for their mentor, and for the student themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from lms_bot.core.events import Event, EventType, percentage
from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.students import PASS_LINE
from lms_bot.reports import alerts, notifications, patterns, streaks
from lms_bot.reports import student as reports
from lms_bot.reports.academics import performances, profiles
from lms_bot.store.session import Transaction
from lms_bot.web.pages import words
from lms_bot.web.pages.charts import Score
from lms_bot.web.pages.documents import page
from lms_bot.web.pages.overview import SNOOZES
from lms_bot.web.pages.visitors import NOT_THERE, Visiting, Visitor
from lms_bot.web.problems import Problem
from lms_bot.web.shapes import MOST_ID

router = APIRouter(include_in_schema=False)

MOST_SCORES = 60  # in the chart
DAYS = 140  # in the calendar: twenty weeks
TOLD = 10
_VERDICTS = {EventType.EXAM_PASSED: True, EventType.EXAM_FAILED: False}


@router.get("/students/{student_id}")
def student(request: Request, visitor: Visiting, student_id: Annotated[int, Path(ge=1, le=MOST_ID)]) -> Response:
    """Show a mentor one of their students."""
    mentor = visitor.acting_as(Role.MENTOR)
    with visitor.context.store.reading() as transaction:
        values = _about(transaction, visitor, mentor, student_id)
        own = [one for one in alerts.open_alerts(transaction, mentor) if one.alert.student_id == student_id]
        told = notifications.told(transaction, mentor, student_id, TOLD, visitor.context.settings)
    return page(request, "student.html", visitor, **values, alerts=own, told=told, snoozes=SNOOZES, is_mentor=True)


@router.get("/me")
def me(request: Request, visitor: Visiting, student: Annotated[int, Query(ge=0, le=MOST_ID)] = 0) -> Response:
    """Show a student how they do, and what their mentors see of it."""
    principal = visitor.acting_as(Role.STUDENT)
    ids = principal.student_ids
    if student and student not in ids:
        raise Problem(404, NOT_THERE)
    student_id = student or ids[0]
    with visitor.context.store.reading() as transaction:
        values = _about(transaction, visitor, principal, student_id)
        mentors = reports.mentors(transaction, principal, student_id)
    return page(request, "student.html", visitor, **values, mentors=mentors, own=principal.students, is_mentor=False)


def _about(transaction: Transaction, visitor: Visitor, principal: Principal, student_id: int) -> dict[str, Any]:
    """Return what is shown of a student to whoever looks. Raises NotFound."""
    settings, now = visitor.context.settings, visitor.now
    card = reports.card(transaction, principal, student_id, settings, now).card
    exams = reports.scores(transaction, principal, student_id, None, MOST_SCORES, settings)
    performance = performances.performance(transaction, principal, student_id, settings, now)
    return {
        "card": card,
        "profile": profiles.profile(transaction, principal, student_id, settings, now),
        "subjects": performance.subject_performance,
        "exams": performance.exam_history,
        "scores": [_score(event) for event in exams],
        "streak": streaks.streak(transaction, principal, student_id, settings.timezone, now, DAYS),
        "progress": patterns.progress(transaction, principal, student_id, settings, now),
        "pass_mark": PASS_LINE,
        "goal": settings.daily_goal,
    }


def _score(event: Event) -> Score:
    share = percentage(event.metadata)
    return Score(event.timestamp, share or 0.0, _VERDICTS.get(event.event_type), words.title(event))
