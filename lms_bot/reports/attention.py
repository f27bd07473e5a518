"""Which students need attention first, what changed for them since yesterday, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.config.settings import Settings
from lms_bot.core.alert_rules import Facts, true_verdicts, verdicts
from lms_bot.core.alerts import DEFAULTS, Limits, Rule
from lms_bot.core.attention import score
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.attention import Attention, by_attention
from lms_bot.core.reports.mentor_overview import CHANGED_WITHIN, Changes, MentorOverview, came_back
from lms_bot.core.reports.students import all_concerns
from lms_bot.pipeline.alerts import limits_of
from lms_bot.reports import access, alerts
from lms_bot.store.alerts import facts, watchlist
from lms_bot.store.reports import attention as scored
from lms_bot.store.reports import students
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def attention(transaction: Transaction, principal: Principal, zone: ZoneInfo, now: datetime) -> Attention:
    """Return how the students whom a principal may see do, who needs attention first.

    Days are cut by `zone` where a student has none of their own.
    """
    own = access.students(transaction, principal)
    known = facts.facts_of(transaction, [student.student_id for student in own], zone, now)
    return _attention(transaction, principal, own, known, zone, now)


def mentor_overview(
    transaction: Transaction, principal: Principal, settings: Settings, now: datetime
) -> MentorOverview:
    """Return a mentor's students by attention, what changed since this time yesterday, and the open alerts.

    Raises NotFound.
    """
    access.require_mentor(principal)
    mentor = principal.acting_as(Role.MENTOR)
    own, zone, since = access.students(transaction, mentor), settings.timezone, now - CHANGED_WITHIN
    ids = [student.student_id for student in own]
    known = facts.facts_of(transaction, ids, zone, now)
    due = tuple(alerts.open_alerts(transaction, mentor))
    exams = access.as_shown(transaction, mentor, scored.exams_since(transaction, ids, since), settings)
    gaps = {one.student_id: one.usual_gap for one in known}
    returned = came_back(own, scored.presence(transaction, ids, since), gaps)
    concerns = tuple(entry for entry in due if entry.alert.opened_at >= since)
    return MentorOverview(
        as_of=now,
        attention=_attention(transaction, mentor, own, known, zone, now),
        changes=Changes(since, concerns, tuple(exams), returned),
        due=due,
    )


def rules_true_of(
    transaction: Transaction, mentor_ids: Sequence[int], known: Iterable[Facts], now: datetime
) -> dict[int, set[Rule]]:
    """Return which alert rules are true of students now, by student id and the limits of these mentors."""
    state = watchlist.rules_state(transaction)
    limits: list[Limits] = [DEFAULTS]
    if state is not None and mentor_ids:
        limits = [limits_of(transaction, mentor_id, state) for mentor_id in mentor_ids]
    return {one.student_id: _rules(one, limits, now) for one in known}


def _attention(
    transaction: Transaction,
    principal: Principal,
    own: Sequence[Student],
    known: Sequence[Facts],
    zone: ZoneInfo,
    now: datetime,
) -> Attention:
    said = rules_true_of(transaction, principal.mentor_ids, known, now)
    found = scored.attention_facts(transaction, known, now)
    scores = {student_id: score(one, now) for student_id, one in found.items()}
    summaries = (
        replace(one, concerns=all_concerns(one.student, one.concerns, said.get(one.student.student_id, ())))
        for one in students.summaries(transaction, own)
    )
    streaks = overview.learning_streaks(transaction, own, zone, now)
    return Attention(tuple(by_attention(summaries, scores)), streaks, scores)


def _rules(one: Facts, limits: Sequence[Limits], now: datetime) -> set[Rule]:
    true = {rule for of_mentor in limits for rule, _ in true_verdicts(verdicts(one, of_mentor), now)}
    if one.is_active and one.first_at is None and one.enrolled_at is None:
        true.add(Rule.INACTIVE)  # nobody knows since when, so that no alert can say so
    return true
