"""Which Zulip organisation the store serves: ids of another one mean other people and other messages."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from lms_bot.store import state
from lms_bot.store.operations import admin_channel, incidents
from lms_bot.store.people.accounts import ADMINISTRATORS, ZULIP_USERS_READ
from lms_bot.store.questions.claims import CAUGHT_UP_TO
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    askers,
    claims,
    dialogues,
    events,
    hand_mappings,
    logs,
    mentors,
    messages,
    orders,
    students,
    unsettled,
    zulip_users,
)

ORGANISATION = "organisation"  # the fact, and the incident: the host of the organisation that the store serves
UNREAD = "the accounts of another Zulip organisation are not read yet"


def follow(transaction: Transaction, organisation: str, now: datetime) -> str | None:
    """Note which organisation the store serves; drop what was of another one before, and return that one.

    What mentors chose and what they are owed stays: it is known by their ids in the LMS.
    """
    before: str | None = state.value(transaction, ORGANISATION)
    if before == organisation:
        return None
    state.note(transaction, ORGANISATION, organisation, now)
    if before is None:
        return None
    _drop_accounts(transaction)
    _drop_messages(transaction)
    text = (
        f"🏢 The event store served {before}, and serves {organisation} now, where Zulip's ids mean others: who was "
        "mapped by hand, and which messages were read and sent, is dropped. Map again with `map`."
    )
    incidents.notice(transaction, ORGANISATION, text, now)
    return before


def _drop_accounts(transaction: Transaction) -> None:
    for table in (zulip_users, hand_mappings):
        transaction.execute(sa.delete(table))
    transaction.execute(sa.update(students).values(zulip_user_id=None))
    transaction.execute(sa.update(mentors).values(zulip_user_id=None, unmapped_reason=UNREAD))
    has_account = events.c.zulip_user_id.is_not(None)
    transaction.execute(sa.update(events).where(has_account).values(zulip_user_id=None))
    for name in (ZULIP_USERS_READ, ADMINISTRATORS, admin_channel.FACT):
        state.forget(transaction, name)


def _drop_messages(transaction: Transaction) -> None:
    """Forget the ids of messages; what was not sent yet is owed again, but for answers, whose askers are gone."""
    for table in (claims, dialogues, askers, orders):
        transaction.execute(sa.delete(table))
    state.forget(transaction, CAUGHT_UP_TO)
    open_ids = sa.select(messages.c.message_id).where(unsettled)
    transaction.execute(sa.update(logs).where(logs.c.message_id.in_(open_ids)).values(message_id=None))
    transaction.execute(sa.delete(messages).where(unsettled))
    transaction.execute(sa.update(messages).values(zulip_message_id=None))
