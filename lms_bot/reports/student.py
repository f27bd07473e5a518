"""One student: the card, the scores, and who else sees them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.people import Mentor
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics import subjects
from lms_bot.core.reports.students import FullCard, all_concerns
from lms_bot.lms.pages import with_pages
from lms_bot.reports import access
from lms_bot.reports.attention import rules_true_of
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.people import directory
from lms_bot.store.reports import academics, students
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def card(
    transaction: Transaction, principal: Principal, student_id: int, settings: Settings, now: datetime
) -> FullCard:
    """Return the card of a student with their streaks and subjects.

    Days are cut by the settings' zone unless the student has their own. Raises NotFound.
    """
    student, zone = access.student(transaction, principal, student_id), settings.timezone
    found = students.card(transaction, student)
    known = facts_of(transaction, [student_id], zone, now)
    said = rules_true_of(transaction, principal.mentor_ids, known, now)
    concerns = all_concerns(student, found.concerns, said.get(student_id, ()))
    found = replace(found, concerns=concerns, last_exams=tuple(with_pages(found.last_exams, settings)))
    (streaks,) = overview.streaks_of(transaction, [student], zone, now)
    results = academics.results(transaction, student_id)
    return FullCard(found, streaks, subjects.subjects(results))


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
