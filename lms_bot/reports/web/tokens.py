"""The tokens of programs, for admins and for whoever a token belongs to."""

from __future__ import annotations

from lms_bot.core.people import Mentor
from lms_bot.core.principal import Principal
from lms_bot.core.web.tokens import Token
from lms_bot.reports import access
from lms_bot.store.people import people
from lms_bot.store.session import Transaction
from lms_bot.store.web import tokens


def all_tokens(transaction: Transaction, principal: Principal) -> list[Token]:
    """Return every token, without its secret, by name. Raises NotFound unless an admin asks."""
    access.require_admin(principal)
    return tokens.all_tokens(transaction)


def mentor_of(transaction: Transaction, token: Token) -> Mentor | None:
    """Return the mentor whose students a token reads; None where the LMS has that mentor no more."""
    return None if token.mentor_id is None else people.mentor(transaction, token.mentor_id)
