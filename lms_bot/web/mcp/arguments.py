"""What tools are asked, as their input schemas describe it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.reports.feed import Filter
from lms_bot.web import cursors
from lms_bot.web.api.activity import TYPES, Moment, as_filter
from lms_bot.web.shapes import Id

MOST_OFFSET = 1_000_000
Words = Annotated[str, Field(max_length=100, pattern="^[^\\x00]*$")]
Offset = Annotated[int, Field(ge=0, le=MOST_OFFSET)]


class Arguments(BaseModel):
    """Nothing but what is named."""

    model_config = ConfigDict(extra="forbid")


class FindStudents(Arguments):
    """Who is looked for; without any words that is everybody whom the token may read."""

    name: Words = Field(
        "", description="A name, username or pseudonym, a part of one, or an id. Typing errors are forgiven."
    )
    course: Words = Field("", description="Only who takes a course with these words in its title.")
    limit: int = Field(20, ge=1, le=100, description="How many at most.")
    after: Offset = Field(0, description="`next` of the page before.")


class OfStudent(Arguments):
    """About whom is asked."""

    student_id: Id = Field(description="The student's id in the LMS; `find_students` gives it.")


class Performance(OfStudent):
    """The same, with a page of exams."""

    limit: int = Field(20, ge=1, le=100, description="How many exams at most, newest first.")
    after: str | None = Field(None, pattern=cursors.PATTERN, description="`exam_history.next` of the page before.")


class OfMentor(Arguments):
    """About which mentor is asked."""

    mentor_id: Id | None = Field(
        None, description="The mentor's id in the LMS; not needed where the token is one mentor's."
    )
    limit: int = Field(20, ge=1, le=200, description="How many at most.")
    after: Offset = Field(0, description="`next` of the page before.")


class RecentActivity(Arguments):
    """Which events are asked for."""

    student_id: Id | None = Field(None, description="Only of this student, by the LMS's id.")
    type: str | None = Field(None, pattern=TYPES, max_length=1_000, description="Only these kinds, by commas.")
    since: Moment | None = Field(None, description="Only what happened at this moment or later.")
    course: Words = Field("", description="A part of the course's title.")
    limit: int = Field(20, ge=1, le=100, description="How many at most.")
    after: str | None = Field(None, pattern=cursors.PATTERN, description="`next` of a page.")

    @property
    def filter(self) -> Filter:
        return as_filter(self.since, self.type, self.course)


class Definitions(Arguments):
    """What is to be explained; without any words only the headings are answered."""

    about: Words = Field("", description="Words of a figure or a rule, as `average_score` or `usual gap`.")
