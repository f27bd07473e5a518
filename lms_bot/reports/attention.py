"""Which students need attention first, by the same rules as alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.core.alert_rules import Facts, true_verdicts, verdicts
from lms_bot.core.alerts import DEFAULTS, Limits, Rule
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.reports.students import Attention, all_concerns, by_attention
from lms_bot.pipeline.alerts import limits_of
from lms_bot.reports import access
from lms_bot.store.alerts import facts, watchlist
from lms_bot.store.reports import students
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import overview


def attention(transaction: Transaction, principal: Principal, zone: ZoneInfo, now: datetime) -> Attention:
    """Return how the students whom a principal may see do, who needs attention first.

    Days are cut by `zone` where a student has none of their own.
    """
    own = access.students(transaction, principal)
    said = rules_true_of(transaction, principal.mentor_ids, own, zone, now)
    summaries = by_attention(
        replace(one, concerns=all_concerns(one.student, one.concerns, said.get(one.student.student_id, ())))
        for one in students.summaries(transaction, own)
    )
    return Attention(tuple(summaries), overview.learning_streaks(transaction, own, zone, now))


def rules_true_of(
    transaction: Transaction, mentor_ids: Sequence[int], about: Sequence[Student], zone: ZoneInfo, now: datetime
) -> dict[int, set[Rule]]:
    """Return which alert rules are true of students now, by student id and the limits of these mentors."""
    state = watchlist.rules_state(transaction)
    limits: list[Limits] = [DEFAULTS]
    if state is not None and mentor_ids:
        limits = [limits_of(transaction, mentor_id, state) for mentor_id in mentor_ids]
    found = facts.facts_of(transaction, [student.student_id for student in about], zone, now)
    return {one.student_id: _rules(one, limits, now) for one in found}


def _rules(one: Facts, limits: Sequence[Limits], now: datetime) -> set[Rule]:
    true = {rule for of_mentor in limits for rule, _ in true_verdicts(verdicts(one, of_mentor), now)}
    if one.is_active and one.first_at is None and one.enrolled_at is None:
        true.add(Rule.INACTIVE)  # nobody knows since when, so that no alert can say so
    return true
