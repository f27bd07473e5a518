"""Old rows of what nobody needs are removed, a batch at a time, and nothing that is still needed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.store import state, tables
from lms_bot.store.questions.claims import CAUGHT_UP_TO, OVERLAP
from lms_bot.store.retention import cleanup, removal
from lms_bot.store.session import Store
from tests import NOW

DAY = timedelta(days=1)


def fill(store: Store, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    with store.writing() as transaction:
        transaction.execute(sa.insert(table), rows)


def left(store: Store, key: sa.Column[Any]) -> list[int]:
    with store.reading() as transaction:
        return list(transaction.scalars(sa.select(key).order_by(key)))


def claims(store: Store, **ages: datetime) -> None:
    fill(store, tables.claims, [{"zulip_message_id": int(i[1:]), "claimed_at": at} for i, at in ages.items()])


def caught_up(store: Store, newest: int) -> None:
    with store.writing() as transaction:
        state.note(transaction, CAUGHT_UP_TO, {"first": 1, "newest": newest}, NOW)


def test_the_audit_is_kept_for_a_year(store: Store) -> None:
    row = {"zulip_user_id": 1, "command": "poll", "outcome": "done"}
    fill(store, tables.audit, [{**row, "at": NOW - days * DAY} for days in (366, 365, 364, 1)])
    assert cleanup.remove_outdated(store, NOW) == 1
    assert left(store, tables.audit.c.audit_id) == [2, 3, 4]


def test_who_asked_what_is_forgotten_after_days(store: Store) -> None:
    ages = {1: 3 * DAY, 2: timedelta(hours=1)}
    fill(store, tables.askers, [{"zulip_user_id": i, "since": NOW - age, "questions": 1} for i, age in ages.items()])
    fill(
        store, tables.dialogues, [{"zulip_user_id": i, "content": {}, "asked_at": NOW - age} for i, age in ages.items()]
    )
    assert cleanup.remove_outdated(store, NOW) == 2
    assert left(store, tables.askers.c.zulip_user_id) == left(store, tables.dialogues.c.zulip_user_id) == [2]


def test_a_claim_stays_while_its_question_may_be_looked_at_again(store: Store) -> None:
    old = NOW - 400 * DAY
    claims(store, _100=old, _4799=old, _4800=old, _5000=old, _101=NOW - DAY)
    assert cleanup.remove_outdated(store, NOW) == 0, "nobody has looked for questions yet"
    caught_up(store, 4800 + OVERLAP)
    assert cleanup.remove_outdated(store, NOW + DAY) == 2
    assert left(store, tables.claims.c.zulip_message_id) == [101, 4800, 5000]


def test_it_is_done_once_a_day_and_across_restarts(store: Store) -> None:
    cleanup.remove_outdated(store, NOW)
    row = {"zulip_user_id": 1, "command": "poll", "outcome": "done", "at": NOW - 400 * DAY}
    fill(store, tables.audit, [row])
    assert cleanup.remove_outdated(store, NOW + timedelta(hours=23)) == 0
    assert cleanup.remove_outdated(store, NOW + timedelta(hours=24)) == 1


def test_many_rows_go_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 10)
    monkeypatch.setattr(cleanup, "MOST_BATCHES", 3)
    row = {"zulip_user_id": 1, "command": "poll", "outcome": "done", "at": NOW - 400 * DAY}
    fill(store, tables.audit, [row] * 35)
    assert cleanup.remove_outdated(store, NOW) == 30
    assert cleanup.remove_outdated(store, NOW + DAY) == 5
