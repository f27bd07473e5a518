"""Keeps the store's list of Zulip accounts fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lms_bot.app import Parts
from lms_bot.chat import Chat
from lms_bot.pipeline.recheck import keep_accounts
from lms_bot.store.people import accounts

USERS_EVERY = timedelta(minutes=10)


def refresh_users(parts: Parts, chat: Chat | None = None, age: timedelta = USERS_EVERY) -> None:
    """Re-read who has an account in Zulip, if that is older than `age`. Raises SendError, StoreUnavailable."""
    now = datetime.now(UTC)
    with parts.store.reading() as transaction:
        if accounts.users_are_fresh(transaction, now, age):
            return
    users = (chat or parts.chat).users()
    with parts.store.writing() as transaction:
        keep_accounts(transaction, users, parts.settings, now)
