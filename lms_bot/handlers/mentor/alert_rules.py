"""The commands that show and change by which rules students are watched."""

from __future__ import annotations

import re
from dataclasses import replace

from lms_bot.core.alerts import DEFAULTS, RULE_DEFINITIONS, Rule, Unit
from lms_bot.core.notifications import Preferences
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import choice, words
from lms_bot.handlers.arguments import Argument, Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.handlers.spelling import did_you_mean
from lms_bot.pipeline.alerts import judge_students, limits_of
from lms_bot.pipeline.freshness import BLIND
from lms_bot.render import counted, quote
from lms_bot.render.alerts import limit_words, meaning
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.alerts.watchlist import RulesState
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people

ON, OFF, DEFAULT = "on", "off", "default"
BLIND_MEANING = "while there is no fresh data of the LMS, nothing is said of who is absent"
_LIMIT = re.compile(r"(?P<number>[0-9]+(?:[.,][0-9]+)?)\s*(?P<unit>[^\W\d_]+|%|)")
_UNITS: dict[str, tuple[Unit, float]] = {
    **dict.fromkeys(("d", "day", "days"), (Unit.DAYS, 1)),
    **dict.fromkeys(("w", "week", "weeks"), (Unit.DAYS, 7)),
    **dict.fromkeys(("h", "hour", "hours"), (Unit.HOURS, 1)),
    **dict.fromkeys(("p", "point", "points"), (Unit.POINTS, 1)),
    **dict.fromkeys(("%", "percent"), (Unit.PERCENT, 1)),
}


def _rule(request: Request, text: str) -> str:
    name = re.sub(r"[\s-]+", "_", text.casefold().strip("`"))
    known = [str(rule) for rule in (*Rule, BLIND) if rule == name or rule.startswith(f"{name}_")]
    if len(known) == 1:
        return known[0]
    raise UserError(f"I have no rule “{quote(text, 40)}”.{did_you_mean(name, [*Rule])} `rules` shows them all.")


NAME = Argument("name", "<name>", "The name of a rule, as `rules` shows it.", _rule, is_rest=True, is_required=True)
LIMIT = words("limit", "From when on it counts, as `7d`, `3h`, `25 points` or `50%`; `off`, or `default` again.")
SWITCH = replace(choice("switch", [ON, OFF], "Whether it is looked at."), is_required=True)


@REGISTRY.command("rules", Role.MENTOR)
def rules(request: Request, arguments: Arguments) -> str:
    """Show by which rules I tell you who needs you."""
    state = watchlist.rules_state(request.transaction)
    parts = []
    for mentor in request.mentors:
        asked = preferences.chosen(request.transaction, mentor.mentor_id).rules
        limits = limits_of(request.transaction, mentor.mentor_id, state) if state else DEFAULTS
        off = state.off if state else frozenset()
        parts.append("\n".join(_mentor_line(rule, limits[rule], rule in asked, rule in off) for rule in Rule))
    most = counted(request.settings.alerts_per_day, "alert")
    end = f"You are sent at most {most} a day. Change a rule with `rule inactive 7d` or `rule stuck off`."
    return "\n\n".join(["📏 **What I look at**", *parts, end])


@REGISTRY.command("rule", Role.MENTOR, NAME, LIMIT)
def rule_(request: Request, arguments: Arguments) -> str:
    """Change from when on a rule counts for you, or turn it off.

    What is so already by the new limit stands in `open`, and is not sent.
    """
    name, text = arguments["name"], arguments["limit"]
    if name == BLIND:
        raise UserError("That rule is the admins'.")
    rule, state = Rule(name), watchlist.rules_state(request.transaction)
    if state is not None and rule in state.off:
        raise UserError(f"The admins have turned `{rule}` off for everybody.")
    limit = _limit(rule, text.casefold().removeprefix(rule.partition("_")[2]))
    for mentor in request.mentors:
        wishes = _changed(preferences.chosen(request.transaction, mentor.mentor_id), rule, limit, request)
        preferences.save(request.transaction, mentor.mentor_id, wishes, request.now)
    if limit == 0:
        alerts.close_rule(request.transaction, rule, request.now, request.mentor_ids)
        return f"🔕 `{rule}` is off for you. Back: `rule {rule} default`."
    if state is not None:
        students = people.students_of(request.transaction, request.mentor_ids)
        judge_students(request.transaction, [one.student_id for one in students], request.settings, request.now)
    found = alerts.open_for_mentors(request.transaction, request.mentor_ids)
    count = sum(alert.rule is rule for alert in found)
    return f"📏 `{rule}` from now on: {_words(rule, limit)}. So it is for {counted(count, 'alert')} in `open` now."


