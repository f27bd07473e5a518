"""Which students are to be looked at by the rules, and what the rules go by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.db.lists import in_list
from lms_bot.store import state as notes
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import exam_durations, facts, students, watched

FAILED = "failed_exams"  # the fact: exams that many may fail, and whose students
STATE = "rules"  # the fact: since when rules are looked at, and which are off


@dataclass(frozen=True, slots=True)
class State:
    """Since when the rules are looked at, those that are off, and since when some others are on again."""

    since: datetime
    off: frozenset[str] = frozenset()
    on_since: Mapping[str, datetime] = field(default_factory=dict)

    def watching_since(self, rule: str) -> datetime:
        return max(self.since, self.on_since.get(rule, self.since))


def state(transaction: Transaction) -> State | None:
    """What is kept of the rules; None before they were looked at for the first time."""
    return _state(notes.value(transaction, STATE))


def hold(transaction: Transaction, now: datetime) -> State:
    """The same, noted now if it was not, while other transactions that look wait."""
    kept = _state(transaction.scalar(sa.select(facts.c.value).where(facts.c.name == STATE).with_for_update()))
    if kept is None:
        kept = State(now)
        keep(transaction, kept, now)
    return kept


def keep(transaction: Transaction, kept: State, now: datetime) -> None:
    value = {
        "since": kept.since.isoformat(),
        "off": sorted(kept.off),
        "on_since": {rule: since.isoformat() for rule, since in kept.on_since.items()},
    }
    notes.note(transaction, STATE, value, now)


def touch(transaction: Transaction, student_ids: Collection[int | None] | None, now: datetime) -> None:
    """Something is known of these students (of all, for None) that was not known before."""
    if student_ids is None:
        transaction.execute(sa.update(watched).values(look_at=now))
    elif student_ids:
        within = in_list(watched.c.student_id, student_ids, transaction.dialect.name)
        in_order = sa.select(watched.c.student_id).where(within).order_by(watched.c.student_id).with_for_update()
        transaction.execute(in_order).all()  # two polls at once take the rows in one order, and so wait for one another
        transaction.execute(sa.update(watched).where(within).values(look_at=now))


def add_new(transaction: Transaction, now: datetime) -> None:
    """Watch the students who are not watched yet, and no more those who are gone."""
    known = sa.select(watched.c.student_id)
    new = sa.select(students.c.student_id, sa.literal(now, watched.c.look_at.type)).where(
        students.c.student_id.not_in(known)
    )
    insert = insert_into(transaction, watched).from_select(["student_id", "look_at"], new)
    transaction.execute(insert.on_conflict_do_nothing())
    transaction.execute(sa.delete(watched).where(watched.c.student_id.not_in(sa.select(students.c.student_id))))


def due(transaction: Transaction, now: datetime, most: int) -> list[int]:
    """Students to be looked at by now."""
    query = sa.select(watched.c.student_id).where(watched.c.look_at <= now).order_by(watched.c.look_at).limit(most)
    return list(transaction.scalars(query))


def look_again(transaction: Transaction, moments: Mapping[int, datetime | None]) -> None:
    """Set when these students are to be looked at next."""
    if moments:
        again = sa.update(watched).where(watched.c.student_id == sa.bindparam("of_id"))
        values = [{"of_id": student_id, "new_look": look_at} for student_id, look_at in sorted(moments.items())]
        transaction.execute(again.values(look_at=sa.bindparam("new_look", type_=watched.c.look_at.type)), values)


def note_failed(transaction: Transaction, pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """Note exams that students of mentors failed, as (exam id, mentor id), to be judged after all looks."""
    if pairs:
        notes.note(transaction, FAILED, sorted({*failed(transaction), *pairs}), now)


def failed(transaction: Transaction) -> set[tuple[int, int]]:
    """What is noted to be judged."""
    return {(exam_id, mentor_id) for exam_id, mentor_id in notes.value(transaction, FAILED) or ()}


def forget_failed(transaction: Transaction) -> None:
    notes.forget(transaction, FAILED)


def keep_terms(
    transaction: Transaction, enrolled: Iterable[tuple[int, datetime]], durations: Mapping[int, int], now: datetime
) -> None:
    """Keep since when students are enrolled and how many minutes exams take, as the LMS says, writing what differs."""
    before: dict[int, Any] = {row[0]: row[1] for row in transaction.execute(sa.select(exam_durations))}
    if before != durations:
        transaction.execute(sa.delete(exam_durations))
        if durations:
            rows = [{"exam_id": exam_id, "minutes": minutes} for exam_id, minutes in durations.items()]
            transaction.execute(sa.insert(exam_durations), rows)
    query = sa.select(watched.c.student_id, watched.c.enrolled_at)
    known: dict[int, Any] = {row[0]: row[1] for row in transaction.execute(query)}
    changed = [(who, at) for who, at in enrolled if who in known and known[who] != at]
    if changed:
        statement = sa.update(watched).where(watched.c.student_id == sa.bindparam("of_id"))
        values = {"enrolled_at": sa.bindparam("at", type_=watched.c.enrolled_at.type), "look_at": now}
        transaction.execute(statement.values(values), [{"of_id": who, "at": at} for who, at in changed])


def _state(value: Mapping[str, Any] | None) -> State | None:
    if value is None:
        return None
    on_since = {rule: datetime.fromisoformat(since) for rule, since in value["on_since"].items()}
    return State(datetime.fromisoformat(value["since"]), frozenset(value["off"]), on_since)
