"""What tools answer about students, as their output schemas describe it: mostly as paths answer it."""

from __future__ import annotations

from pydantic import Field

from lms_bot.web.api.academic_shapes import CourseProgress, LearningPatterns, Recommendation, StudentNamed
from lms_bot.web.shapes import Answer


class FoundStudents(Answer):
    """The students who were found."""

    students: list[StudentNamed]
    total: int = Field(description="How many there are on all pages.")
    is_guess: bool = Field(description="Nobody is called so; these are called nearly so.")
    next: int | None = Field(description="What `after` takes for the next page; null on the last.")


class ComparedProgress(CourseProgress):
    """How much of a course is done; `median` is the percentage of those who take it too."""

    median: float | None = None
    takers: int | None = None


class StudentProgress(Answer):
    """How far a student is, how they learn, and what should happen next."""

    student_id: int
    current_courses: list[ComparedProgress]
    learning_patterns: LearningPatterns
    recommendations: list[Recommendation]
