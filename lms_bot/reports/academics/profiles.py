"""How a student stands in their studies."""

from __future__ import annotations

from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.academics.snapshots import WEEK
from lms_bot.core.calendar import local_day
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics import metrics, subjects
from lms_bot.core.reports.academics.facts import Facts
from lms_bot.core.reports.academics.profile import (
    RECENT_EVENTS,
    WEEKS_AGO,
    AcademicProfile,
    beside_ours,
    change_since,
)
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.academics import snapshots
from lms_bot.store.reports import academics, courses, feed
from lms_bot.store.session import Transaction


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
    today = local_day(now, settings.timezone)
    past = ((weeks, snapshots.before(transaction, student_id, today - WEEK * weeks)) for weeks in WEEKS_AGO)
    by_subject = subjects.subjects(academics.results(transaction, student_id))
    recent = feed.feed(transaction, [student_id], RECENT_EVENTS)
    return AcademicProfile(
        student=student,
        batches=batches,
        academic_metrics=figures,
        current_courses=courses.courses_of(transaction, student_id),
        strong_subjects=subjects.strong(by_subject),
        struggling_subjects=subjects.struggling(by_subject),
        recent_activity=tuple(access.events_of(student, recent, settings)),
        lms_counts=beside_ours(academics.counts_of_the_lms(transaction, student_id), figures),
        changes=tuple(change_since(then, weeks, figures) for weeks, then in past if then is not None),
        as_of=now,
        lms_read_at=read_at,
    )
