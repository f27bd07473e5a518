"""What tools answer about students, as their output schemas describe it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from lms_bot.core.events import EventType
from lms_bot.core.recommendations import Advice

Number = int | float


class Said(BaseModel):
    """What stands in every answer of a tool."""

    as_of: datetime = Field(description="The moment of this answer, in UTC.")
    lms_read_at: datetime | None = Field(description="When the LMS was last read: nothing later is known.")


class Student(BaseModel):
    """A student; pseudonyms stand for names where the token lacks the scope `names`."""

    student_id: int
    username: str
    name: str
    is_active: bool = Field(description="Whether the LMS has the student as active.")


class FoundStudents(Said):
    """The students who were found."""

    students: list[Student]
    total: int = Field(description="How many there are on all pages.")
    is_guess: bool = Field(description="Nobody is called so; these are called nearly so.")
    next: int | None = Field(description="What `after` takes for the next page; null on the last.")


class Evidence(BaseModel):
    """What a figure rests on."""

    n: int = Field(description="On how many events.")
    period: tuple[datetime, datetime] | None = Field(description="The first and the last of them.")
    event_ids: list[int] = Field(description="The newest of them, at most a hundred.")


class Reasoned(Evidence):
    """The same, with how the figure was reckoned, or why there is none."""

    reason: str


class Batch(BaseModel):
    """A batch, class or cohort of the LMS."""

    batch_id: int
    name: str | None


class BatchedStudent(Student):
    """A student and their batches."""

    batches: list[Batch]


class Metrics(BaseModel):
    """Plain figures; null is unknown, and never 0."""

    current_streak: int | None = Field(description="Days in a row with something finished, until now.")
    highest_streak: int | None = Field(description="The longest such streak, in days.")
    average_score: float | None = Field(description="The mean percentage of all finished exams.")
    percentile_rank: float | None = Field(description="The mean share of the batch that scored below, in percent.")
    total_exams: int | None = Field(description="Finished exams.")
    videos_watched: int | None


class MetricsEvidence(BaseModel):
    """What each of the metrics rests on, under the same names."""

    current_streak: Reasoned
    highest_streak: Reasoned
    average_score: Reasoned
    percentile_rank: Reasoned
    total_exams: Reasoned
    videos_watched: Reasoned


class Change(BaseModel):
    """By how much figures changed since a weekly snapshot; null where unknown."""

    weeks: int
    since: date
    total_exams: float | None
    average_score: float | None
    videos_watched: float | None
    current_streak: float | None


class Beside(BaseModel):
    """A figure as the LMS counts it, beside ours."""

    name: str
    ours: Number | None
    lms: Number | None
    difference: Number | None
    day: date


class Course(BaseModel):
    """How far a student is in a course; `median` is the percentage of those who take it too."""

    course_id: int
    title: str | None
    done: int
    items: int
    percentage: float | None
    median: float | None = None
    takers: int | None = None
    last_activity: datetime | None


class Part(Evidence):
    """What a student's results come to in a part of all questions; `trend` in points."""

    percentage: float | None
    correct: int
    incorrect: int
    unanswered: int
    total: int
    trend: float | None


class SubjectPart(Part):
    """The same, of a subject."""

    subject: str


class DifficultyPart(Part):
    """The same, of a level of difficulty."""

    difficulty: str


class Happened(BaseModel):
    """Something that a student did."""

    event_id: int
    event_type: EventType
    activity_id: int | None
    activity_title: str | None
    activity_metadata: dict[str, Any]
    timestamp: datetime | None


class RecentPerformance(BaseModel):
    """What is clear about a student, and what they did last."""

    strong_subjects: list[SubjectPart]
    struggling_subjects: list[SubjectPart]
    recent_activity: list[Happened]


class StudentProfile(Said):
    """How a student stands."""

    student_info: BatchedStudent
    academic_metrics: Metrics
    evidence: MetricsEvidence
    lms_counts: list[Beside]
    changes: list[Change]
    current_courses: list[Course]
    recent_performance: RecentPerformance


class Exam(Happened):
    """A finished exam; `percentile` is the share of the `took` who took it that did worse."""

    percentile: float | None
    took: int | None


class ExamHistory(BaseModel):
    """A page of finished exams, newest first."""

    total: int
    items: list[Exam]
    next: int | None = Field(description="What `after` takes for the next page; null on the last.")


class PerformanceEvidence(BaseModel):
    """What the two figures rest on, under the same names."""

    percentile_rank: Reasoned
    minutes_on_content: Reasoned


class StudentPerformance(Said):
    """What a student's exams came to."""

    student_info: Student
    exam_history: ExamHistory
    subject_performance: list[SubjectPart]
    difficulty_performance: list[DifficultyPart]
    percentile_rank: float | None
    minutes_on_content: float | None
    evidence: PerformanceEvidence


class Pattern(BaseModel):
    """One thing about how a student learns; without a value it rests on too little (`n` observations)."""

    value: Number | None
    n: int
    sentence: str | None


class Patterns(BaseModel):
    """How a student learns."""

    hour: Pattern = Field(description="At which hour the three begin in which most is done.")
    weekday: Pattern = Field(description="The busiest weekday, from 0 for Monday.")
    days_per_week: Pattern
    gap: Pattern = Field(description="The usual days from one day of learning to the next.")
    content_minutes: Pattern
    exam_minutes: Pattern
    watched_before: Pattern = Field(description="Percent of exams before which a video of the course was watched.")
    attempts: Pattern = Field(description="The mean number of attempts until a pass.")
    pace: Pattern = Field(description="Points of percent above the others of the course.")


class Recommended(BaseModel):
    """What should happen, and the events that say so."""

    advice: Advice
    sentence: str
    event_ids: list[int]


class LearningPatterns(Said):
    """How far a student is, how they learn, and what should happen next."""

    student_id: int
    current_courses: list[Course]
    learning_patterns: Patterns
    recommendations: list[Recommended]
