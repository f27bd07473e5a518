"""How far a student is, how they learn, and what should happen next."""

from __future__ import annotations

from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.alert_rules import Facts
from lms_bot.core.principal import Principal
from lms_bot.core.recommendations import recommendations
from lms_bot.core.reports.patterns import Progress, patterns
from lms_bot.reports import access
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.people.zones import zones_of
from lms_bot.store.reports import courses
from lms_bot.store.reports import patterns as studies
from lms_bot.store.session import Transaction


def progress(
    transaction: Transaction, principal: Principal, student_id: int, settings: Settings, now: datetime
) -> Progress:
    """Return a student's progress in courses, learning patterns and recommendations.

    Hours and days are cut by the settings' zone unless the student has their own. Raises NotFound.
    """
    student = access.student(transaction, principal, student_id)
    zone = zones_of(transaction, [student_id]).get(student_id, settings.timezone)
    (known,) = facts_of(transaction, [student_id], zone, now) or [Facts(student_id, student.is_active)]
    touched, taken = courses.touched(transaction, student_id), courses.progress(transaction, student_id)
    seen, tried = studies.lately(transaction, student_id, now), studies.attempts(transaction, student_id, touched)
    observed = studies.observations(transaction, student_id, seen, tried, touched, now)
    facts = studies.recommendation_facts(transaction, known, seen, tried, touched, zone)
    return Progress(student, tuple(taken), patterns(observed, taken, zone, now), tuple(recommendations(facts, now)))
