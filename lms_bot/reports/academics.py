"""How a student does in their studies: the profile, the performance, and the subjects alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics import metrics, subjects
from lms_bot.core.reports.academics.facts import Facts, Standing
from lms_bot.core.reports.academics.profile import (
    RECENT_EVENTS,
    AcademicProfile,
    ExamTaken,
    Performance,
    beside_ours,
)
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.reports.feed import Page
from lms_bot.lms.pages import with_pages
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.reports import academics, courses, feed, students
from lms_bot.store.session import Transaction

HISTORY = Page(50)


def profile(
    transaction: Transaction, principal: Principal, student_id: int, settings: Settings, now: datetime
) -> AcademicProfile:
    """Return how a student stands; days are cut by the settings' zone unless the student has their own.

    Raises NotFound.
    """
    student = access.student(transaction, principal, student_id)
    batches = academics.batches_of(transaction, student_id)
    group, read_at = academics.group_of(transaction, batches), state.noted_at(transaction, state.POLLED)
    facts = Facts(
        exams=academics.exams(transaction, student_id),
        group=group,
        standings=academics.standings(transaction, student_id, group),
        videos=academics.videos(transaction, student_id),
        streaks=academics.learning_streaks(transaction, student_id, settings.timezone, now),
        read_at=read_at,
    )
    figures = metrics.academic_metrics(facts)
    by_subject = subjects.subjects(academics.results(transaction, student_id))
    recent = feed.feed(transaction, [student_id], RECENT_EVENTS)
    return AcademicProfile(
        student=student,
        batches=batches,
        academic_metrics=figures,
        current_courses=courses.courses_of(transaction, student_id),
        strong_subjects=subjects.strong(by_subject),
        struggling_subjects=subjects.struggling(by_subject),
        recent_activity=tuple(_shown(recent, student, settings)),
        lms_counts=beside_ours(academics.counts_of_the_lms(transaction, student_id), figures),
        as_of=now,
        lms_read_at=read_at,
    )


def performance(
    transaction: Transaction,
    principal: Principal,
    student_id: int,
    settings: Settings,
    now: datetime,
    page: Page = HISTORY,
) -> Performance:
    """Return what a student's exams came to, with a page of them, newest first. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    group = academics.group_of(transaction, academics.batches_of(transaction, student_id))
    exams, standings = academics.exams(transaction, student_id), academics.standings(transaction, student_id, group)
    results = academics.results(transaction, student_id)
    shown = exams[page.offset : page.offset + page.most]
    end = page.offset + len(shown)
    found = students.by_id(transaction, [exam.event_id for exam in shown])
    history = _shown([found[exam.event_id] for exam in shown], student, settings)
    return Performance(
        student=student,
        exams=len(exams),
        exam_history=_compared(history, standings),
        next=end if end < len(exams) else None,
        subject_performance=subjects.subjects(results),
        difficulty_performance=subjects.difficulties(results),
        percentile_rank=metrics.percentile_rank(exams, standings, group),
        time_on_content=metrics.time_on_content(academics.sittings(transaction, student_id)),
        as_of=now,
        lms_read_at=state.noted_at(transaction, state.POLLED),
    )


def subject_performance(
    transaction: Transaction, principal: Principal, student_id: int, since: datetime | None = None
) -> tuple[PartPerformance, ...]:
    """Return a student's subjects, the weakest first, from what was finished from `since` on. Raises NotFound."""
    access.student(transaction, principal, student_id)
    return subjects.subjects(academics.results(transaction, student_id, since))


def _shown(found: Iterable[Event], student: Student, settings: Settings) -> list[Event]:
    """Return a student's events with the name by which the principal knows the student, and with their pages."""
    named = (event._replace(student_name=student.display_name, shares_name=student.shares_name) for event in found)
    return with_pages(named, settings)


def _compared(history: list[Event], standings: tuple[Standing, ...]) -> tuple[ExamTaken, ...]:
    by_exam = {(one.source_table, one.activity_id): one for one in standings}
    return tuple(
        ExamTaken(event, metrics.percentile(standing), standing.took)
        if event.activity_id is not None and (standing := by_exam.get((event.source_table, event.activity_id)))
        else ExamTaken(event, None, None)
        for event in history
    )
