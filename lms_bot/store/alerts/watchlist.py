"""Which students the alert rules judge next, and the state of the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.db.lists import in_list
from lms_bot.store import state as notes
from lms_bot.store.bulk import insert_into, replace_rows
from lms_bot.store.session import Transaction
from lms_bot.store.tables import exam_durations, students, watched

FAILED_EXAMS = "failed_exams"  # the fact: exams that many may fail, and whose students
STATE = "rules"  # the fact: since when rules are looked at, and which are off


@dataclass(frozen=True, slots=True)
class RulesState:
    """Since when the rules run, which are off, and since when some are on again."""

    since: datetime
    off: frozenset[str] = frozenset()
    on_since: Mapping[str, datetime] = field(default_factory=dict)

    def watching_since(self, rule: str) -> datetime:
        """Return since when a rule is on."""
        return max(self.since, self.on_since.get(rule, self.since))


def rules_state(transaction: Transaction) -> RulesState | None:
    """Return the state of the rules; None before they run for the first time."""
    return _parse_state(notes.value(transaction, STATE))


def lock_rules_state(transaction: Transaction, now: datetime) -> RulesState:
    """Return the state of the rules under a lock, noted now if it was not."""
    kept = _parse_state(notes.lock(transaction, STATE))
    if kept is None:
        kept = RulesState(now)
        save_rules_state(transaction, kept, now)
    return kept


def save_rules_state(transaction: Transaction, kept: RulesState, now: datetime) -> None:
    """Save the state of the rules."""
    value = {
        "since": kept.since.isoformat(),
        "off": sorted(kept.off),
        "on_since": {rule: since.isoformat() for rule, since in kept.on_since.items()},
    }
    notes.note(transaction, STATE, value, now)


def begin_rule(transaction: Transaction, rule: str, now: datetime) -> None:
    """Note that a rule applies from now on; before the rules run for the first time, they all begin with them."""
    kept = rules_state(transaction)
    if kept is not None:
        save_rules_state(transaction, replace(kept, on_since={**kept.on_since, rule: now}), now)


def mark_due(transaction: Transaction, student_ids: Collection[int | None] | None, now: datetime) -> None:
    """Judge these students (all, for None) in the next turn, since something new is known of them."""
    if student_ids is None:
        transaction.execute(sa.update(watched).values(look_at=now))
    elif student_ids:
        within = in_list(watched.c.student_id, student_ids, transaction.dialect.name)
        in_order = sa.select(watched.c.student_id).where(within).order_by(watched.c.student_id).with_for_update()
        transaction.execute(in_order).all()  # two polls at once take the rows in one order, and so wait for one another
        transaction.execute(sa.update(watched).where(within).values(look_at=now))


def follow_students(transaction: Transaction, now: datetime) -> None:
    """Follow the students who are new in the LMS, and no more those who are gone."""
    known = sa.select(watched.c.student_id)
    new = sa.select(students.c.student_id, sa.literal(now, watched.c.look_at.type)).where(
        students.c.student_id.not_in(known)
    )
    insert = insert_into(transaction, watched).from_select(["student_id", "look_at"], new)
    transaction.execute(insert.on_conflict_do_nothing())
    transaction.execute(sa.delete(watched).where(watched.c.student_id.not_in(sa.select(students.c.student_id))))


def due(transaction: Transaction, now: datetime, most: int) -> list[int]:
    """Return the students to be judged by now."""
    query = sa.select(watched.c.student_id).where(watched.c.look_at <= now).order_by(watched.c.look_at).limit(most)
    return list(transaction.scalars(query))


def schedule(transaction: Transaction, moments: Mapping[int, datetime | None]) -> None:
    """Set when these students are judged next."""
    if moments:
        again = sa.update(watched).where(watched.c.student_id == sa.bindparam("of_id"))
        values = [{"of_id": student_id, "new_look": look_at} for student_id, look_at in sorted(moments.items())]
        transaction.execute(again.values(look_at=sa.bindparam("new_look", type_=watched.c.look_at.type)), values)


def note_failed(transaction: Transaction, pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """Note exams that students of mentors failed, as (exam id, mentor id), to be judged after all students."""
    if pairs:
        known = _pairs(notes.lock(transaction, FAILED_EXAMS))
        notes.note(transaction, FAILED_EXAMS, sorted(known.union(pairs)), now)


def failed_exams(transaction: Transaction) -> set[tuple[int, int]]:
    """Return the failed exams that wait to be judged."""
    return _pairs(notes.value(transaction, FAILED_EXAMS))


def clear_failed(transaction: Transaction) -> None:
    """Forget the failed exams, once they are judged."""
    notes.forget(transaction, FAILED_EXAMS)


def save_enrolment(
    transaction: Transaction, enrolled: Iterable[tuple[int, datetime]], durations: Mapping[int, int], now: datetime
) -> None:
    """Save since when students are enrolled and how many minutes exams take, writing only what differs."""
    exams = [{"exam_id": exam_id, "minutes": minutes} for exam_id, minutes in durations.items()]
    replace_rows(transaction, exam_durations, "exam_id", exams)
    query = sa.select(watched.c.student_id, watched.c.enrolled_at)
    known: dict[int, Any] = {row[0]: row[1] for row in transaction.execute(query)}
    changed = [(who, at) for who, at in enrolled if who in known and known[who] != at]
    if changed:
        statement = sa.update(watched).where(watched.c.student_id == sa.bindparam("of_id"))
        values = {"enrolled_at": sa.bindparam("at", type_=watched.c.enrolled_at.type), "look_at": now}
        transaction.execute(statement.values(values), [{"of_id": who, "at": at} for who, at in changed])


def _pairs(value: Any) -> set[tuple[int, int]]:
    return {(exam_id, mentor_id) for exam_id, mentor_id in value or ()}


def _parse_state(value: Mapping[str, Any] | None) -> RulesState | None:
    if value is None:
        return None
    on_since = {rule: datetime.fromisoformat(since) for rule, since in value["on_since"].items()}
    return RulesState(datetime.fromisoformat(value["since"]), frozenset(value["off"]), on_since)
