"""Makes and revokes the tokens of programs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.web.tokens import Scope, Token, is_name, new_secret
from lms_bot.errors import UserError
from lms_bot.store.people import people
from lms_bot.store.session import Transaction
from lms_bot.store.web import tokens

LONGEST = 3_650  # days


class Wanted(NamedTuple):
    """A token to be made: for one mentor's students or (None) everybody, for so many days or (None) for good."""

    name: str
    scopes: Collection[Scope]
    mentor_id: int | None = None
    days: int | None = None


def create(transaction: Transaction, wanted: Wanted, now: datetime) -> str:
    """Make a token and return its text, which can never be shown again. Raises UserError."""
    if not is_name(wanted.name):
        raise UserError("a token's name has 1 to 64 letters, digits, dots, hyphens and underscores")
    if wanted.days is not None and not 1 <= wanted.days <= LONGEST:
        raise UserError(f"a token lasts 1 to {LONGEST:,} days, or until it is revoked")
    if wanted.mentor_id is not None and people.mentor(transaction, wanted.mentor_id) is None:
        raise UserError(f"the store knows no mentor #{wanted.mentor_id}")
    secret = new_secret()
    until = None if wanted.days is None else now + timedelta(days=wanted.days)
    scopes = frozenset(wanted.scopes)
    token = Token(0, wanted.name, secret.prefix, secret.secret_hash, scopes, wanted.mentor_id, now, until, None, None)
    if not tokens.keep(transaction, token):
        raise UserError(f"there is, or was, another token {wanted.name}: give it a new name")
    return secret.text


def revoke(transaction: Transaction, name: str, now: datetime) -> None:
    """Revoke a token at once. Raises UserError."""
    if not tokens.revoke(transaction, name, now):
        raise UserError("no token of this name can be used: `token list` shows those that can")
