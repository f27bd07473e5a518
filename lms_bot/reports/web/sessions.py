"""Who is signed in to the pages, and what they may see now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Principal
from lms_bot.core.web.sessions import Session, is_secret
from lms_bot.core.web.tokens import hash_of
from lms_bot.reports import access
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import Trouble
from lms_bot.store.session import Transaction
from lms_bot.store.web import sessions


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its Zulip account, and who that is now."""

    session: Session
    account: ZulipUser
    principal: Principal


def signed_in(transaction: Transaction, secret: str, now: datetime) -> SignedIn | None:
    """Return who has a session with this secret; None for nobody, and for who may see nothing any more."""
    session = sessions.with_hash(transaction, hash_of(secret), now) if is_secret(secret) else None
    return None if session is None else with_rights(transaction, session)


def with_rights(transaction: Transaction, session: Session) -> SignedIn | None:
    """Return a session with the rights that its account has now; None where it has none.

    An admin is who asked for the link in the admin channel and is still in it, while it is private.
    """
    account = access.account(transaction, session.zulip_user_id)
    if account is None or not account.is_active or account.is_bot:
        return None
    is_admin = session.as_admin and not account.is_guest and _is_in_admin_channel(transaction, account)
    principal = access.principal_of(transaction, account, is_admin=is_admin)
    return SignedIn(session, account, principal) if principal.roles else None


def own_sessions(transaction: Transaction, zulip_user_id: int, now: datetime) -> list[Session]:
    """Return the sessions of somebody who asks about themselves, the oldest first."""
    return sessions.of_account(transaction, zulip_user_id, now)


def _is_in_admin_channel(transaction: Transaction, account: ZulipUser) -> bool:
    channel = admin_channel.pinned(transaction)
    return channel is not None and channel.trouble is Trouble.NONE and account.user_id in channel.members
