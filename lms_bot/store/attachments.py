"""Files that wait to be uploaded, beside the frozen messages that they belong to."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from lms_bot.domain import Message
from lms_bot.store import Transaction
from lms_bot.store.outbox import COLUMNS, LOOK_AFTER, as_message
from lms_bot.store.tables import messages


def content(transaction: Transaction, message: Message) -> bytes | None:
    """The file that waits to be uploaded with a message; None if none does."""
    return transaction.scalar(sa.select(messages.c.attachment).where(messages.c.message_id == message.message_id))


def link(transaction: Transaction, message: Message, line: str, now: datetime) -> Message | None:
    """Commit to the text with a last line that links the file, or says why not, and try it from `now` on.

    None if somebody else has taken the message over meanwhile: it is not ours to send then.
    """
    is_as_it_was = (messages.c.attempts == message.attempts) & messages.c.attachment.is_not(None)
    values = {
        "content": f"{message.content}\n\n{line}",
        "attachment_name": None,
        "attachment": None,
        "tried_at": now,
        "next_try_at": now + LOOK_AFTER,
    }
    statement = sa.update(messages).where(messages.c.message_id == message.message_id, is_as_it_was).values(values)
    row = transaction.execute(statement.returning(*COLUMNS)).one_or_none()
    return as_message(row) if row else None
