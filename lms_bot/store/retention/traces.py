"""Taking one student out of the store: what is about them, and its removal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.store.bulk import insert_into
from lms_bot.store.events import cursors
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.notifications import preferences
from lms_bot.store.people.forgotten import digest
from lms_bot.store.retention.removal import Removed, remove_events
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    alert_reminders,
    audit,
    dialogues,
    events,
    forgotten,
    logs,
    mentor_students,
    messages,
    streak_marks,
    streaks,
    student_alerts,
    student_days,
    student_zones,
    students,
    watched,
)

REMOVED = "(removed)"


class Trace(NamedTuple):
    """A message of ours about a student; `others` are the events of other students that it tells as well."""

    message_id: int
    zulip_message_id: int | None
    is_settled: bool
    others: tuple[Event, ...]


def student(transaction: Transaction, who: int | str) -> Student | None:
    """The student with this LMS id or exact username: of today, of old events, or half forgotten already."""
    s, e = students.c, events.c
    by_id = isinstance(who, int)
    row = transaction.execute(sa.select(students).where(s.student_id == who if by_id else s.username == who)).first()
    if row is not None:
        return Student(**row._mapping)
    about = e.student_id == who if by_id else e.student_username == who
    query = sa.select(e.student_id, e.student_username).where(about, e.student_id.is_not(None))
    row = transaction.execute(query.order_by(e.event_id.desc()).limit(1)).first()
    if row is not None:
        return Student(row.student_id, row.student_username or "")
    is_forgotten = forgotten.c.student_id == who if by_id else forgotten.c.username_digest == digest(str(who))
    student_id = transaction.scalar(sa.select(forgotten.c.student_id).where(is_forgotten))
    return None if student_id is None else Student(student_id, "" if by_id else str(who))


def stop(transaction: Transaction, whom: Student, now: datetime) -> None:
    """From now on nothing is recorded about the student, and nothing that waits is told."""
    cursors.lock_all(transaction)  # a poll that stores a page now is waited for
    values = {"student_id": whom.student_id, "username_digest": digest(whom.username), "forgotten_at": now}
    transaction.execute(insert_into(transaction, forgotten).values(values).on_conflict_do_nothing())
    for table in (mentor_students, students):
        transaction.execute(sa.delete(table).where(table.c.student_id == whom.student_id))
    waiting = logs.c.event_id.in_(_event_ids(whom)) & logs.c.message_id.is_(None)
    transaction.execute(sa.update(logs).where(waiting).values(due_at=None))


def traces(transaction: Transaction, whom: Student, spellings: Collection[str]) -> list[Trace]:
    """Our messages that tell events of the student, and our answers with one of these spellings of who they are."""
    m = messages.c
    told = sa.select(logs.c.message_id).where(logs.c.event_id.in_(_event_ids(whom)), logs.c.message_id.is_not(None))
    names = sa.or_(*(m.content.contains(spelling, autoescape=True) for spelling in spellings))
    query = (
        sa.select(m.message_id, m.mentor_id, m.zulip_message_id, m.next_try_at, m.content)
        .where(m.message_id.in_(told) | (m.mentor_id.is_(None) & names), m.content != REMOVED)
        .order_by(m.message_id)
    )
    is_named = re.compile("|".join(rf"(?<!\w){re.escape(spelling)}(?!\w)" for spelling in spellings)).search
    others = _others(transaction, whom)
    return [
        Trace(row.message_id, row.zulip_message_id, row.next_try_at is None, tuple(others.get(row.message_id, ())))
        for row in transaction.execute(query).all()
        if row.mentor_id is not None or is_named(row.content)
    ]


def rewrite(transaction: Transaction, message_id: int, content: str = REMOVED) -> None:
    """Keep this as a message's text."""
    values = {"content": content, "attachment": None, "attachment_name": None}
    transaction.execute(sa.update(messages).where(messages.c.message_id == message_id).values(values))


def remove(transaction: Transaction, whom: Student, spellings: Collection[str]) -> Removed:
    """Delete the student's events and notifications, and what else names them."""
    removed = remove_events(transaction, _is_about(whom))
    _remove_days(transaction, whom.student_id)
    preferences.forget_student(transaction, whom.student_id)
    transaction.execute(sa.delete(dialogues))  # of minutes ago; whom they name is not worth finding out
    for spelling in spellings:
        names = audit.c.command.contains(spelling, autoescape=True) | audit.c.outcome.contains(
            spelling, autoescape=True
        )
        transaction.execute(sa.update(audit).where(names).values(command=REMOVED, outcome=REMOVED))
    return removed


def _remove_days(transaction: Transaction, student_id: int) -> None:
    of_student = sa.select(streaks.c.streak_id).where(streaks.c.student_id == student_id)
    transaction.execute(sa.delete(streak_marks).where(streak_marks.c.streak_id.in_(of_student)))
    alerts = sa.select(student_alerts.c.alert_id).where(student_alerts.c.student_id == student_id)
    transaction.execute(sa.delete(alert_reminders).where(alert_reminders.c.alert_id.in_(alerts)))
    for table in (streaks, student_days, student_zones, student_alerts, watched):
        transaction.execute(sa.delete(table).where(table.c.student_id == student_id))


def _others(transaction: Transaction, whom: Student) -> dict[int, list[Event]]:
    """By message, what it tells of other students than this one, as far as it tells of this one."""
    theirs = sa.select(logs.c.message_id).where(logs.c.event_id.in_(_event_ids(whom)), logs.c.message_id.is_not(None))
    query = (
        sa.select(logs.c.message_id, *AS_EVENT)
        .join(events, events.c.event_id == logs.c.event_id)
        .where(logs.c.message_id.in_(theirs), ~_is_about(whom))
        .order_by(events.c.timestamp, events.c.event_id)
    )
    found: dict[int, list[Event]] = defaultdict(list)
    for row in transaction.execute(query):
        found[row.message_id].append(from_row(row))
    return found


def _event_ids(whom: Student) -> sa.Select[tuple[int]]:
    return sa.select(events.c.event_id).where(_is_about(whom))


def _is_about(whom: Student) -> sa.ColumnElement[bool]:
    nameless = events.c.student_id.is_(None) & (events.c.student_username == whom.username)
    return sa.func.coalesce((events.c.student_id == whom.student_id) | nameless, sa.false())
