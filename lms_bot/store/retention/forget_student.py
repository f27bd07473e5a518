"""Removes one student from the store, and finds the messages about them."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.store.academics import removal
from lms_bot.store.bulk import insert_into
from lms_bot.store.events import cursors
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.notifications import preferences
from lms_bot.store.people import display_names
from lms_bot.store.people.forgotten import digest
from lms_bot.store.retention import traces
from lms_bot.store.retention.names import Names
from lms_bot.store.retention.removal import Removed, remove_events
from lms_bot.store.retention.traces import Known
from lms_bot.store.session import Transaction
from lms_bot.store.tables import (
    alert_reminders,
    api_audit,
    dialogues,
    events,
    forgotten,
    logs,
    mentor_students,
    mentors,
    messages,
    outdated_snapshots,
    page_reports,
    sign_in_links,
    snapshots,
    streak_marks,
    streaks,
    student_alerts,
    student_days,
    student_zones,
    students,
    watched,
    web_sessions,
    zulip_users,
)

REMOVED = "(removed)"
PAGE = 1_000  # messages that are read at a time
_FILE_OF_SEVERAL = re.compile(r"📄 (?!\*\*)")  # a file about one student names that one in bold


class StudentMessage(NamedTuple):
    """A message of ours about a student; `others` are the events of other students that it tells as well."""

    message_id: int
    zulip_message_id: int | None
    is_settled: bool
    others: tuple[Event, ...]


def find_student(transaction: Transaction, name: int | str) -> Student | None:
    """Return the student with this LMS id or exact username: of today, of old events, or half forgotten already."""
    s, e = students.c, events.c
    by_id = isinstance(name, int)
    row = transaction.execute(sa.select(students).where(s.student_id == name if by_id else s.username == name)).first()
    if row is not None:
        return Student(**row._mapping)
    about = e.student_id == name if by_id else e.student_username == name
    query = sa.select(e.student_id, e.student_username).where(about, e.student_id.is_not(None))
    row = transaction.execute(query.order_by(e.event_id.desc()).limit(1)).first()
    if row is not None:
        today = transaction.execute(sa.select(students).where(s.student_id == row.student_id)).first()
        return Student(**today._mapping) if today else Student(row.student_id, row.student_username or "")
    is_forgotten = forgotten.c.student_id == name if by_id else forgotten.c.username_digest == digest(str(name))
    student_id = transaction.scalar(sa.select(forgotten.c.student_id).where(is_forgotten))
    return None if student_id is None else Student(student_id, "" if by_id else str(name))


def stop_recording(transaction: Transaction, student: Student, now: datetime) -> None:
    """Record nothing about the student from now on, and send nothing of what waits."""
    cursors.lock_all(transaction)  # a poll that stores a page now is waited for
    values = {"student_id": student.student_id, "username_digest": digest(student.username), "forgotten_at": now}
    transaction.execute(insert_into(transaction, forgotten).values(values).on_conflict_do_nothing())
    account = sa.select(students.c.zulip_user_id).where(students.c.student_id == student.student_id)
    is_mentors = zulip_users.c.user_id.in_(sa.select(mentors.c.zulip_user_id))  # read again with all accounts
    for of_account in (sign_in_links.c.zulip_user_id, web_sessions.c.zulip_user_id):
        transaction.execute(sa.delete(of_account.table).where(of_account.in_(account)))
    transaction.execute(sa.delete(zulip_users).where(zulip_users.c.user_id.in_(account), ~is_mentors))
    for table in (mentor_students, students):
        transaction.execute(sa.delete(table).where(table.c.student_id == student.student_id))
    waiting = logs.c.event_id.in_(_event_ids(student)) & logs.c.message_id.is_(None)
    transaction.execute(sa.update(logs).where(waiting).values(due_at=None))


def messages_about(transaction: Transaction, student: Student, known: Known) -> list[StudentMessage]:
    """Return our messages that tell events of the student, and answers that name them, or had a file that may."""
    m = messages.c
    message_ids = sa.select(logs.c.message_id).where(
        logs.c.event_id.in_(_event_ids(student)), logs.c.message_id.is_not(None)
    )
    tells = m.message_id.in_(message_ids)
    query = (
        sa.select(m.message_id, m.zulip_message_id, m.next_try_at, tells.label("tells"), m.content, m.recipient)
        .add_columns(m.attachment_name, m.attachment)
        .where(tells | m.mentor_id.is_(None), m.content != REMOVED)
        .order_by(m.message_id)
        .execution_options(yield_per=PAGE)
    )
    names, others = known.names, _others(transaction, student)
    return [
        StudentMessage(
            row.message_id, row.zulip_message_id, row.next_try_at is None, tuple(others.get(row.message_id, ()))
        )
        for row in transaction.execute(query)
        if row.tells
        or names.are_in([row.content, row.attachment_name])
        or names.are_in(row.attachment)
        or (_has_file_of_several(row) and known.mentor_accounts & set(row.recipient.get("user_ids") or ()))
    ]


def _has_file_of_several(row: Any) -> bool:
    """Return whether an answer came with a file about all students of a mentor, which we keep no copy of."""
    return bool(_FILE_OF_SEVERAL.match(row.content)) and (row.attachment_name or ".csv" in row.content)


def replace_text(transaction: Transaction, message_id: int, content: str = REMOVED) -> None:
    """Replace a message's text."""
    values = {"content": content, "attachment": None, "attachment_name": None}
    transaction.execute(sa.update(messages).where(messages.c.message_id == message_id).values(values))


