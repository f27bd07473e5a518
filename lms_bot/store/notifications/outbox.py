"""The outbox: frozen messages, from before their first try until their outcome is known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.notifications import AskedBy, Message, ParkedMessage, Recipient
from lms_bot.db.lists import in_bound_list, in_list, list_value
from lms_bot.store import counters
from lms_bot.store.session import Transaction
from lms_bot.store.tables import claims, logs, messages

LOOKUP_AFTER = timedelta(seconds=60)  # a message under way is nobody else's business for so long

COLUMNS = [column for column in messages.c if column is not messages.c.attachment]
ASKED_BY = "asked_by"  # in the recipient of an answer: whose it is
SENDING, UNKNOWN, REFUSED, SENT, PARKED = "sending", "unknown", "refused", "sent", "parked"

_LAST_SENT_AT = (
    sa.select(messages.c.tried_at)
    .where(messages.c.mentor_id == sa.bindparam("mentor_id"), messages.c.state == SENT)
    .order_by(messages.c.message_id.desc())
    .limit(1)
)
_SENT = (
    sa.update(messages)
    .where(messages.c.message_id == sa.bindparam("told_by"))
    .values(state=SENT, next_try_at=None, zulip_message_id=sa.bindparam("sent_as"), error=None)
)
_SETTLED = (
    sa.update(logs)
    .where(logs.c.message_id == sa.bindparam("told_by"))
    .values(
        notification_sent=True,
        notification_message_id=sa.bindparam("sent_as"),
        error_message=None,
        attempts=logs.c.attempts + 1,
        processed_at=sa.bindparam("now"),
        due_at=None,
    )
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to be sent, and the notifications (by log id) that it tells one mentor.

    Zulip will give it an id above `above`; an `attachment` is (name, content). `asked_by` says whose answer it is.
    """

    recipient: Recipient
    content: str
    mentor_id: int | None = None
    log_ids: Collection[int] = ()
    attempts: int = 0
    above: int = 0
    attachment: tuple[str, bytes] | None = None
    asked_by: AskedBy | None = None


def freeze(transaction: Transaction, draft: Draft, now: datetime) -> Message:
    """Commit to a text before it is sent, link it with its notifications, and return the message."""
    values: dict[str, Any] = {
        "mentor_id": draft.mentor_id,
        "recipient": asdict(draft.recipient),
        "content": draft.content,
        "above": draft.above,
        "state": SENDING,
        "attempts": draft.attempts,
        "created_at": now,
        "tried_at": now,
        "next_try_at": now + LOOKUP_AFTER,
    }
    if draft.asked_by:
        values["recipient"][ASKED_BY] = asdict(draft.asked_by)
    if draft.attachment:
        values |= {"attachment_name": draft.attachment[0], "attachment": draft.attachment[1]}
    dialect = transaction.dialect.name
    row = transaction.execute(_freezing(dialect), values).one()
    if draft.log_ids:
        linked = {"told_by": row.message_id, "log_ids": list_value(draft.log_ids, dialect)}
        transaction.execute(_linking(dialect), linked)
    return as_message(row)


@cache
def _freezing(dialect: str) -> sa.Insert:
    # Zulip gives what is sent from now on an id above the highest one that the store knows.
    highest = [sa.select(sa.func.max(t.c.zulip_message_id)).scalar_subquery() for t in (messages, claims)]
    known = [sa.func.coalesce(one, 0) for one in highest]
    greatest = sa.func.greatest if dialect == "postgresql" else sa.func.max
    anchor = greatest(sa.bindparam("above", type_=sa.BigInteger), *known)
    return sa.insert(messages).values(anchor_id=anchor).returning(*COLUMNS)


@cache
def _linking(dialect: str) -> sa.Update:
    within = in_bound_list(logs.c.log_id, "log_ids", dialect)
    return sa.update(logs).where(within).values(message_id=sa.bindparam("told_by"))


