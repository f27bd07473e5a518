"""What tools answer about mentors, as their output schemas describe it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from lms_bot.core.alerts import Rule
from lms_bot.core.events import EventType
from lms_bot.web.api.academic_shapes import MentoredStudent
from lms_bot.web.shapes import Answer


class Alert(BaseModel):
    """An open alert, by the limits of one mentor; `facts` are the numbers on which the rule judged."""

    name: str
    rule: Rule
    level: int = Field(description="1 to 3, the most serious.")
    title: str | None = Field(description="The exam or content that it is about.")
    student_id: int | None = Field(description="Null where it is about an exam.")
    since: datetime
    opened_at: datetime
    taken_by: Literal["this mentor", "another mentor"] | None
    facts: dict[str, Any]


class OpenAlerts(Answer):
    """What is open to a mentor, the most serious and then the longest true first."""

    mentor_id: int
    alerts: list[Alert]
    total: int
    next: int | None = Field(description="What `after` takes for the next page; null on the last.")


class ExamResult(BaseModel):
    """An exam that was passed or failed."""

    event_id: int
    event_type: EventType
    student_id: int | None
    activity_title: str | None
    percentage: Any
    timestamp: datetime


class CameBack(BaseModel):
    """A student who did something again, after an absence of so many days."""

    student_id: int
    username: str
    name: str
    at: datetime
    absent_days: int


class Changes(BaseModel):
    """What happened since this time yesterday."""

    since: datetime
    new_concerns: list[Alert]
    exams: list[ExamResult]
    returned: list[CameBack]


class MentorOverview(Answer):
    """A mentor's students, who needs attention first, what changed since yesterday, and the open alerts."""

    mentor_id: int
    students: list[MentoredStudent]
    total: int
    next: int | None = Field(description="What `after` takes for the next page; null on the last.")
    changes: Changes
    due: list[Alert]
