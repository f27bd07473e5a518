"""The conversation with each asker, which the next message may refer to; it survives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import dialogues


def remember(transaction: Transaction, zulip_user_id: int, content: Mapping[str, Any], now: datetime) -> None:
    """Keep what the asker may go on with (JSON), instead of what was kept before."""
    values = {"zulip_user_id": zulip_user_id, "content": dict(content), "asked_at": now}
    insert = insert_into(transaction, dialogues).values(values)
    new = {"content": insert.excluded.content, "asked_at": insert.excluded.asked_at}
    transaction.execute(insert.on_conflict_do_update(index_elements=["zulip_user_id"], set_=new))


def forget(transaction: Transaction, zulip_user_id: int) -> None:
    """Forget the conversation with an asker."""
    transaction.execute(sa.delete(dialogues).where(dialogues.c.zulip_user_id == zulip_user_id))


def recall(transaction: Transaction, zulip_user_id: int, since: datetime) -> Mapping[str, Any] | None:
    """Return what was kept for the asker, if that was at `since` or later."""
    query = sa.select(dialogues.c.content).where(
        dialogues.c.zulip_user_id == zulip_user_id, dialogues.c.asked_at >= since
    )
    content: Mapping[str, Any] | None = transaction.scalar(query)
    return content