def unsettled(transaction: Transaction, now: datetime, most: int) -> list[tuple[Message, str]]:
    """Return the messages whose outcome must be looked up now, with their state, the longest waiting first."""
    query = sa.select(*COLUMNS).where(messages.c.next_try_at <= now).order_by(messages.c.next_try_at).limit(most)
    return [(as_message(row), row.state) for row in transaction.execute(query)]


def settle_sent(transaction: Transaction, message: Message, zulip_message_id: int, now: datetime) -> None:
    """Mark a message as sent, and its notifications as delivered."""
    counters.add(transaction, counters.NOTIFIED, _count_first_notified(transaction, message))
    sent = {"told_by": message.message_id, "sent_as": zulip_message_id}
    transaction.execute(_SENT, sent)
    transaction.execute(_SETTLED, {**sent, "now": now})


def settle_parked(transaction: Transaction, message: Message, error: str, now: datetime) -> None:
    """Park a message that Zulip never takes; its notifications end with the error until an admin retries them."""
    _change(transaction, message, state=PARKED, next_try_at=None, error=error, attachment_name=None, attachment=None)
    finished = {"due_at": None, "error_message": error, "attempts": logs.c.attempts + 1, "processed_at": now}
    transaction.execute(sa.update(logs).where(logs.c.message_id == message.message_id).values(finished))


def parked(transaction: Transaction, most: int) -> tuple[int, list[ParkedMessage]]:
    """Return how many messages are parked, and the newest of them."""
    is_parked = messages.c.state == PARKED
    count = transaction.scalar(sa.select(sa.func.count()).select_from(messages).where(is_parked)) or 0
    query = (
        sa.select(messages.c.message_id, messages.c.mentor_id, messages.c.error, messages.c.tried_at)
        .where(is_parked)
        .order_by(messages.c.message_id.desc())
        .limit(most)
    )
    return count, [ParkedMessage(*row) for row in transaction.execute(query)]


def requeue_parked(transaction: Transaction, message_id: int | None, now: datetime) -> int:
    """Queue again what parked messages tell, of one of them or (None) of all; return how many they are."""
    found = sa.select(messages.c.message_id).where(messages.c.state == PARKED)
    if message_id is not None:
        found = found.where(messages.c.message_id == message_id)
    revived = list(transaction.scalars(found))
    within = in_list(logs.c.message_id, revived, transaction.dialect.name)
    owed_again = {"message_id": None, "due_at": now, "error_message": None, "processed_at": None}
    transaction.execute(sa.update(logs).where(within).values(owed_again))
    transaction.execute(sa.delete(messages).where(in_list(messages.c.message_id, revived, transaction.dialect.name)))
    return len(revived)


def postpone(transaction: Transaction, message: Message, state: str, error: str, next_try_at: datetime) -> None:
    """Try a message again later, since its outcome is unknown or Zulip refused it for the moment."""
    _change(transaction, message, state=state, next_try_at=next_try_at, error=error)
    noted = {"error_message": error, "attempts": logs.c.attempts + 1}
    transaction.execute(sa.update(logs).where(logs.c.message_id == message.message_id).values(noted))


def postpone_lookup(transaction: Transaction, message: Message, at: datetime) -> None:
    """Look the message up once more later."""
    _change(transaction, message, next_try_at=at)


def count_notifications(transaction: Transaction, message: Message) -> int:
    """Return how many notifications the message tells."""
    query = sa.select(sa.func.count()).select_from(logs).where(logs.c.message_id == message.message_id)
    return transaction.scalar(query) or 0


def retry(transaction: Transaction, message: Message, now: datetime) -> Message:
    """Commit to sending the same text once more, and return the message."""
    _change(
        transaction,
        message,
        state=SENDING,
        tried_at=now,
        next_try_at=now + LOOKUP_AFTER,
        attempts=message.attempts + 1,
    )
    row = transaction.execute(sa.select(*COLUMNS).where(messages.c.message_id == message.message_id)).one()
    return as_message(row)


