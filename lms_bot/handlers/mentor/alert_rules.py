"""The commands of mentors that show and change by which rules their students are watched."""

from __future__ import annotations

import re

from lms_bot.core.alerts import RULE_DEFINITIONS, Rule, Unit
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import RULE, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_absence
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import alert_rules as actions
from lms_bot.pipeline.freshness import BLIND
from lms_bot.render import counted, quote
from lms_bot.render.alerts import limit_words, meaning, rule_setting_line
from lms_bot.reports import access, alerts

ON, OFF, DEFAULT = "on", "off", "default"
_LIMIT = re.compile(r"(?P<number>[0-9]+(?:[.,][0-9]+)?)\s*(?P<unit>[^\W\d_]+|%|)")
_UNITS: dict[str, tuple[Unit, float]] = {
    **dict.fromkeys(("d", "day", "days"), (Unit.DAYS, 1)),
    **dict.fromkeys(("w", "week", "weeks"), (Unit.DAYS, 7)),
    **dict.fromkeys(("h", "hour", "hours"), (Unit.HOURS, 1)),
    **dict.fromkeys(("p", "point", "points"), (Unit.POINTS, 1)),
    **dict.fromkeys(("%", "percent"), (Unit.PERCENT, 1)),
}
LIMIT = words("limit", "From when on it counts, as `7d`, `3h`, `25 points` or `50%`; `off`, or `default` again.")
COMMANDS = REGISTRY.section(Role.MENTOR, 5, "alerts")


@COMMANDS.command("rules")
def rules(request: Request, arguments: Arguments) -> str:
    """Show by which rules I tell you who needs you."""
    of_mentors = alerts.rules(request.transaction, request.principal)
    parts = ["\n".join(map(rule_setting_line, settings)) for settings in of_mentors]
    most = counted(request.settings.alerts_per_day, "alert")
    end = f"You are sent at most {most} a day. Change a rule with `rule inactive 7d` or `rule stuck off`."
    return "\n\n".join(["📏 **What I look at**", *parts, end])


@COMMANDS.command("rule", RULE, LIMIT)
def rule_(request: Request, arguments: Arguments) -> str:
    """Change from when on a rule counts for you, or turn it off.

    What is so already by the new limit stands in `open`, and is not sent.
    """
    if arguments["name"] == BLIND:
        raise UserError("That rule is the admins'.")
    rule = Rule(arguments["name"])
    if rule in alerts.switched_off(request.transaction, request.principal):
        raise UserError(f"The admins have turned `{rule}` off for everybody.")
    limit = limit_of(rule, arguments["limit"].casefold().removeprefix(rule.partition("_")[2]))
    actions.set_limit(request.transaction, request.principal.mentor_ids, rule, limit, request.now)
    if limit == 0:
        return f"🔕 `{rule}` is off for you. Back: `rule {rule} default`."
    students = [student.student_id for student in access.students(request.transaction, request.principal)]
    actions.judge_again(request.transaction, students, request.settings, request.now)
    found = alerts.open_alerts(request.transaction, request.principal)
    so = counted(sum(entry.alert.rule is rule for entry in found), "alert")
    words = meaning(rule, RULE_DEFINITIONS[rule].limit if limit is None else limit)
    return f"📏 `{rule}` from now on: {words}. So it is for {so} in `open` now." + note_of_absence(request)


def limit_of(rule: Rule, text: str) -> float | None:
    """Return the number that was typed, in the rule's unit; 0 for off, None for the default. Raises UserError."""
    definition, word = RULE_DEFINITIONS[rule], text.casefold().strip()
    if word in (OFF, ON, DEFAULT):
        return 0 if word == OFF else None
    match = _LIMIT.fullmatch(word)
    unit, factor = _UNITS.get(match["unit"], (None, 0.0)) if match and match["unit"] else (definition.unit, 1.0)
    limit = float(match["number"].replace(",", ".")) * factor if match and len(match["number"]) < 9 else 0
    if unit is not definition.unit or not definition.low <= limit <= definition.high:
        bounds = f"{definition.low:g} to {limit_words(rule, definition.high)}"
        raise UserError(f"“{quote(text, 40)}” is no limit for `{rule}`: write {bounds}, `off` or `default`.")
    return limit
