"""Links with which people sign in, each good for once, and their sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.web.sessions import Session
from lms_bot.store.session import Transaction
from lms_bot.store.tables import sign_in_links, web_sessions

_l, _s = sign_in_links.c, web_sessions.c
_COLUMNS = [_s[name] for name in ("session_id", "zulip_user_id", "as_admin", "created_at", "expires_at")]
_WITH_HASH = sa.select(*_COLUMNS).where(_s.secret_hash == sa.bindparam("wanted"), _s.expires_at > sa.bindparam("now"))


class Link(NamedTuple):
    """Who may sign in with a link, and whether with the rights of an admin."""

    zulip_user_id: int
    as_admin: bool


def keep_link(transaction: Transaction, secret_hash: str, link: Link, until: datetime) -> None:
    """Keep a link that can be used until a moment."""
    values = {"secret_hash": secret_hash, "expires_at": until, **link._asdict()}
    transaction.execute(sa.insert(sign_in_links).values(values))


def use_link(transaction: Transaction, secret_hash: str, now: datetime) -> Link | None:
    """Use up a link; None unless it is one that was not used before and is not too old."""
    is_usable = (_l.secret_hash == secret_hash) & _l.used_at.is_(None) & (_l.expires_at > now)
    if transaction.execute(sa.update(sign_in_links).where(is_usable).values(used_at=now)).rowcount != 1:
        return None
    row = transaction.execute(sa.select(_l.zulip_user_id, _l.as_admin).where(_l.secret_hash == secret_hash)).one()
    return Link(*row)


def begin(transaction: Transaction, secret_hash: str, link: Link, now: datetime, until: datetime) -> None:
    """Begin a session."""
    values = {"secret_hash": secret_hash, "created_at": now, "expires_at": until, **link._asdict()}
    transaction.execute(sa.insert(web_sessions).values(values))


def with_hash(transaction: Transaction, secret_hash: str, now: datetime) -> Session | None:
    """Return the session with this secret, unless it is over."""
    row = transaction.execute(_WITH_HASH, {"wanted": secret_hash, "now": now}).one_or_none()
    return Session(*row) if row else None


def of_account(transaction: Transaction, zulip_user_id: int, now: datetime) -> list[Session]:
    """Return the sessions of a Zulip account that are not over, the oldest first."""
    query = sa.select(*_COLUMNS).where(_s.zulip_user_id == zulip_user_id, _s.expires_at > now)
    return [Session(*row) for row in transaction.execute(query.order_by(_s.session_id))]


def going_on(transaction: Transaction, session_ids: Collection[int], now: datetime) -> set[int]:
    """Return which of these sessions are not over."""
    query = sa.select(_s.session_id).where(_s.session_id.in_(session_ids), _s.expires_at > now)
    return set(transaction.scalars(query))


def end(transaction: Transaction, session_id: int) -> None:
    """End one session."""
    transaction.execute(sa.delete(web_sessions).where(_s.session_id == session_id))


def end_all(transaction: Transaction, zulip_user_id: int, now: datetime) -> int:
    """End every session of an account, and let no link that it was given be used; return how many went on."""
    transaction.execute(sa.delete(sign_in_links).where(_l.zulip_user_id == zulip_user_id))
    going = len(of_account(transaction, zulip_user_id, now))
    transaction.execute(sa.delete(web_sessions).where(_s.zulip_user_id == zulip_user_id))
    return going
