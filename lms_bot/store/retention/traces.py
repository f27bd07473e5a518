"""Looks for what is known of one student: the names first, then whether any row still has one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.people import Student
from lms_bot.store import state
from lms_bot.store.retention.names import Names
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import (
    audit,
    events,
    facts,
    incidents,
    logs,
    mentor_students,
    mentors,
    messages,
    metadata,
    student_alerts,
    students,
    zulip_users,
)

PAGE = 1_000  # rows that are read at a time
# Each names the person whose row it is, and others may have the same name.
_OF_OTHERS = {"students", "mentors", "zulip_users"}
# What people typed and what went wrong; it names students only by chance.
_WORDS = (
    *(audit.c.command, audit.c.outcome, student_alerts.c.note),
    *(incidents.c.text, incidents.c.over_text, messages.c.error, logs.c.error_message),
)
_NAMELESS = sa.case((events.c.student_id.is_(None), events.c.student_username))  # maybe the student's, before
_NAMES_OF_OTHERS = {events.c.student_username, events.c.mentor_username}


class Known(NamedTuple):
    """What must be known to find a student after they are out of the tables: names, and their mentors' accounts."""

    names: Names
    mentor_accounts: frozenset[int]


def remember(transaction: Transaction, student: Student, now: datetime) -> Known:
    """Return what is known of the student now, and keep it for another run until nothing is left."""
    kept = state.value(transaction, _kept(student)) or {"names": [], "accounts": []}
    names = {student.username, student.email, student.display_name, f"#{student.student_id}", *kept["names"]}
    names |= _stored_names(transaction, student.student_id)
    found = sorted(name for name in names if name)
    accounts = sorted(_accounts_of_mentors(transaction, student.student_id) | set(kept["accounts"]))
    state.note(transaction, _kept(student), {"names": found, "accounts": accounts}, now)
    return Known(Names(found), frozenset(accounts))


def forget_names(transaction: Transaction, student: Student) -> None:
    """Forget what was kept to find the student."""
    state.forget(transaction, _kept(student))


def _stored_names(transaction: Transaction, student_id: int) -> set[str | None]:
    """Return the names in the tables, also those that a student had before."""
    s, e, z = students.c, events.c, zulip_users.c
    row = transaction.execute(
        sa.select(s.username, s.email, s.display_name, z.full_name, z.email)
        .select_from(students.outerjoin(zulip_users, z.user_id == s.zulip_user_id))
        .where(s.student_id == student_id)
    ).first()
    of_events = sa.select(e.student_username).where(e.student_id == student_id).distinct()
    return {*(row or ()), *transaction.scalars(of_events)}


def _accounts_of_mentors(transaction: Transaction, student_id: int) -> set[int]:
    """Return the accounts of those who are the student's mentors, or were told of them."""
    link, m = mentor_students.c, mentors.c
    linked = sa.select(link.mentor_id).where(link.student_id == student_id)
    theirs = sa.select(events.c.event_id).where(events.c.student_id == student_id)
    told = sa.select(logs.c.mentor_id).where(logs.c.event_id.in_(theirs))
    query = sa.select(m.zulip_user_id).where(m.mentor_id.in_(linked) | m.mentor_id.in_(told))
    return {account for account in transaction.scalars(query) if account is not None}


def redact(transaction: Transaction, names: Names, replacement: str) -> None:
    """Replace what people and errors said with one of the names."""
    for column in _WORDS:
        table = column.table
        (key,) = table.primary_key
        for row_key, text in transaction.execute(sa.select(key, column).where(column.is_not(None))).all():
            if names.are_in(text):
                transaction.execute(sa.update(table).where(key == row_key).values({column: replacement}))


def traces(transaction: Transaction, student: Student, names: Names) -> list[str]:
    """Return the table and key of every row that has one of the names, but for what is kept to find them."""
    found: list[str] = []
    for table in metadata.sorted_tables:
        columns: list[sa.ColumnElement[Any]] = [c for c in table.columns if _is_text(c)]
        columns += [_NAMELESS] if table is events else []
        if not columns or table.name in _OF_OTHERS:
            continue
        key = list(table.primary_key)
        rows = transaction.execute(sa.select(*key, *columns).execution_options(yield_per=PAGE))
        found += [
            " ".join(map(str, (table.name, *row[: len(key)])))
            for row in rows
            if any(map(names.are_in, row[len(key) :]))
        ]
    if (kept := f"{facts.name} {_kept(student)}") in found:
        found.remove(kept)
    return found


def wipe(store: Store) -> bool:
    """Take out of the files of a SQLite store what was removed from it; return whether that was possible now."""
    if store.engine.dialect.name != "sqlite":
        return True
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        (is_busy, _, _) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _kept(student: Student) -> str:
    return f"forgetting {student.student_id}"


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Text | sa.JSON | sa.LargeBinary) and column not in _NAMES_OF_OTHERS
