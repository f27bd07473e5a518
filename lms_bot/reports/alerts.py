"""Alerts about students, as the mentors to whom they are addressed see them, and the rules that open them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.alert_rules import verdicts
from lms_bot.core.alerts import (
    BY_SERIOUSNESS,
    DEFAULTS,
    RULE_DEFINITIONS,
    AlertEntry,
    Limits,
    Outcome,
    Rule,
    RuleSetting,
    RuleState,
    RuleStatus,
    StudentAlert,
    StudentRules,
    Verdict,
)
from lms_bot.core.principal import Principal
from lms_bot.errors import NotFound
from lms_bot.pipeline.alerts import limits_of
from lms_bot.pipeline.freshness import has_fresh_data
from lms_bot.reports import access
from lms_bot.store.alerts import alerts, facts, watchlist
from lms_bot.store.notifications import preferences
from lms_bot.store.people import display_names, people
from lms_bot.store.session import Transaction


def open_alerts(transaction: Transaction, principal: Principal) -> list[AlertEntry]:
    """Return what is open to a mentor, the most serious and then the longest true first. Raises NotFound."""
    access.require_mentor(principal)
    theirs = people.students_by_mentor(transaction, principal.mentor_ids)
    found = alerts.open_for_mentors(transaction, principal.mentor_ids)
    seen = [one for one in found if one.student_id == 0 or one.student_id in theirs.get(one.mentor_id, ())]
    seen.sort(key=lambda one: (-one.level, BY_SERIOUSNESS.index(one.rule), one.since, one.alert_id))
    return _entries(transaction, principal, seen)


def alert(transaction: Transaction, principal: Principal, name: str) -> AlertEntry:
    """Return the alert that a mentor knows by this name.

    Raises NotFound, for an alert to somebody else as for one that does not exist.
    """
    access.require_mentor(principal)
    found = alerts.find_by_name(transaction, name, principal.mentor_ids)
    if found is None:
        raise NotFound
    return _entries(transaction, principal, [found])[0]


def student_rules(
    transaction: Transaction, principal: Principal, student_id: int, settings: Settings, now: datetime
) -> list[StudentRules]:
    """Return what each rule says of a student, for each of the student's mentors who the principal is.

    That is nothing as long as the rules have not looked at the student. Raises NotFound.
    """
    access.require_mentor(principal)
    student = access.student(transaction, principal, student_id)
    found = facts.facts_of(transaction, [student.student_id], settings.timezone, now)
    state = watchlist.rules_state(transaction)
    if state is None or not found:
        return []
    around = alerts.recent_about_students(transaction, [student.student_id], now)
    blind = not has_fresh_data(transaction, settings, now)
    seen = []
    for mentor_id in people.mentors_by_student(transaction, [student.student_id]).get(student.student_id, ()):
        if mentor_id not in principal.mentor_ids:
            continue
        limits = limits_of(transaction, mentor_id, state)
        own = [alert for alert in around if alert.mentor_id == mentor_id]
        said = verdicts(found[0], limits)
        rules = [rule for rule in Rule if rule is not Rule.MANY_FAIL]
        statuses = tuple(_status(rule, limits, said, own, now) for rule in rules)
        if blind:
            statuses = tuple(map(_unless_blind, statuses))
        seen.append(StudentRules(found[0].is_active, statuses))
    return seen


def rules(transaction: Transaction, principal: Principal) -> list[list[RuleSetting]]:
    """Return by which limit each rule goes, for each of the mentors who the principal is. Raises NotFound."""
    access.require_mentor(principal)
    state = watchlist.rules_state(transaction)
    found = []
    for mentor_id in principal.mentor_ids:
        own = preferences.chosen(transaction, mentor_id).rules
        limits = limits_of(transaction, mentor_id, state) if state else DEFAULTS
        off = state.off if state else frozenset()
        found.append([RuleSetting(rule, limits[rule], rule in own, rule in off) for rule in Rule])
    return found


def switched_off(transaction: Transaction, principal: Principal) -> frozenset[str]:
    """Return the names of the rules that are off for everybody. Raises NotFound for a stranger."""
    access.require_known(principal)
    state = watchlist.rules_state(transaction)
    return state.off if state else frozenset()


def _entries(transaction: Transaction, principal: Principal, found: Sequence[StudentAlert]) -> list[AlertEntry]:
    """Add the names and limits that belong to alerts of the principal's."""
    about = display_names.students_named(transaction, {alert.student_id for alert in found}, principal.mentor_ids)
    takers = display_names.mentor_names(transaction, {alert.taken_by for alert in found if alert.taken_by})
    state = watchlist.rules_state(transaction)
    limits = {
        mentor_id: limits_of(transaction, mentor_id, state) if state else dict.fromkeys(Rule, 0.0)
        for mentor_id in {alert.mentor_id for alert in found}
    }
    return [
        AlertEntry(
            alert,
            about.get(alert.student_id),
            takers.get(alert.taken_by or 0),
            alert.taken_by in principal.mentor_ids,
            limits[alert.mentor_id][alert.rule],
        )
        for alert in found
    ]


def _status(
    rule: Rule, limits: Limits, verdicts: Sequence[Verdict], alerts: Sequence[StudentAlert], now: datetime
) -> RuleStatus:
    """Say why there is an alert by one rule, or why there is none."""
    limit, said = limits[rule], [one for one in verdicts if one.rule is rule]
    if limit == 0:
        return RuleStatus(rule, limit, RuleState.OFF)
    if opened := tuple(alert for alert in alerts if alert.rule is rule and alert.is_open):
        return RuleStatus(rule, limit, RuleState.OPEN, opened)
    done = tuple(alert for alert in alerts if alert.rule is rule and alert.outcome is Outcome.DONE)
    if true := [one for one in said if one.holds(now)]:
        if done:
            return RuleStatus(rule, limit, RuleState.DONE, done[-1:])
        return RuleStatus(rule, limit, RuleState.NEXT, (), true[-1])
    if coming := [(one.at, place) for place, one in enumerate(said) if one.at is not None and one.at > now]:
        return RuleStatus(rule, limit, RuleState.LATER, (), said[min(coming)[1]])
    if said:
        return RuleStatus(rule, limit, RuleState.BELOW, (), said[0])
    return RuleStatus(rule, limit, RuleState.NOTHING)


def _unless_blind(status: RuleStatus) -> RuleStatus:
    """Say that nothing is said of who is absent while there is no fresh data."""
    if status.state is RuleState.NEXT and RULE_DEFINITIONS[status.rule].absence:
        return status._replace(state=RuleState.BLIND)
    return status
