"""One student: the profile, the scores, and who else sees them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.people import Mentor
from lms_bot.core.principal import Principal
from lms_bot.core.reports.students import Profile, all_concerns
from lms_bot.lms.pages import with_pages
from lms_bot.reports import access
from lms_bot.reports.attention import rules_true_of
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.people import directory
from lms_bot.store.reports import students
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def profile(
    transaction: Transaction, principal: Principal, student_id: int, settings: Settings, now: datetime
) -> Profile:
    """Return the card of a student, and their streaks with days cut by the settings' zone unless they have their own.

    Raises NotFound.
    """
    student, zone = access.student(transaction, principal, student_id), settings.timezone
    card = students.card(transaction, student)
    known = facts_of(transaction, [student_id], zone, now)
    said = rules_true_of(transaction, principal.mentor_ids, known, now)
    concerns = all_concerns(student, card.concerns, said.get(student_id, ()))
    card = replace(card, concerns=concerns, last_exams=tuple(with_pages(card.last_exams, settings)))
    (streaks,) = overview.streaks_of(transaction, [student], zone, now)
    return Profile(card, streaks)


def scores(
    transaction: Transaction,
    principal: Principal,
    student_id: int,
    since: datetime | None,
    most: int,
    settings: Settings,
) -> list[Event]:
    """Return a student's last finished exams (at most `most`) that have a percentage, oldest first. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    return with_pages(students.scores(transaction, student.student_id, since, most), settings)


def mentors(transaction: Transaction, principal: Principal, student_id: int) -> list[Mentor]:
    """Return the mentors of a student, by username. Raises NotFound."""
    student = access.student(transaction, principal, student_id)
    return directory.mentors_of(transaction, student.student_id)
