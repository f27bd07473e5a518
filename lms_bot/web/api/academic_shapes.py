"""The forms of answers about studies, as OpenAPI describes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.attention import HIGHEST, Reason
from lms_bot.core.events import EventType
from lms_bot.core.recommendations import MOST, Advice
from lms_bot.core.reports.students import Concern
from lms_bot.web.shapes import Answer

Period = tuple[datetime, datetime] | None


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StudentNamed(_Shape):
    """Who a student is; username and name are a pseudonym without the scope `names`."""

    student_id: int
    username: str
    name: str
    is_active: bool


class Batch(_Shape):
    """A batch of the LMS."""

    batch_id: int
    name: str | None


class StudentInfo(StudentNamed):
    """Who a student is, and their batches."""

    batches: list[Batch]


class AcademicMetrics(_Shape):
    """The six figures, each null where it is unknown; `evidence` says under the same name what it rests on."""

    current_streak: int | None = Field(description="Days in a row with something finished, until today or yesterday.")
    highest_streak: int | None = Field(description="Days of the longest streak.")
    average_score: float | None = Field(description="The mean percentage of the current exams.")
    percentile_rank: float | None = Field(description="The mean share of the batch that scored lower, 0 to 100.")
    total_exams: int | None = Field(description="Exams that were finished.")
    videos_watched: int | None = Field(description="Different videos that were watched.")


class Rests(_Shape):
    """What a figure rests on: `n` events, when the first and the last of them were, and the newest 100 of them."""

    n: int
    period: Period
    event_ids: list[int]


class Evidence(Rests):
    """What a metric rests on, and how it was reckoned, or why there is none."""

    reason: str


class ProfileEvidence(_Shape):
    """The evidence of each of the six figures."""

    current_streak: Evidence
    highest_streak: Evidence
    average_score: Evidence
    percentile_rank: Evidence
    total_exams: Evidence
    videos_watched: Evidence


class LmsCount(_Shape):
    """A figure as the LMS counts it, on a day, beside ours; `difference` is by how much the LMS counts more."""

    name: str
    ours: float | None
    lms: int
    difference: float | None
    day: date


class Change(_Shape):
    """By how much the figures have changed since the snapshot of a day `weeks` or a little longer ago."""

    weeks: int
    since: date
    total_exams: float | None
    average_score: float | None
    videos_watched: float | None
    current_streak: float | None


class CourseProgress(_Shape):
    """How much of a course is done."""

    course_id: int
    title: str | None
    done: int
    items: int
    percentage: float | None
    last_activity: datetime | None


class Part(Rests):
    """All results in one subject or at one level of difficulty; `trend` in points, the last three and three before."""

    percentage: float
    correct: int
    incorrect: int
    unanswered: int
    total: int
    trend: float | None


class Subject(Part):
    """All results in one subject."""

    subject: str


class Difficulty(Part):
    """All results at one level of difficulty."""

    difficulty: str


class StudentEvent(_Shape):
    """Something that the student did; `timestamp` is null where the LMS does not say when."""

    event_id: int
    event_type: EventType
    activity_id: int | None
    activity_title: str | None
    activity_metadata: dict[str, Any]
    timestamp: datetime | None
    url: str | None


class ExamTaken(StudentEvent):
    """A finished exam, with the share of the student's group that did worse, and how many took it."""

    percentile: float | None
    took: int | None


class RecentPerformance(_Shape):
    """The clear subjects, and what was last."""

    strong_subjects: list[Subject]
    struggling_subjects: list[Subject]
    recent_activity: list[StudentEvent]


class Profile(Answer):
    """How a student stands in their studies."""

    student_info: StudentInfo
    academic_metrics: AcademicMetrics
    evidence: ProfileEvidence
    lms_counts: list[LmsCount]
    changes: list[Change]
    current_courses: list[CourseProgress]
    recent_performance: RecentPerformance


class ExamHistory(_Shape):
    """A page of the exams, newest first; `next` is what `after` takes for the next one, null on the last."""

    total: int
    items: list[ExamTaken]
    next: str | None


class Pattern(_Shape):
    """One thing about how a student learns; `value` and `sentence` are null where `n` observations are too few."""

    value: float | None
    n: int
    sentence: str | None


class LearningPatterns(_Shape):
    """How a student learns, by the student's clock; docs/definitions.md says what each value means."""

    hour: Pattern
    weekday: Pattern
    days_per_week: Pattern
    gap: Pattern
    content_minutes: Pattern
    exam_minutes: Pattern
    watched_before: Pattern
    attempts: Pattern
    pace: Pattern


class Recommendation(_Shape):
    """What should happen next, and the events that say so."""

    advice: Advice
    sentence: str
    event_ids: list[int]


class PerformanceEvidence(_Shape):
    """The evidence of the two figures."""

    percentile_rank: Evidence
    minutes_on_content: Evidence


class Performance(Answer):
    """What a student's exams came to, how they learn, and what should happen next."""

    student_info: StudentNamed
    exam_history: ExamHistory
    subject_performance: list[Subject] = Field(description="The weakest first.")
    difficulty_performance: list[Difficulty]
    percentile_rank: float | None
    minutes_on_content: float | None = Field(description="The median between opening content and finishing it.")
    evidence: PerformanceEvidence
    learning_patterns: LearningPatterns
    recommendations: list[Recommendation] = Field(max_length=MOST)


class AttentionPart(_Shape):
    """What one reason adds to the points."""

    name: Reason
    points: int
    sentence: str


class MentoredStudent(StudentNamed):
    """A student of a mentor, with the points of attention and their reasons, which add up to them."""

    attention: int = Field(ge=0, le=HIGHEST)
    reasons: list[AttentionPart]
    concerns: list[Concern] = Field(description="By the mentor's own rules.")
    average_score: float | None
    last_active: datetime | None
    current_streak: int | None


class MentoredStudents(Answer):
    """A page of a mentor's students; `next` is what `after` takes for the next one, null on the last."""

    items: list[MentoredStudent]
    next: str | None
