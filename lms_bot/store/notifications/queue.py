"""The queue of notifications: one row per event and mentor, due at a moment, finished when that is NULL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.detect import HISTORY_AGE
from lms_bot.core.events import ALERTING, FINISHING, EventType
from lms_bot.core.notifications import AT_ONCE, Notification
from lms_bot.db.lists import in_bound_list, in_list, list_value
from lms_bot.store import counters
from lms_bot.store.bulk import insert_into, insert_new
from lms_bot.store.events.events import from_row
from lms_bot.store.people import readings
from lms_bot.store.people.people import mentors_by_student
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, logs, mentor_students, mentors, messages, unsettled

NOT_THEIR_STUDENT = "no longer this student's mentor"
NOT_NOW = "not this student's mentor just now"  # and nobody else was told instead
NO_MENTOR = "the student has no mentor just now"
MENTOR_RETRY = timedelta(hours=1)  # what waits for a mentor is woken when there is one; this is for what that missed
TURNED_OFF = "turned off"
_is_given_up = (logs.c.error_message == NOT_THEIR_STUDENT) | (logs.c.error_message == NOT_NOW)
WITHDRAWN = "it was found later that this did not happen"
UNSENT = (
    sa.select(logs.c.log_id, logs.c.mentor_id, logs.c.due_at, logs.c.attempts, events)
    .join(events, events.c.event_id == logs.c.event_id)
    .where(logs.c.due_at.is_not(None), logs.c.message_id.is_(None))
    .order_by(events.c.timestamp, events.c.event_id)
)
_UNSENT = UNSENT.where(logs.c.mentor_id == sa.bindparam("mentor_id"))
_DUE = _UNSENT.where(logs.c.due_at <= sa.bindparam("now"))

_told, _other = mentors.alias("told"), mentors.alias("other")
_under_way = sa.exists().where(messages.c.mentor_id == logs.c.mentor_id, unsettled)
_same_person = (
    sa.select(_other.c.mentor_id)
    .join(_told, _told.c.zulip_user_id == _other.c.zulip_user_id)
    .join(messages, messages.c.mentor_id == _told.c.mentor_id)
    .where(unsettled)
)
_DUE_MENTORS = (  # made once: each turn of delivery asks
    sa.select(logs.c.mentor_id)
    .where(logs.c.due_at <= sa.bindparam("now"), logs.c.message_id.is_(None), ~_under_way)
    .where(logs.c.mentor_id.not_in(_same_person))
    .group_by(logs.c.mentor_id)
    .order_by(sa.func.min(logs.c.due_at))
    .limit(sa.bindparam("most"))
)
_DUE_MENTORS_OF = _DUE_MENTORS.join(events, events.c.event_id == logs.c.event_id).where(
    events.c.event_type.in_(sa.bindparam("kinds", expanding=True))
)


def enqueue(transaction: Transaction, entries: Sequence[tuple[int, int, datetime, str]]) -> None:
    """Add events to the queues of mentors, as (event id, mentor id, due at, decision); what is there stays as it is."""
    if entries:
        columns = ("event_id", "mentor_id", "due_at", "decision")
        insert_new(transaction, logs, columns, entries, natural_key=columns[:2])


def due_mentors(
    transaction: Transaction, now: datetime, most: int, only: Collection[EventType] | None = None
) -> list[int]:
    """Return the mentors with notifications due and no message under way, the longest waiting first.

    Nobody, while it is in doubt whose students are whose.
    """
    if readings.are_in_doubt(transaction, now):
        return []
    values = {"now": now, "most": most}
    if only is None:
        return list(transaction.scalars(_DUE_MENTORS, values))
    return list(transaction.scalars(_DUE_MENTORS_OF, {**values, "kinds": list(only)}))


def due(
    transaction: Transaction, mentor_id: int, now: datetime, only: Collection[EventType] | None = None
) -> list[Notification]:
    """Return what is due to one mentor and not in a message yet, oldest event first."""
    query = _DUE if only is None else _DUE.where(events.c.event_type.in_(only))
    return notifications_of(transaction, query, {"mentor_id": mentor_id, "now": now})


def unsent_to(transaction: Transaction, mentor_id: int) -> list[Notification]:
    """Return what waits for one mentor and is not in a message yet, due or not, oldest event first."""
    return notifications_of(transaction, _UNSENT, {"mentor_id": mentor_id})


def postpone(transaction: Transaction, log_ids: Collection[int], due_at: datetime, decision: str | None = None) -> None:
    """Postpone notifications until `due_at`, by a decision about them, or by what says nothing of its reasons."""
    _change(transaction, log_ids, due_at=due_at, **({"decision": decision} if decision else {}))


def finish_unwanted(transaction: Transaction, log_ids: Collection[int], now: datetime) -> None:
    """Finish notifications that their mentor does not want any more."""
    finish(transaction, log_ids, TURNED_OFF, now)


def finish(transaction: Transaction, log_ids: Collection[int], reason: str, now: datetime) -> None:
    """Finish notifications without sending them."""
    _change(transaction, log_ids, due_at=None, error_message=reason, processed_at=now)


def withdraw(transaction: Transaction, event_ids: Collection[int], now: datetime, reason: str = WITHDRAWN) -> None:
    """Finish notifications, not in a message yet, of events that did not happen after all, or for another reason."""
    if not event_ids:
        return
    within = in_list(logs.c.event_id, event_ids, transaction.dialect.name)
    unsent_to = within & logs.c.due_at.is_not(None) & logs.c.message_id.is_(None)
    values = {"due_at": None, "error_message": reason, "processed_at": now}
    transaction.execute(sa.update(logs).where(unsent_to).values(values))


def fold_starts(transaction: Transaction, log_ids: Collection[int], now: datetime) -> set[int]:
    """Finish the starts among these whose ends were sent to the same mentor: they take the messages of those."""
    dialect = transaction.dialect.name
    values = {"log_ids": list_value(log_ids, dialect), "now": now}
    counters.lock(transaction, counters.NOTIFIED)
    folded = set(transaction.scalars(_folding(dialect), values))
    if folded:
        other = logs.alias()
        told_before = sa.exists().where(
            other.c.event_id == logs.c.event_id, other.c.log_id != logs.c.log_id, other.c.notification_sent
        )
        first = sa.select(sa.func.count()).where(in_list(logs.c.log_id, folded, dialect), ~told_before)
        counters.add(transaction, counters.NOTIFIED, transaction.scalar(first) or 0)
    return folded


@cache
def _folding(dialect: str) -> sa.UpdateBase:
    start, end, told = events.alias("start"), events.alias("end"), logs.alias("told")
    starts = [kind.value for kind in EventType if kind.is_start]
    of_end = (
        sa.select(told.c.notification_message_id)
        .select_from(start.join(end, _is_same_row(start, end)).join(told, told.c.event_id == end.c.event_id))
        .where(
            start.c.event_id == logs.c.event_id,
            start.c.event_type.in_(starts),
            end.c.event_type.in_(FINISHING),
            told.c.mentor_id == logs.c.mentor_id,
            told.c.notification_sent,
        )
        .limit(1)
    )
    folded: dict[str, Any] = {
        "due_at": None,
        "notification_sent": True,
        "notification_message_id": of_end.scalar_subquery(),
        "error_message": None,
        "processed_at": sa.bindparam("now"),
    }
    within = in_bound_list(logs.c.log_id, "log_ids", dialect)
    return sa.update(logs).where(within, of_end.exists()).values(folded).returning(logs.c.log_id)


def _is_same_row(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(one.c[name] == other.c[name] for name in ("source_table", "source_id", "episode")))


def postpone_unmapped(transaction: Transaction, now: datetime, due_at: datetime) -> int:
    """Postpone what is due to mentors without a Zulip account, with the reason; return how many that are."""
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
    ) | sa.exists().where(events.c.event_id == logs.c.event_id, events.c.event_type.in_(ALERTING))
    waits = (logs.c.due_at <= now) & logs.c.message_id.is_(None) & logs.c.mentor_id.in_(unmapped) & is_theirs
    return transaction.execute(sa.update(logs).where(waits).values(due_at=due_at, error_message=reason)).rowcount


def reassign(transaction: Transaction, given_up: Iterable[Notification], now: datetime) -> None:
    """Move notifications to the students' mentors of today from one who is that no longer.

    Where there is none just now they wait, as long as they are no history. What nobody takes over, since the others
    were owed it themselves, and an alert, which is nobody else's, is finished until the student is that mentor's again.
    """
    handed = list(given_up)
    if not handed:
        return
    mentors_now = mentors_by_student(transaction, {n.event.student_id or 0 for n in handed})
    of_others = [n for n in handed if not n.event.event_type.is_alert]
    waits = {n.log_id for n in of_others if (n.event.student_id or 0) not in mentors_now and _is_recent(n, now)}
    owed = _owed_themselves(transaction, {n.event.event_id for n in of_others})
    taken = [
        (n, mentor_id)
        for n in of_others
        for mentor_id in mentors_now.get(n.event.student_id or 0, ())
        if (n.event.event_id, mentor_id) not in owed
    ]
    taken_over = {n.log_id for n, _ in taken}
    _change(transaction, waits, due_at=now + MENTOR_RETRY, error_message=NO_MENTOR)
    finish(transaction, taken_over, NOT_THEIR_STUDENT, now)
    finish(transaction, {n.log_id for n in handed} - waits - taken_over, NOT_NOW, now)
    rows = [
        {"event_id": n.event.event_id, "mentor_id": mentor_id, "due_at": now, "decision": AT_ONCE}
        for n, mentor_id in taken
    ]
    if rows:
        insert = insert_into(transaction, logs)
        # The student may have come back to a mentor who was given up before.
        revived = {"due_at": now, "decision": AT_ONCE, "error_message": None, "processed_at": None}
        statement = insert.on_conflict_do_update(
            index_elements=["event_id", "mentor_id"], set_=revived, where=_is_given_up
        )
        transaction.execute(statement, rows)


def _owed_themselves(transaction: Transaction, event_ids: Collection[int]) -> set[tuple[int, int]]:
    """Return who was owed which of these events, as (event id, mentor id), and was not given up as its mentor."""
    if not event_ids:
        return set()
    within = in_list(logs.c.event_id, event_ids, transaction.dialect.name)
    query = sa.select(logs.c.event_id, logs.c.mentor_id).where(within, _is_given_up.is_not(sa.true()))
    return {(row.event_id, row.mentor_id) for row in transaction.execute(query)}


def _is_recent(notification: Notification, now: datetime) -> bool:
    return now - notification.found_at <= HISTORY_AGE


def make_mapped_due(transaction: Transaction, mentor_ids: Collection[int], now: datetime) -> None:
    """Make due now what waited for these mentors to get a Zulip account."""
    within = in_list(logs.c.mentor_id, mentor_ids, transaction.dialect.name)
    unsent_to = within & (logs.c.due_at > now) & logs.c.error_message.is_not(None)
    transaction.execute(sa.update(logs).where(unsent_to).values(due_at=now))


def notifications_of(transaction: Transaction, query: sa.Select[Any], values: Mapping[str, Any]) -> list[Notification]:
    """Return the notifications from rows that have the columns of `UNSENT`."""
    return [
        Notification(row.log_id, row.mentor_id, row.due_at, from_row(row), row.attempts, row.created_at)
        for row in transaction.execute(query, values).all()
    ]


def _change(transaction: Transaction, log_ids: Collection[int], **values: Any) -> None:
    if log_ids:
        within = in_list(logs.c.log_id, log_ids, transaction.dialect.name)
        transaction.execute(sa.update(logs).where(within).values(values))
