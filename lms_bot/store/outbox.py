"""What is owed to mentors, and the frozen messages that tell it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.db import in_list
from lms_bot.domain import EventType, Message, Notification, Recipient
from lms_bot.store import Transaction, counts
from lms_bot.store.bulk import insert_into, insert_new
from lms_bot.store.events import from_row
from lms_bot.store.tables import claims, events, logs, mentor_students, mentors, messages

LOOK_AFTER = timedelta(seconds=60)  # a message under way is nobody else's business for so long

NOT_THEIRS = "no longer this student's mentor"
SENDING, UNKNOWN, REFUSED, SENT, PARKED = "sending", "unknown", "refused", "sent", "parked"


def owe(transaction: Transaction, owed: Sequence[tuple[int, int, datetime]]) -> None:
    """Owe events to mentors, as (event id, mentor id, due at); what is owed already stays as it is."""
    if owed:
        insert_new(transaction, logs, ("event_id", "mentor_id", "due_at"), owed)


def due_mentors(
    transaction: Transaction, now: datetime, most: int, only: Collection[EventType] | None = None
) -> list[int]:
    """Mentors with notifications due and no message under way, the longest waiting first."""
    under_way = sa.exists().where(messages.c.mentor_id == logs.c.mentor_id, messages.c.next_try_at.is_not(None))
    query = (
        sa.select(logs.c.mentor_id)
        .where(logs.c.due_at <= now, logs.c.message_id.is_(None), ~under_way)
        .group_by(logs.c.mentor_id)
        .order_by(sa.func.min(logs.c.due_at))
        .limit(most)
    )
    if only is not None:
        query = query.join(events, events.c.event_id == logs.c.event_id).where(events.c.event_type.in_(only))
    return list(transaction.scalars(query))


def due(
    transaction: Transaction, mentor_id: int, now: datetime, only: Collection[EventType] | None = None
) -> list[Notification]:
    """What is due to one mentor and not in a message yet, oldest event first."""
    query = (
        sa.select(logs.c.log_id, logs.c.mentor_id, logs.c.due_at, logs.c.attempts, events)
        .join(events, events.c.event_id == logs.c.event_id)
        .where(logs.c.mentor_id == mentor_id, logs.c.due_at <= now, logs.c.message_id.is_(None))
        .order_by(events.c.timestamp, events.c.event_id)
    )
    if only is not None:
        query = query.where(events.c.event_type.in_(only))
    return [
        Notification(row.log_id, row.mentor_id, row.due_at, from_row(row), row.attempts, row.created_at)
        for row in transaction.execute(query)
    ]


def freeze(
    transaction: Transaction,
    recipient: Recipient,
    content: str,
    now: datetime,
    *,
    mentor_id: int | None = None,
    log_ids: Collection[int] = (),
    attempts: int = 0,
    above: int = 0,
) -> Message:
    """Commit to a text before it is sent, and link the notifications that it tells.

    Zulip will give it an id above `above` and above all that the store knows.
    """
    values = {
        "mentor_id": mentor_id,
        "recipient": asdict(recipient),
        "content": content,
        "anchor_id": max(above, highest_known(transaction)),
        "state": SENDING,
        "attempts": attempts,
        "created_at": now,
        "tried_at": now,
        "next_try_at": now + LOOK_AFTER,
    }
    row = transaction.execute(sa.insert(messages).values(values).returning(messages)).one()
    if log_ids:
        within = in_list(logs.c.log_id, log_ids, transaction.dialect.name)
        transaction.execute(sa.update(logs).where(within).values(message_id=row.message_id))
    return _message(row)


def highest_known(transaction: Transaction) -> int:
    """The highest Zulip message id that the store knows; what is sent from now on is above it."""
    sent = sa.select(sa.func.max(messages.c.zulip_message_id)).scalar_subquery()
    claimed = sa.select(sa.func.max(claims.c.zulip_message_id)).scalar_subquery()
    row = transaction.execute(sa.select(sent, claimed)).one()
    return max(row[0] or 0, row[1] or 0)


def unsettled(transaction: Transaction, now: datetime, most: int) -> list[tuple[Message, str]]:
    """Messages whose outcome must be looked at now, with their state, the longest waiting first."""
    query = sa.select(messages).where(messages.c.next_try_at <= now).order_by(messages.c.next_try_at).limit(most)
    return [(_message(row), row.state) for row in transaction.execute(query)]


def settle_sent(transaction: Transaction, message: Message, zulip_message_id: int, now: datetime) -> None:
    """Zulip has it: the notifications are told."""
    counts.add(transaction, counts.TOLD, _told_first_by(transaction, message))
    _change(transaction, message, state=SENT, next_try_at=None, zulip_message_id=zulip_message_id, error=None)
    told = {
        "notification_sent": True,
        "notification_message_id": zulip_message_id,
        "error_message": None,
        "attempts": logs.c.attempts + 1,
        "processed_at": now,
        "due_at": None,
    }
    transaction.execute(sa.update(logs).where(logs.c.message_id == message.message_id).values(told))


def settle_parked(transaction: Transaction, message: Message, error: str, now: datetime) -> None:
    """Zulip will never take it: the notifications are finished with the error, until an admin retries them."""
    _change(transaction, message, state=PARKED, next_try_at=None, error=error)
    finished = {"due_at": None, "error_message": error, "attempts": logs.c.attempts + 1, "processed_at": now}
    transaction.execute(sa.update(logs).where(logs.c.message_id == message.message_id).values(finished))


def put_off(transaction: Transaction, message: Message, state: str, error: str, next_try_at: datetime) -> None:
    """The outcome is unknown, or Zulip refused for a moment: look at it again later."""
    _change(transaction, message, state=state, next_try_at=next_try_at, error=error)
    noted = {"error_message": error, "attempts": logs.c.attempts + 1}
    transaction.execute(sa.update(logs).where(logs.c.message_id == message.message_id).values(noted))


def look_again(transaction: Transaction, message: Message, at: datetime) -> None:
    """Look for the message once more later."""
    _change(transaction, message, next_try_at=at)


def told_by(transaction: Transaction, message: Message) -> int:
    """How many notifications the message tells."""
    query = sa.select(sa.func.count()).select_from(logs).where(logs.c.message_id == message.message_id)
    return transaction.scalar(query) or 0


def try_again(transaction: Transaction, message: Message, now: datetime) -> Message:
    """Commit to sending the same text once more."""
    _change(
        transaction,
        message,
        state=SENDING,
        tried_at=now,
        next_try_at=now + LOOK_AFTER,
        attempts=message.attempts + 1,
    )
    row = transaction.execute(sa.select(messages).where(messages.c.message_id == message.message_id)).one()
    return _message(row)


def release(transaction: Transaction, message: Message) -> None:
    """Take back a message that Zulip certainly does not have: its notifications are told anew."""
    of_message = logs.c.message_id == message.message_id
    transaction.execute(sa.update(logs).where(of_message).values(message_id=None))
    transaction.execute(sa.delete(messages).where(messages.c.message_id == message.message_id))


def postpone_unmapped(transaction: Transaction, now: datetime, due_at: datetime) -> int:
    """Make due later what is due to a student's mentor without Zulip account, saying why; gives how many that are."""
    reason = (
        sa.select(sa.func.coalesce(mentors.c.unmapped_reason, "no Zulip account"))
        .where(mentors.c.mentor_id == logs.c.mentor_id)
        .scalar_subquery()
    )
    unmapped = sa.select(mentors.c.mentor_id).where(mentors.c.zulip_user_id.is_(None))
    is_theirs = sa.exists().where(
        events.c.event_id == logs.c.event_id,
        mentor_students.c.student_id == events.c.student_id,
        mentor_students.c.mentor_id == logs.c.mentor_id,
    )
    waits = (logs.c.due_at <= now) & logs.c.message_id.is_(None) & logs.c.mentor_id.in_(unmapped) & is_theirs
    return transaction.execute(sa.update(logs).where(waits).values(due_at=due_at, error_message=reason)).rowcount


