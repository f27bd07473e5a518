"""The academic profile and performance as JSON, with the keys of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.reports.academics.facts import DIFFICULTY, SUBJECT, Batch, CourseProgress, Evidence
from lms_bot.core.reports.academics.metrics import Metric
from lms_bot.core.reports.academics.profile import AcademicProfile, Beside, Change, ExamTaken, Performance
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.reports.patterns import Progress

Document = dict[str, Any]
"""What can be written as JSON."""


def profile_document(profile: AcademicProfile) -> Document:
    """Return a profile as JSON."""
    metrics = {field.name: getattr(profile.academic_metrics, field.name) for field in fields(profile.academic_metrics)}
    return {
        "student_info": _student(profile.student, profile.batches),
        "academic_metrics": {name: metric.value for name, metric in metrics.items()},
        "evidence": {name: _evidence_of(metric) for name, metric in metrics.items()},
        "lms_counts": [_beside(one) for one in profile.lms_counts],
        "changes": [_change(one) for one in profile.changes],
        "current_courses": [_course(one) for one in profile.current_courses],
        "recent_performance": {
            "strong_subjects": _parts(SUBJECT, profile.strong_subjects),
            "struggling_subjects": _parts(SUBJECT, profile.struggling_subjects),
            "recent_activity": [_event(one) for one in profile.recent_activity],
        },
        **_age(profile.as_of, profile.lms_read_at),
    }


def performance_document(performance: Performance, progress: Progress) -> Document:
    """Return the performance of a student, how they learn and what should happen next as JSON."""
    figures = {"percentile_rank": performance.percentile_rank, "minutes_on_content": performance.time_on_content}
    return {
        "student_info": _student(performance.student),
        "exam_history": {
            "total": performance.exams,
            "items": [_exam(one) for one in performance.exam_history],
        },
        "subject_performance": _parts(SUBJECT, performance.subject_performance),
        "difficulty_performance": _parts(DIFFICULTY, performance.difficulty_performance),
        **{name: metric.value for name, metric in figures.items()},
        "evidence": {name: _evidence_of(metric) for name, metric in figures.items()},
        "learning_patterns": progress.patterns.as_json(),
        "recommendations": [one.as_json() for one in progress.recommendations],
        **_age(performance.as_of, performance.lms_read_at),
    }


def _student(student: Student, batches: Iterable[Batch] | None = None) -> Document:
    known: Document = {
        "student_id": student.student_id,
        "username": student.username,
        "name": student.name,
        "is_active": student.is_active,
    }
    if batches is not None:
        known["batches"] = [one._asdict() for one in batches]
    return known


def _evidence_of(metric: Metric) -> Document:
    return _evidence(Evidence(metric.n, metric.period, metric.event_ids)) | {"reason": metric.reason}


def _evidence(found: Evidence) -> Document:
    period = None if found.period is None else [_moment(at) for at in found.period]
    return {"n": found.n, "period": period, "event_ids": list(found.event_ids)}


def _beside(one: Beside) -> Document:
    known = {"name": one.name, "ours": one.ours, "lms": one.theirs, "difference": one.difference}
    return {**known, "day": one.day.isoformat()}


def _course(one: CourseProgress) -> Document:
    """Return a course; a profile compares it with nobody."""
    return {name: value for name, value in one.as_json().items() if name not in ("median", "takers")}


def _change(one: Change) -> Document:
    return {field.name: getattr(one, field.name) for field in fields(one)} | {"since": one.since.isoformat()}


def _parts(dimension: str, parts: Iterable[PartPerformance]) -> list[Document]:
    return [
        {
            dimension: part.label,
            "percentage": part.percentage,
            "correct": part.correct,
            "incorrect": part.incorrect,
            "unanswered": part.unanswered,
            "total": part.total,
            "trend": part.trend,
            **_evidence(part.evidence),
        }
        for part in parts
    ]


def _exam(exam: ExamTaken) -> Document:
    return _event(exam.event) | {"percentile": exam.percentile, "took": exam.took}


def _event(event: Event) -> Document:
    return {
        "event_id": event.event_id,
        "event_type": event.event_type.value,
        "activity_id": event.activity_id,
        "activity_title": event.activity_title,
        "activity_metadata": event.metadata,
        "timestamp": _moment(event.timestamp),
        "url": event.url,
    }


def _age(as_of: datetime, read_at: datetime | None) -> Document:
    return {"as_of": _moment(as_of), "lms_read_at": _moment(read_at)}


def _moment(at: datetime | None) -> str | None:
    return None if at is None or at == UNKNOWN_TIME else at.isoformat()
