"""The commands of admins that show by which rules students are watched, and turn them on and off."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.core.alerts import RULE_DEFINITIONS, Rule
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import RULE, choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import alert_rules as actions
from lms_bot.pipeline.freshness import BLIND
from lms_bot.render.alerts import meaning
from lms_bot.reports.alerts import switched_off

ON, OFF = "on", "off"
BLIND_MEANING = "while there is no fresh data of the LMS, nothing is said of who is absent"
SWITCH = replace(choice("switch", [ON, OFF], "Whether it is looked at."), is_required=True)
COMMANDS = REGISTRY.section(Role.ADMIN, 4, "alerts")


@COMMANDS.command("rules")
def rules(request: Request, arguments: Arguments) -> str:
    """Show by which rules mentors are told who needs them, and which are off for everybody."""
    off = switched_off(request.transaction, request.principal)
    meanings = {str(rule): meaning(rule, RULE_DEFINITIONS[rule].limit) for rule in Rule} | {BLIND: BLIND_MEANING}
    lines = [f"* `{name}`{' (**off**)' if name in off else ''}: {said}" for name, said in meanings.items()]
    return "\n".join(["📏 **Rules**, with the limits where a mentor has set no other", "", *lines])


@COMMANDS.command("rule", RULE, SWITCH, changes=True)
def rule_(request: Request, arguments: Arguments) -> str:
    """Turn a rule on or off for everybody.

    Turning it off closes its alerts. What is so already when it is turned on stands in `open`, and is not sent.
    """
    name, switch = arguments["name"], arguments["switch"]
    if not actions.switch(request.transaction, name, switch == ON, request.now):
        raise UserError(f"`{name}` is {switch} already.")
    if name == BLIND:
        meant = BLIND_MEANING if switch == ON else "who is absent is told all the same"
        return f"{'🔔' if switch == ON else '🔕'} `{name}` is {switch}: {meant}."
    if switch == ON:
        return f"🔔 `{name}` is on. What is so already stands in `open` of the mentors after the next poll."
    return f"🔕 `{name}` is off for everybody; its alerts are closed."
