"""Who reads events as they are recorded: tokens and sessions, and what of it they may read now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lms_bot.core.principal import Principal, Role
from lms_bot.core.web.sessions import Session
from lms_bot.core.web.tokens import Token
from lms_bot.reports.web import activity
from lms_bot.reports.web.activity import Recorded
from lms_bot.reports.web.sessions import with_rights
from lms_bot.store.session import Transaction
from lms_bot.store.web import sessions, tokens

Reader = Token | Session
Key = tuple[type[Reader], int]


def key_of(reader: Reader) -> Key:
    """Return what tells one reader from another."""
    return (Token, reader.token_id) if isinstance(reader, Token) else (Session, reader.session_id)


def readable(
    transaction: Transaction,
    who: Mapping[Key, tuple[Reader, Principal]],
    found: Sequence[Recorded],
    now: datetime,
) -> dict[Key, list[Recorded]]:
    """Return by reader which of the events they may read; who is left out may read nothing any more.

    A token has the rights of its principal; a session those that its account has now as a mentor.
    """
    valid = tokens.valid_among(transaction, {number for kind, number in who if kind is Token}, now)
    going_on = sessions.going_on(transaction, {number for kind, number in who if kind is Session}, now)
    by_mentor: dict[int | None, list[Recorded]] = {}
    seen: dict[Key, list[Recorded]] = {}
    for key, (reader, principal) in who.items():
        if isinstance(reader, Token) and reader.token_id in valid:
            if reader.mentor_id not in by_mentor:
                by_mentor[reader.mentor_id] = activity.readable(transaction, principal, found) if found else []
            seen[key] = by_mentor[reader.mentor_id]
        elif isinstance(reader, Session) and reader.session_id in going_on:
            mentor = principal if not found else _mentor(transaction, reader)
            if mentor.roles:
                seen[key] = activity.readable(transaction, mentor, found) if found else []
    return seen


def _mentor(transaction: Transaction, session: Session) -> Principal:
    """Return who a session is now as a mentor; nobody, where that is over."""
    found = with_rights(transaction, session)
    return Principal() if found is None else found.principal.acting_as(Role.MENTOR)