def replace_content(transaction: Transaction, message: Message, content: str) -> None:
    """Commit to another text, without a file, for a message that Zulip certainly does not have."""
    _change(transaction, message, content=content, attachment_name=None, attachment=None)


def discard(transaction: Transaction, message: Message) -> None:
    """Delete a message that Zulip certainly does not have, so that its notifications are due again."""
    of_message = logs.c.message_id == message.message_id
    transaction.execute(sa.update(logs).where(of_message).values(message_id=None))
    transaction.execute(sa.delete(messages).where(messages.c.message_id == message.message_id))


def settled_ids(transaction: Transaction, zulip_message_ids: Collection[int]) -> set[int]:
    """Return those of the ids that belong to messages already settled."""
    return set(
        transaction.scalars(
            sa.select(messages.c.zulip_message_id).where(
                in_list(messages.c.zulip_message_id, zulip_message_ids, transaction.dialect.name)
            )
        )
    )


def last_sent_at(transaction: Transaction, mentor_id: int) -> datetime | None:
    """Return when the mentor's last message of notifications was sent; None if there never was one."""
    return transaction.scalar(_LAST_SENT_AT, {"mentor_id": mentor_id})


def make_due(transaction: Transaction, now: datetime, *states: str) -> None:
    """Make messages due now that are not settled and in one of `states`."""
    waiting = messages.c.state.in_(states) & (messages.c.next_try_at > now)
    transaction.execute(sa.update(messages).where(waiting).values(next_try_at=now))


@cache
def _first_notified() -> sa.Select[Any]:
    before = logs.alias()
    was_told = sa.exists().where(before.c.event_id == logs.c.event_id, before.c.notification_sent)
    query = sa.select(sa.func.count(sa.distinct(logs.c.event_id)))
    return query.where(logs.c.message_id == sa.bindparam("told_by"), ~was_told)


def _count_first_notified(transaction: Transaction, message: Message) -> int:
    """Return how many events this message is the first to tell; the lock keeps others from telling one meanwhile."""
    counters.lock(transaction, counters.NOTIFIED)
    return transaction.scalar(_first_notified(), {"told_by": message.message_id}) or 0


def _change(transaction: Transaction, message: Message, **values: Any) -> None:
    transaction.execute(sa.update(messages).where(messages.c.message_id == message.message_id).values(values))


def as_message(row: Any) -> Message:
    """Return a message from a row that has COLUMNS."""
    return Message(
        row.message_id,
        recipient_of(row.recipient),
        row.content,
        row.anchor_id,
        row.tried_at,
        row.attempts,
        row.mentor_id,
        row.attachment_name,
        AskedBy(**row.recipient[ASKED_BY]) if ASKED_BY in row.recipient else None,
    )


def recipient_of(kept: dict[str, Any]) -> Recipient:
    """Return a recipient from what JSON holds of it."""
    return Recipient(tuple(kept["user_ids"]), kept["stream_id"], kept["topic"])


def attachment(transaction: Transaction, message: Message) -> bytes | None:
    """Return the file that waits to be uploaded with a message; None if none does."""
    return transaction.scalar(sa.select(messages.c.attachment).where(messages.c.message_id == message.message_id))


def link_attachment(
    transaction: Transaction, message: Message, line: str, now: datetime, *, is_first: bool = False
) -> Message | None:
    """Commit to the text with a last or first line that links the file, or says why not, and try it from `now` on.

    None if somebody else has taken the message over meanwhile: it is not ours to send then.
    """
    is_as_it_was = (messages.c.attempts == message.attempts) & messages.c.attachment.is_not(None)
    values = {
        "content": "\n\n".join([line, message.content] if is_first else [message.content, line]),
        "attachment_name": None,
        "attachment": None,
        "tried_at": now,
        "next_try_at": now + LOOKUP_AFTER,
    }
    statement = sa.update(messages).where(messages.c.message_id == message.message_id, is_as_it_was).values(values)
    row = transaction.execute(statement.returning(*COLUMNS)).one_or_none()
    return as_message(row) if row else None