@REGISTRY.command("rules", Role.ADMIN)
def all_rules(request: Request, arguments: Arguments) -> str:
    """Show by which rules mentors are told who needs them, and which are off for everybody."""
    state = watchlist.rules_state(request.transaction)
    off = state.off if state else frozenset()
    lines = [f"* `{rule}`{_off(rule in off)}: {meaning(rule, RULE_DEFINITIONS[rule].limit)}" for rule in Rule]
    lines.append(f"* `{BLIND}`{_off(BLIND in off)}: {BLIND_MEANING}")
    return "\n".join(["📏 **Rules**, with the limits where a mentor has set no other", "", *lines])


@REGISTRY.command("rule", Role.ADMIN, NAME, SWITCH, changes=True)
def switch(request: Request, arguments: Arguments) -> str:
    """Turn a rule on or off for everybody.

    Turning it off closes its alerts. What is so already when it is turned on stands in `open`, and is not sent.
    """
    name, is_on = arguments["name"], arguments["switch"] == ON
    state = watchlist.lock_rules_state(request.transaction, request.now)
    if is_on != (name in state.off):
        raise UserError(f"`{name}` is {ON if is_on else OFF} already.")
    off = state.off - {name} if is_on else state.off | {name}
    on_since = {**state.on_since, name: request.now} if is_on else state.on_since
    watchlist.save_rules_state(request.transaction, RulesState(state.since, off, on_since), request.now)
    if name == BLIND:
        told = BLIND_MEANING if is_on else "who is absent is told all the same"
        return f"{_sign(is_on)} `{name}` is {ON if is_on else OFF}: {told}."
    if is_on:
        watchlist.mark_due(request.transaction, None, request.now)
        return f"{_sign(is_on)} `{name}` is on. What is so already stands in `open` of the mentors after the next poll."
    alerts.close_rule(request.transaction, Rule(name), request.now)
    return f"{_sign(is_on)} `{name}` is off for everybody; its alerts are closed."


def _limit(rule: Rule, text: str) -> float | None:
    """The number that was typed, in the rule's unit; 0 for off, None for the default. Raises UserError."""
    terms, word = RULE_DEFINITIONS[rule], text.casefold().strip()
    if word in (OFF, ON, DEFAULT):
        return 0 if word == OFF else None
    match = _LIMIT.fullmatch(word)
    unit, factor = _UNITS.get(match["unit"], (None, 0.0)) if match and match["unit"] else (terms.unit, 1.0)
    limit = float(match["number"].replace(",", ".")) * factor if match and len(match["number"]) < 9 else 0
    if unit is not terms.unit or not terms.low <= limit <= terms.high:
        bounds = f"{terms.low:g} to {limit_words(rule, terms.high)}"
        raise UserError(f"“{quote(text, 40)}” is no limit for `{rule}`: write {bounds}, `off` or `default`.")
    return limit


def _changed(wishes: Preferences, rule: Rule, limit: float | None, request: Request) -> Preferences:
    value = RULE_DEFINITIONS[rule].limit if limit is None else limit
    return replace(wishes, rules={**wishes.rules, rule.value: (value, request.now)})


def _mentor_line(rule: Rule, limit: float, is_own: bool, is_off: bool) -> str:
    if is_off:
        return f"* `{rule}`: off for everybody, by the admins"
    if limit == 0:
        return f"* `{rule}`: **off**; `rule {rule} default` turns it on"
    own = " (yours)" if is_own and limit != RULE_DEFINITIONS[rule].limit else ""
    return f"* `{rule}`{own}: {meaning(rule, limit)}"


def _words(rule: Rule, limit: float | None) -> str:
    return meaning(rule, RULE_DEFINITIONS[rule].limit if limit is None else limit)


def _off(is_off: bool) -> str:
    return " (**off**)" if is_off else ""


def _sign(is_on: bool) -> str:
    return "🔔" if is_on else "🔕"
