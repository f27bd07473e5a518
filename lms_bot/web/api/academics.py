"""How students do in their studies, and which of a mentor's students need attention."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.reports.academics.document import performance_document, profile_document
from lms_bot.core.reports.feed import Newest
from lms_bot.core.web.tokens import Scope
from lms_bot.reports import patterns
from lms_bot.reports.academics import performances, profiles
from lms_bot.reports.web import mentors
from lms_bot.store.session import Transaction
from lms_bot.web import cursors
from lms_bot.web.answers import answered, problems, student_as_seen
from lms_bot.web.api.academic_shapes import MentoredStudents, Performance, Profile
from lms_bot.web.callers import Caller, caller_with
from lms_bot.web.shapes import Id

router = APIRouter(prefix="/api/v1/lms", tags=["academics"])

ProfileReader = Annotated[Caller, Depends(caller_with(Scope.PROFILE))]
PerformanceReader = Annotated[Caller, Depends(caller_with(Scope.PERFORMANCE))]
MentorReader = Annotated[Caller, Depends(caller_with(Scope.MENTORS))]
StudentId = Annotated[Id, Path(description="The LMS's id of a student.")]
MentorId = Annotated[Id, Path(description="The LMS's id of a mentor.")]


class Paged(BaseModel):
    """Which page is asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=100, description="How many at most.")
    after: str | None = Field(None, pattern=cursors.PATTERN, description="`next` of the page before.")


Page = Annotated[Paged, Query()]


@router.get(
    "/students/{student_id}/profile/",
    summary="How a student stands in their studies",
    response_model=Profile,
    responses=problems(404),
)
def profile(request: Request, caller: ProfileReader, student_id: StudentId) -> Response:
    """Return the figures with what they rest on, the courses, the clear subjects and what was last."""
    context = caller.context
    with context.store.reading() as transaction:
        found = profiles.profile(transaction, caller.principal, student_id, context.settings, caller.now)
    return answered(request, caller, _of_student(caller, profile_document(found)))


@router.get(
    "/students/{student_id}/performance/",
    summary="What a student's exams came to, and what should happen next",
    response_model=Performance,
    responses=problems(404),
)
def performance(request: Request, caller: PerformanceReader, student_id: StudentId, page: Page) -> Response:
    """Return a page of the exams, and of all of them the subjects, how the student learns, and recommendations."""
    with caller.context.store.reading() as transaction:
        document = performance_page(transaction, caller, student_id, page.limit, page.after)
    return answered(request, caller, _of_student(caller, document))


def performance_page(
    transaction: Transaction, caller: Caller, student_id: int, limit: int, after: str | None
) -> dict[str, Any]:
    """Return what a student's exams came to, with a page of them; names are as they are. Raises NotFound."""
    asked = (caller.principal, student_id, caller.context.settings, caller.now)
    newest = Newest(limit, cursors.read(after) if after else None)
    found = performances.performance(transaction, *asked, newest)
    document = performance_document(found, patterns.progress(transaction, *asked))
    document["exam_history"]["next"] = cursors.written(found.next) if found.next else None
    return document


@router.get(
    "/mentors/{mentor_id}/students/",
    summary="A mentor's students, who needs attention first",
    response_model=MentoredStudents,
    responses=problems(404),
)
def students(request: Request, caller: MentorReader, mentor_id: MentorId, page: Page) -> Response:
    """Return a page of students with their points of attention; who comes or goes does not move the pages after it."""
    context = caller.context
    with context.store.reading() as transaction:
        found = mentors.students_of_mentor(transaction, caller.principal, mentor_id, context.settings, caller.now)
    after = cursors.read_rank(page.after) if page.after else None
    left = [one for one in found.summaries if after is None or found.rank(one) > after]
    shown = left[: page.limit]
    content = {
        "items": [student_as_seen(found.student_as_json(one), caller) for one in shown],
        "next": cursors.written_rank(found.rank(shown[-1])) if len(left) > page.limit else None,
    }
    return answered(request, caller, content)


def _of_student(caller: Caller, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as its reader sees it, without the moments that `answered` writes."""
    info = student_as_seen(document["student_info"], caller)
    kept = {name: value for name, value in document.items() if name not in ("as_of", "lms_read_at")}
    return {**kept, "student_info": info}