def remove(transaction: Transaction, student: Student, names: Names) -> Removed:
    """Delete the student's events and notifications, and what else names them."""
    removal.forget_student(transaction, student.student_id, _is_about(student))
    removed = remove_events(transaction, _is_about(student))
    _remove_days(transaction, student.student_id)
    preferences.forget_student(transaction, student.student_id)
    transaction.execute(sa.delete(dialogues))  # of minutes ago; whom they name is not worth finding out
    traces.redact(transaction, names, REMOVED)
    return removed


def _remove_days(transaction: Transaction, student_id: int) -> None:
    of_student = sa.select(streaks.c.streak_id).where(streaks.c.student_id == student_id)
    transaction.execute(sa.delete(streak_marks).where(streak_marks.c.streak_id.in_(of_student)))
    alerts = sa.select(student_alerts.c.alert_id).where(student_alerts.c.student_id == student_id)
    transaction.execute(sa.delete(alert_reminders).where(alert_reminders.c.alert_id.in_(alerts)))
    own = (streaks, student_days, student_zones, student_alerts, watched, snapshots, outdated_snapshots, api_audit)
    for table in (*own, page_reports):
        transaction.execute(sa.delete(table).where(table.c.student_id == student_id))


def _others(transaction: Transaction, student: Student) -> dict[int, list[Event]]:
    """Return by message the events of other students, for the messages that tell events of this one."""
    theirs = sa.select(logs.c.message_id).where(
        logs.c.event_id.in_(_event_ids(student)), logs.c.message_id.is_not(None)
    )
    query = (
        sa.select(logs.c.message_id, *AS_EVENT)
        .join(events, events.c.event_id == logs.c.event_id)
        .where(logs.c.message_id.in_(theirs), ~_is_about(student))
        .order_by(events.c.timestamp, events.c.event_id)
    )
    found: dict[int, list[Event]] = defaultdict(list)
    for row in transaction.execute(query):
        found[row.message_id].append(from_row(row))
    return {message_id: display_names.named(transaction, of_one, ()) for message_id, of_one in found.items()}


def _event_ids(student: Student) -> sa.Select[tuple[int]]:
    return sa.select(events.c.event_id).where(_is_about(student))


def _is_about(student: Student) -> sa.ColumnElement[bool]:
    nameless = events.c.student_id.is_(None) & (events.c.student_username == student.username)
    return sa.func.coalesce((events.c.student_id == student.student_id) | nameless, sa.false())
