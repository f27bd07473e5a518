"""The number of questions of each asker."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import askers


def count_question(transaction: Transaction, zulip_user_id: int, asked_at: datetime, window: timedelta) -> int:
    """Count a question; return its number within its window, which begins with a question."""
    insert = insert_into(transaction, askers).values(zulip_user_id=zulip_user_id, since=asked_at, questions=1)
    is_over = askers.c.since <= asked_at - window
    new = {
        "since": sa.case((is_over, insert.excluded.since), else_=askers.c.since),
        "questions": sa.case((is_over, 1), else_=askers.c.questions + 1),
    }
    statement = insert.on_conflict_do_update(index_elements=["zulip_user_id"], set_=new)
    return int(transaction.execute(statement.returning(askers.c.questions)).scalar_one())
