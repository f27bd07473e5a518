"""The tokens of programs: made, found by their prefix, used and revoked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.web.tokens import Scope, Token
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import api_tokens

_c = api_tokens.c
_WITH_PREFIX = sa.select(api_tokens).where(_c.prefix == sa.bindparam("wanted"))


def keep(transaction: Transaction, token: Token) -> bool:
    """Keep a new token; return whether no other one has its name."""
    values = {
        "name": token.name,
        "prefix": token.prefix,
        "secret_hash": token.secret_hash,
        "scopes": sorted(token.scopes),
        "mentor_id": token.mentor_id,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
    insert = insert_into(transaction, api_tokens).values(values)
    return transaction.execute(insert.on_conflict_do_nothing(index_elements=["name"])).rowcount == 1


def with_prefix(transaction: Transaction, prefix: str) -> Token | None:
    """Return the token with this prefix, whether it may still be used or not."""
    row = transaction.execute(_WITH_PREFIX, {"wanted": prefix}).one_or_none()
    return _token(row) if row else None


def all_tokens(transaction: Transaction) -> list[Token]:
    """Return every token, by name."""
    return [_token(row) for row in transaction.execute(sa.select(api_tokens).order_by(_c.name))]


def valid_among(transaction: Transaction, token_ids: Collection[int], now: datetime) -> set[int]:
    """Return which of these tokens may still be used."""
    is_valid = _c.revoked_at.is_(None) & (_c.expires_at.is_(None) | (_c.expires_at > now))
    return set(transaction.scalars(sa.select(_c.token_id).where(_c.token_id.in_(token_ids), is_valid)))


def revoke(transaction: Transaction, name: str, now: datetime) -> bool:
    """Revoke a token; return whether there was one of this name that was not revoked."""
    theirs = (_c.name == name) & _c.revoked_at.is_(None)
    return transaction.execute(sa.update(api_tokens).where(theirs).values(revoked_at=now)).rowcount == 1


def note_use(transaction: Transaction, used: dict[int, datetime]) -> None:
    """Note when tokens were last used."""
    mark = sa.update(api_tokens).where(_c.token_id == sa.bindparam("used")).values(last_used_at=sa.bindparam("used_at"))
    transaction.execute(mark, [{"used": token_id, "used_at": at} for token_id, at in used.items()])


def _token(row: sa.Row[Any]) -> Token:
    token = Token(**row._mapping)
    return replace(token, scopes=frozenset(map(Scope, token.scopes)))
