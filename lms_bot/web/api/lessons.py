"""What the LMS's pages report of the student who looks at them: presence, progress and completion."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.streaks import Kind, StudentStreaks
from lms_bot.core.web.watching import Report
from lms_bot.pipeline.actions.lessons import QUIZ_FIRST, QuizRequired
from lms_bot.reports import streaks
from lms_bot.store.session import Transaction
from lms_bot.web.answers import problems
from lms_bot.web.shapes import MOST_ID, Answer, Json
from lms_bot.web.tracking.students import Student, StudentCaller

router = APIRouter(prefix="/api", tags=["lessons"])

LONGEST_VIDEO = 7 * 24 * 3_600  # seconds
UPDATED, COMPLETED = "Activity updated successfully", "Lesson marked as complete"
LessonId = Annotated[int, Path(ge=1, le=MOST_ID, description="The lesson's id in the LMS.")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_VIDEO, allow_inf_nan=False)]


class Streak(BaseModel):
    """Days in a row on which the student was there."""

    model_config = ConfigDict(extra="forbid")

    current_streak: int
    max_streak: int
    last_activity_date: date | None


class Updated(Answer):
    """The student is noted as present on this day, by their own clock."""

    success: Literal[True]
    message: str
    streak: Streak
    activity_date: date


class Watched(BaseModel):
    """How far a video has come; the seconds are optional, and with them only what was played counts."""

    model_config = ConfigDict(extra="forbid")

    watch_percentage: float = Field(ge=0, le=100, allow_inf_nan=False, description="As the player shows it.")
    timestamp: Seconds | None = Field(None, description="The position in the video, in seconds.")
    since: Seconds | None = Field(None, description="From where it was played up to `timestamp` without a jump.")
    duration: Seconds | None = Field(None, description="How long the video is, in seconds.")


class Progressed(Answer):
    """How much of the lesson's video was watched so far."""

    success: Literal[True]
    watch_percentage: float
    status: Literal["not_started", "in_progress", "completed"]
    completed: bool


class Completed(Answer):
    """The lesson is complete."""

    success: Literal[True]
    message: str
    lesson_id: int


class QuizFirst(Answer):
    """The lesson cannot be complete before its quiz is passed; `quiz_url` is null where its page is not known."""

    success: Literal[False]
    error: str
    quiz_required: Literal[True]
    quiz_url: str | None


_RESPONSES = {status: one for status, one in problems(413).items() if status != 403}
_OF_LESSONS = {status: one for status, one in problems(404, 413).items() if status != 403}


@router.post("/activity/update/", summary="Say that the student is there", response_model=Updated, responses=_RESPONSES)
def update(caller: Student) -> Response:
    """Note that the student was there today, once a day however often it is said; a body is not read."""
    store = caller.context.store
    with store.reading() as transaction:
        found = _streak(transaction, caller)
    if not found.days[-1].in_lms:
        with store.writing(durable=False) as transaction:
            caller.reporting(transaction).be_present()
            found = _streak(transaction, caller)
    present = [day.day for day in found.days if day.belongs_to(Kind.PRESENCE)]
    streak = {
        "current_streak": found.presence.current,
        "max_streak": found.presence.best,
        "last_activity_date": max(present, default=None),
    }
    content = {"success": True, "message": UPDATED, "streak": streak, "activity_date": found.days[-1].day}
    return Json({**content, **caller.context.stamp()})


@router.post(
    "/lessons/{lesson_id}/progress/",
    summary="Say how far a lesson's video has come",
    response_model=Progressed,
    responses=_OF_LESSONS,
)
def progress(caller: Student, lesson_id: LessonId, watched: Watched) -> Response:
    """Add what was played to what was watched before; a jump adds nothing.

    A percentage without a position is kept as reported, and counts while no position is known.
    """
    report = Report(watched.watch_percentage, watched.timestamp, watched.since, watched.duration)
    with caller.context.store.writing(durable=False) as transaction:
        found = caller.reporting(transaction).watch(lesson_id, report)
    status = "completed" if found.is_complete else "in_progress" if found.percentage else "not_started"
    content: dict[str, Any] = {"success": True, "watch_percentage": found.percentage, "status": status}
    return Json({**content, "completed": found.is_complete, **caller.context.stamp()})


@router.post(
    "/lessons/{lesson_id}/complete/",
    summary="Say that a lesson is complete",
    response_model=Completed | QuizFirst,
    responses=_OF_LESSONS,
)
def complete(caller: Student, lesson_id: LessonId) -> Response:
    """Mark the lesson as complete, unless it has a quiz that must be passed first; a body is not read."""
    content: dict[str, Any]
    try:
        with caller.context.store.writing() as transaction:
            caller.reporting(transaction).complete(lesson_id)
        content = {"success": True, "message": COMPLETED, "lesson_id": lesson_id}
    except QuizRequired as refused:
        content = {"success": False, "error": QUIZ_FIRST, "quiz_required": True, "quiz_url": refused.url}
    return Json({**content, **caller.context.stamp()})


def _streak(transaction: Transaction, caller: StudentCaller) -> StudentStreaks:
    zone = caller.context.settings.timezone
    return streaks.streak(transaction, caller.principal, caller.student_id, zone, caller.now)