def hand_over(transaction: Transaction, given_up: Iterable[Notification], now: datetime) -> None:
    """Owe notifications to the students' mentors of today instead of one who is that no longer."""
    handed = list(given_up)
    if not handed:
        return
    link = mentor_students.c
    student_ids = {n.event.student_id for n in handed if n.event.student_id is not None}
    query = (
        sa.select(link.student_id, link.mentor_id)
        .join(mentors, mentors.c.mentor_id == link.mentor_id)
        .where(in_list(link.student_id, student_ids, transaction.dialect.name))
    )
    mentors_now: dict[int | None, list[int]] = {}
    for student_id, mentor_id in transaction.execute(query):
        mentors_now.setdefault(student_id, []).append(mentor_id)
    within = in_list(logs.c.log_id, [n.log_id for n in handed], transaction.dialect.name)
    finished = {"due_at": None, "error_message": NOT_THEIRS, "processed_at": now}
    transaction.execute(sa.update(logs).where(within).values(finished))
    rows = [
        {"event_id": n.event.event_id, "mentor_id": mentor_id, "due_at": n.due_at}
        for n in handed
        for mentor_id in mentors_now.get(n.event.student_id, ())
    ]
    if rows:
        insert = insert_into(transaction, logs)
        # The student may have come back to a mentor who was given up before.
        revived = {"due_at": insert.excluded.due_at, "error_message": None, "processed_at": None}
        statement = insert.on_conflict_do_update(
            index_elements=["event_id", "mentor_id"], set_=revived, where=logs.c.error_message == NOT_THEIRS
        )
        transaction.execute(statement, rows)


