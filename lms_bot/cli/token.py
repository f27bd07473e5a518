"""`lms-bot token`: make, list and revoke the tokens of programs."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lms_bot.cli.options import DONE, Commands, add_global, positive, settings_of
from lms_bot.config.values import did_you_mean
from lms_bot.core.web.tokens import Scope, Token

if TYPE_CHECKING:
    from lms_bot.store.session import Transaction


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "token",
        help="make, list and revoke the tokens with which programs ask `lms-bot serve`",
        description="Makes, lists and revokes the tokens with which programs ask `lms-bot serve`.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    create = actions.add_parser("create", help="make a token and print it, this once")
    create.add_argument("name", metavar="NAME", help="what the token is called in lists and in the audit")
    create.add_argument("--scope", type=scopes, required=True, metavar="A,B", help=f"any of {', '.join(Scope)}")
    create.add_argument("--mentor", type=positive, metavar="ID", help="only this mentor's students")
    create.add_argument("--days", type=positive, metavar="N", help="how long it lasts (default: until it is revoked)")
    actions.add_parser("list", help="show the tokens, without their secrets")
    revoke = actions.add_parser("revoke", help="end a token at once")
    revoke.add_argument("name", metavar="NAME")
    for action in actions.choices.values():
        add_global(action, argparse.SUPPRESS)
    parser.set_defaults(run=_run)


def scopes(text: str) -> frozenset[Scope]:
    """Return scopes that are given separated by commas."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in tuple(Scope)]
    if unknown or not names:
        problem = f"{unknown[0]!r} is no scope{did_you_mean(unknown[0], Scope)}" if unknown else "no scope is named"
        raise argparse.ArgumentTypeError(f"{problem}; there are {', '.join(Scope)}")
    return frozenset(map(Scope, names))


def _run(options: argparse.Namespace) -> int:
    from lms_bot.store.session import open_store

    store = open_store(settings_of(options).store_database_url)
    try:
        with store.writing() as transaction:
            said = _done(transaction, options, datetime.now(UTC))
    finally:
        store.close()
    print(said)  # only what is committed is shown
    return DONE


def _done(transaction: Transaction, options: argparse.Namespace, now: datetime) -> str:
    from lms_bot.pipeline.actions import tokens as actions
    from lms_bot.store.web import tokens

    if options.action == "create":
        wanted = actions.Wanted(options.name, options.scope, options.mentor, options.days)
        return actions.create(transaction, wanted, now)
    if options.action == "revoke":
        actions.revoke(transaction, options.name, now)
        return f"The token {options.name} is revoked."
    known = tokens.all_tokens(transaction)
    return "\n".join(_line(token, now) for token in known) if known else "There is no token."


def _line(token: Token, now: datetime) -> str:
    whose = "everybody" if token.mentor_id is None else f"students of mentor #{token.mentor_id}"
    used = f"last used {_day(token.last_used_at)}" if token.last_used_at else "never used"
    state = f"expires {_day(token.expires_at)}" if token.expires_at else "does not expire"
    if token.revoked_at:
        state = f"revoked {_day(token.revoked_at)}"
    elif not token.is_valid(now):
        state = f"expired {_day(token.expires_at or now)}"
    return f"{token.name}  lmsb_{token.prefix}_…  {','.join(sorted(token.scopes))}  {whose}  {state}  {used}"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
