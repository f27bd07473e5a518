"""Keeps the store's list of Zulip accounts fresh, and knows whose organisation they are of."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from lms_bot.app import Parts
from lms_bot.chat import Chat
from lms_bot.pipeline.recheck import keep_accounts
from lms_bot.store.operations import organisation
from lms_bot.store.people import accounts
from lms_bot.store.session import Store

log = logging.getLogger(__name__)

USERS_EVERY = timedelta(minutes=10)
USERS_AFTER_CHANGE = timedelta(seconds=5)  # several changes that come together are read once


def refresh_users(parts: Parts, chat: Chat | None = None, age: timedelta = USERS_EVERY) -> bool:
    """Re-read who has an account in Zulip, if that is older than `age`; return whether it was.

    What waits for mentors who have an account by that is due at once. Raises SendError, StoreUnavailable.
    """
    now = datetime.now(UTC)
    with parts.store.reading() as transaction:
        if accounts.users_are_fresh(transaction, now, age):
            return False
    chat = chat or parts.chat
    follow_organisation(parts.store, chat, now)
    users = chat.users()
    with parts.store.writing() as transaction:
        keep_accounts(transaction, users, parts.settings, now)
    return True


def follow_organisation(store: Store, chat: Chat, now: datetime) -> None:
    """Drop accounts and positions of another Zulip organisation than the one we are in, before anybody is written to.

    Raises SendError, StoreUnavailable.
    """
    name = chat.organisation()
    if not name:
        return
    with store.writing() as transaction:
        before = organisation.follow(transaction, name, now)
    if before is not None:
        log.warning(
            "the store served %s and serves %s now: accounts and message ids of before are dropped", before, name
        )