def known_ids(transaction: Transaction, zulip_message_ids: Collection[int]) -> set[int]:
    """Those of the ids that belong to messages already settled."""
    return set(
        transaction.scalars(
            sa.select(messages.c.zulip_message_id).where(
                in_list(messages.c.zulip_message_id, zulip_message_ids, transaction.dialect.name)
            )
        )
    )


def has_been_told(transaction: Transaction, mentor_id: int) -> bool:
    """Whether the mentor ever got a message of notifications."""
    query = sa.select(messages.c.message_id).where(messages.c.mentor_id == mentor_id, messages.c.state == SENT).limit(1)
    return transaction.scalar(query) is not None


def wake(transaction: Transaction, now: datetime, *states: str) -> None:
    """Look now at messages that are not settled and in one of `states`."""
    waiting = messages.c.state.in_(states) & (messages.c.next_try_at > now)
    transaction.execute(sa.update(messages).where(waiting).values(next_try_at=now))


def wake_waiting(transaction: Transaction, mentor_ids: Collection[int], now: datetime) -> None:
    """Make due now what waited for these mentors to get a Zulip account."""
    within = in_list(logs.c.mentor_id, mentor_ids, transaction.dialect.name)
    waiting = within & (logs.c.due_at > now) & logs.c.error_message.is_not(None)
    transaction.execute(sa.update(logs).where(waiting).values(due_at=now))


def _told_first_by(transaction: Transaction, message: Message) -> int:
    """How many events nobody was told of before this message; nobody else can tell one before the transaction ends."""
    counts.hold(transaction, counts.TOLD)
    before = logs.alias()
    was_told = sa.exists().where(before.c.event_id == logs.c.event_id, before.c.notification_sent)
    query = sa.select(sa.func.count(sa.distinct(logs.c.event_id)))
    return transaction.scalar(query.where(logs.c.message_id == message.message_id, ~was_told)) or 0


def _change(transaction: Transaction, message: Message, **values: Any) -> None:
    transaction.execute(sa.update(messages).where(messages.c.message_id == message.message_id).values(values))


def _message(row: Any) -> Message:
    recipient = Recipient(**{**row.recipient, "user_ids": tuple(row.recipient["user_ids"])})
    return Message(row.message_id, recipient, row.content, row.anchor_id, row.tried_at, row.attempts, row.mentor_id)
