"""Gives people links with which they sign in to the pages, and begins and ends their sessions."""

from __future__ import annotations

from datetime import datetime

from lms_bot.core.web.sessions import LINK_LASTS, SESSION_LASTS, is_secret, new_secret
from lms_bot.core.web.tokens import hash_of
from lms_bot.store.session import Transaction
from lms_bot.store.web import sessions
from lms_bot.store.web.sessions import Link


def give_link(transaction: Transaction, zulip_user_id: int, now: datetime, *, as_admin: bool) -> str:
    """Return the secret of a new link, which is good for once within ten minutes."""
    secret = new_secret()
    sessions.keep_link(transaction, secret.hash, Link(zulip_user_id, as_admin), now + LINK_LASTS)
    return secret.text


def sign_in(transaction: Transaction, link_secret: str, earlier_secret: str, now: datetime) -> str | None:
    """Use up a link and return the secret of a new session; None if the link is not good any more, or never was.

    The session that the browser had before, if any, ends.
    """
    link = sessions.use_link(transaction, hash_of(link_secret), now) if is_secret(link_secret) else None
    if link is None:
        return None
    sign_out(transaction, earlier_secret, now)
    secret = new_secret()
    sessions.begin(transaction, secret.hash, link, now, now + SESSION_LASTS)
    return secret.text


def sign_out(transaction: Transaction, secret: str, now: datetime) -> None:
    """End the session that has this secret, if one has."""
    session = sessions.with_hash(transaction, hash_of(secret), now) if is_secret(secret) else None
    if session is not None:
        sessions.end(transaction, session.session_id)


def end_all(transaction: Transaction, zulip_user_id: int, now: datetime) -> int:
    """End every session of an account, and make its links useless; return how many sessions went on."""
    return sessions.end_all(transaction, zulip_user_id, now)
