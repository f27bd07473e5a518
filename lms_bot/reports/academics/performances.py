"""What a student's exams came to, and their subjects."""

from __future__ import annotations

from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics import metrics, subjects
from lms_bot.core.reports.academics.facts import Standing
from lms_bot.core.reports.academics.profile import ExamTaken, Performance
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.reports.feed import Newest
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.reports import academics, students
from lms_bot.store.session import Transaction

HISTORY = Newest(50)


def performance(
    transaction: Transaction,
    principal: Principal,
    student_id: int,
    settings: Settings,
    now: datetime,
    page: Newest = HISTORY,
) -> Performance:
    """Return what a student's exams came to, with a page of them, newest first. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    group = academics.group_of(transaction, academics.batches_of(transaction, student_id))
    exams, standings = academics.exams(transaction, student_id), academics.standings(transaction, student_id, group)
    results = academics.results(transaction, student_id)
    left = [exam for exam in exams if page.before is None or (exam.at, exam.event_id) < page.before]
    shown = left[: page.most]
    found = students.by_id(transaction, [exam.event_id for exam in shown])
    history = access.events_of(student, [found[exam.event_id] for exam in shown], settings)
    return Performance(
        student=student,
        exams=len(exams),
        exam_history=_compared(history, standings),
        next=(shown[-1].at, shown[-1].event_id) if len(left) > page.most else None,
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


def _compared(history: list[Event], standings: tuple[Standing, ...]) -> tuple[ExamTaken, ...]:
    by_exam = {(one.source_table, one.activity_id): one for one in standings}
    return tuple(
        ExamTaken(event, metrics.percentile(standing), standing.took)
        if event.activity_id is not None and (standing := by_exam.get((event.source_table, event.activity_id)))
        else ExamTaken(event, None, None)
        for event in history
    )
