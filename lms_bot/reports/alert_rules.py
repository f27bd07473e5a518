"""By which rules students are watched."""

from __future__ import annotations

from lms_bot.core.alerts import DEFAULTS, Rule, RuleSetting
from lms_bot.core.principal import Principal
from lms_bot.pipeline.alerts import limits_of
from lms_bot.reports import access
from lms_bot.store.alerts import watchlist
from lms_bot.store.notifications import preferences
from lms_bot.store.session import Transaction


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
