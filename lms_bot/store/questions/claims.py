"""Claims on questions, so that each is answered once, by one thread of one process."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from lms_bot.db.lists import in_list
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import claims

CAUGHT_UP_TO = "caught_up_to"  # the fact: up to which message id questions were looked for
OVERLAP = 200  # message ids below the last look that are looked at again: ids are not given out in order


def claim(transaction: Transaction, zulip_message_id: int, now: datetime) -> bool:
    """Claim a question; return False if it was claimed before."""
    values = {"zulip_message_id": zulip_message_id, "claimed_at": now}
    statement = insert_into(transaction, claims).values(values).on_conflict_do_nothing()
    return transaction.execute(statement.returning(claims.c.zulip_message_id)).one_or_none() is not None


def claim_edit(transaction: Transaction, zulip_message_id: int, seconds: int, now: datetime) -> bool:
    """Claim a question that was edited `seconds` (0 to 99) after it was asked; return False if that was done before.

    It is kept under a number below zero, which no message of Zulip has.
    """
    return claim(transaction, -(100 * zulip_message_id + seconds), now)


def claimed(transaction: Transaction, zulip_message_ids: Collection[int]) -> set[int]:
    """Return those of the ids that were claimed."""
    within = in_list(claims.c.zulip_message_id, zulip_message_ids, transaction.dialect.name)
    return set(transaction.scalars(sa.select(claims.c.zulip_message_id).where(within)))
