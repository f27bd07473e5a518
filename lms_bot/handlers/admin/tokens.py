"""The command with which admins make, list and revoke the tokens of programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from lms_bot.core.principal import Role
from lms_bot.core.search.spelling import did_you_mean
from lms_bot.core.web.tokens import Scope, Token
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import choice, words
from lms_bot.handlers.arguments import Argument, Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import tokens as actions
from lms_bot.render import moment, quote
from lms_bot.reports.web import tokens

_DIGITS = 9


def _scopes(request: Request, text: str) -> frozenset[Scope]:
    names = [name.casefold() for name in text.replace(",", " ").split()]
    for name in names:
        if name not in tuple(Scope):
            raise UserError(f"“{quote(name, 40)}” is no scope.{did_you_mean(name, tuple(Scope))}")
    return frozenset(map(Scope, names))


def _keyed(key: str, meaning: str) -> Argument:
    """Return the argument that is a whole number after its key, as `days:30`."""

    def number(request: Request, text: str) -> int:
        digits = text.removeprefix("#")
        if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:
            return int(digits)
        raise UserError(f"“{quote(text, 40)}” is no number.")

    return Argument(key, f"{key}:12", meaning, number, is_keyed=True)


ACTION = replace(choice("action", ["create", "list", "revoke"], "What to do with tokens."), is_required=True)
NAME = words("name", "What the token is called, in one word.").optional()
READ_SCOPES: Callable[[Request, str], Any] = _scopes
SCOPES = replace(
    words("scopes", f"What a new token is for, separated by commas: {', '.join(f'`{scope}`' for scope in Scope)}."),
    read=READ_SCOPES,
    is_required=False,
)
MENTOR = _keyed("mentor", "Only the students of this mentor, by the id in the LMS; without it, everybody.")
DAYS = _keyed("days", "How many days it lasts; without it, until it is revoked.")
COMMANDS = REGISTRY.section(Role.ADMIN, 7, "programs")


@COMMANDS.command("token", ACTION, NAME, SCOPES, MENTOR, DAYS, changes=True, is_personal=True)
def token(request: Request, arguments: Arguments) -> str:
    """Make, list or revoke a token with which a program asks `lms-bot serve`.

    You are answered in a direct message. A new token is shown there, this once; delete the message when you have it.
    """
    action, name = arguments["action"], arguments["name"]
    if action == "list":
        known = tokens.all_tokens(request.transaction, request.principal)
        return "\n".join(_line(one, request.now) for one in known) if known else "There is no token."
    if not name:
        raise UserError(f"Say which token: `token {action} <name>`.")
    if action == "revoke":
        actions.revoke(request.transaction, name, request.now)
        return f"The token **{quote(name)}** is revoked."
    if not arguments["scopes"]:
        raise UserError(f"Say what the token is for: `token create {quote(name)} activity,events`.")
    wanted = actions.Wanted(name, arguments["scopes"], arguments["mentor"], arguments["days"])
    text = actions.create(request.transaction, wanted, request.now)
    return f"The token **{quote(name)}**, which nobody can show again:\n```\n{text}\n```"


def _line(one: Token, now: datetime) -> str:
    whose = "everybody" if one.mentor_id is None else f"students of mentor #{one.mentor_id}"
    state = f"expires {moment(one.expires_at)}" if one.expires_at else "does not expire"
    if not one.is_valid(now):
        state = f"revoked {moment(one.revoked_at)}" if one.revoked_at else "expired"
    used = f"last used {moment(one.last_used_at)}" if one.last_used_at else "never used"
    return f"* **{quote(one.name)}** `lmsb_{one.prefix}_…`: {', '.join(sorted(one.scopes))}; {whose}; {state}; {used}"
