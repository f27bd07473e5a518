"""Changes the limits of alert rules for mentors, and turns rules on and off for everybody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.alerts import RULE_DEFINITIONS, Rule
from lms_bot.pipeline.alerts import judge_students
from lms_bot.pipeline.freshness import BLIND
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.alerts.watchlist import RulesState
from lms_bot.store.notifications import preferences
from lms_bot.store.session import Transaction


def set_limit(
    transaction: Transaction, mentor_ids: Collection[int], rule: Rule, limit: float | None, now: datetime
) -> None:
    """Set the limit of a rule for these mentors: None for the default; 0 turns it off and closes its alerts."""
    value = RULE_DEFINITIONS[rule].limit if limit is None else limit
    for mentor_id in mentor_ids:
        chosen = preferences.chosen(transaction, mentor_id)
        rules = {**chosen.rules, rule.value: (value, now)}
        preferences.save(transaction, mentor_id, replace(chosen, rules=rules), now)
    if limit == 0:
        alerts.close_rule(transaction, rule, now, mentor_ids)


def judge_again(transaction: Transaction, student_ids: Sequence[int], settings: Settings, now: datetime) -> None:
    """Judge these students by the limits of now, unless no student was ever judged."""
    if watchlist.rules_state(transaction) is not None:
        judge_students(transaction, student_ids, settings, now)


def switch(transaction: Transaction, name: str, is_on: bool, now: datetime) -> bool:
    """Turn a rule, or the check for fresh data, on or off for everybody; return whether that changed anything.

    Turning a rule off closes its alerts; what is so already when it is turned on sends no message.
    """
    state = watchlist.lock_rules_state(transaction, now)
    if is_on != (name in state.off):
        return False
    off = state.off - {name} if is_on else state.off | {name}
    on_since = {**state.on_since, name: now} if is_on else state.on_since
    watchlist.save_rules_state(transaction, RulesState(state.since, off, on_since), now)
    if name == BLIND:
        return True
    if is_on:
        watchlist.mark_due(transaction, None, now)
    else:
        alerts.close_rule(transaction, Rule(name), now)
    return True
