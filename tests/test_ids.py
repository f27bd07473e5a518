"""The id of something that was removed is never given again, on SQLite or on PostgreSQL."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lms_bot.core.alerts import Key, Opening, Rule, Verdict
from lms_bot.core.people import Student
from lms_bot.store import state, tables
from lms_bot.store.alerts import alerts
from lms_bot.store.bulk import insert_new
from lms_bot.store.people import people
from lms_bot.store.retention import forget_student, prune
from lms_bot.store.retention.names import Names
from lms_bot.store.session import Store, Transaction, open_store
from lms_bot.store.tables.base import Id, metadata
from tests import NOW
from tests.delivery_scenario import MARY, owe, several
from tests.test_migrations import load

_student_ids = itertools.count(1)
COUNTED = [table for table in metadata.sorted_tables if any(column.type is Id for column in table.primary_key)]


@pytest.mark.parametrize("table", COUNTED, ids=lambda table: table.name)
def test_c8_the_id_of_a_removed_row_is_not_given_again(store: Store, table: sa.Table) -> None:
    with store.writing() as transaction:
        if table is tables.logs:
            for number in (1, 2):
                insert(transaction, tables.events, number)
        removed = insert(transaction, table, 1)
    with store.writing() as transaction:
        transaction.execute(sa.delete(table))
        assert insert(transaction, table, 2) > removed


def test_c8_nor_is_the_id_of_a_removed_event_when_a_page_is_recorded(store: Store) -> None:
    with store.writing() as transaction:
        before = record(transaction, 1, 2)
        transaction.execute(sa.delete(tables.events))
        after = record(transaction, 3, 4)
        known, new = record(transaction, 4, 5)
    assert min(after) > max(before)
    assert known is None
    assert new > max(after)


def test_c8_a_mentor_never_knows_two_alerts_by_one_name(store: Store) -> None:
    with store.writing() as transaction:
        first = opened(transaction, 1001)
        transaction.execute(sa.delete(tables.student_alerts))
        second = opened(transaction, 1002)
    assert second != first


def record(transaction: Transaction, *source_ids: int) -> list[Any]:
    columns = tuple(column.name for column in tables.events.c if column.name != "event_id")
    rows = [[value_of(tables.events.c[name], source_id) for name in columns] for source_id in source_ids]
    return insert_new(transaction, tables.events, columns, rows, ("source_table", "source_id", "event_type"))


def opened(transaction: Transaction, student_id: int) -> str:
    key = Key(1, student_id, Rule.INACTIVE, 0)
    alerts.open_new(transaction, [Opening(key, Verdict(Rule.INACTIVE, NOW), NOW)], NOW)
    return next(one.name for one in alerts.open_for_mentors(transaction, [1]) if one.student_id == student_id)


def insert(transaction: Transaction, table: sa.Table, number: int) -> int:
    values = {c.name: value_of(c, number) for c in table.columns if not c.primary_key and not c.nullable}
    (key,) = table.primary_key
    return int(transaction.execute(sa.insert(table).values(values).returning(key)).scalar_one())


def value_of(column: sa.Column[Any], number: int) -> Any:
    if isinstance(column.type, sa.JSON):
        return {}
    if isinstance(column.type, sa.Date):
        return NOW.date()
    return {int: number, str: "kept", bool: False, float: 1.5}.get(column.type.python_type, NOW)


@pytest.mark.parametrize("schema", ["0001", "0003"])
def test_c8_nor_in_a_store_that_an_earlier_version_made(tmp_path: Path, schema: str) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    load(schema, url)
    store = open_store(url)
    with store.writing() as transaction:
        newest = transaction.scalar(sa.select(sa.func.max(tables.events.c.event_id)))
        transaction.execute(sa.delete(tables.logs))
        transaction.execute(sa.delete(tables.events))
        assert record(transaction, 99) == [newest + 1]
    store.close()


STEPS = st.lists(st.sampled_from(["events", "alert", "forget", "prune"]), min_size=4, max_size=20)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_e2_no_id_or_name_is_given_again_after_forget_and_retention(store: Store, steps: list[str]) -> None:
    now, names, ids = NOW, set(), ids_of(store)
    highest = {table: max(of_table, default=0) for table, of_table in ids.items()}
    for step in ["events", "alert", "forget", "events", "alert", "prune", *steps, "events", "alert"]:
        now += timedelta(days=1)
        if step in ("forget", "prune"):
            forget_all(store, now) if step == "forget" else prune_all(store, now)
        else:
            number = next(_student_ids)
            student = Student(number, f"student_{number}")
            with store.writing() as transaction:
                people.keep_people(transaction, [student], [MARY], {(MARY.mentor_id, number)}, now)
            owe(store, several(student, 2, at=now), at=now)
            if step == "alert":
                with store.writing() as transaction:
                    name = opened(transaction, number)
                assert name not in names
                names.add(name)
        before, ids = ids, ids_of(store)
        for table, of_table in ids.items():
            assert all(new > highest[table] for new in of_table - before[table]), (step, table)
            highest[table] = max(of_table | {highest[table]})


def ids_of(store: Store) -> dict[str, set[int]]:
    with store.reading() as transaction:
        return {table.name: set(transaction.scalars(sa.select(*table.primary_key))) for table in COUNTED}


def forget_all(store: Store, now: datetime) -> None:
    with store.writing() as transaction:
        query = sa.select(tables.events.c.student_id, tables.events.c.student_username).distinct()
        for student_id, username in transaction.execute(query).all():
            student = Student(student_id, username)
            forget_student.stop_recording(transaction, student, now)
            forget_student.remove(transaction, student, Names([username]))


def prune_all(store: Store, now: datetime) -> None:
    with store.writing() as transaction:
        state.forget(transaction, prune.POSITION)
    prune.prune_slice(store, 30, now + timedelta(days=1_000))
