"""Behind a pooler nothing of ours is left in a session, and the doctor says where a lease cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from lms_bot.db.engine import lms_engine
from lms_bot.store import state
from lms_bot.store.bulk import insert_new
from lms_bot.store.operations import inspection
from lms_bot.store.session import open_store
from lms_bot.store.tables import events
from tests import NOW
from tests.doctor_scenario import POSTGRESQL, examine, levels, well
from tests.lms_rows import PollingWatch
from tests.pg import address
from tests.pooler import SESSIONS, transaction_pooler
from tests.shell import FAILED, Shell, shell

__all__ = ["shell", "well"]

OURS = "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name !~ '^(DateStyle|client_encoding)$'"
TEMPORARY = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"


@pytest.fixture
def pooled(postgresql: str) -> Iterator[str]:
    with transaction_pooler(postgresql) as url:
        yield url


def left_behind(url: str) -> list[tuple[str, str]]:
    """What is set in the sessions that the next ones get, after so many transactions that each had its turn."""
    connection = psycopg2.connect(address(url))
    connection.autocommit = True
    found = []
    with connection.cursor() as cursor:
        for _ in range(2 * SESSIONS):
            cursor.execute(OURS)
            found += cursor.fetchall()
    connection.close()
    return found


def test_c6_nothing_of_ours_lives_in_a_session_of_the_lms(pooled: str) -> None:
    engine = lms_engine(pooled)
    for _ in range(2 * SESSIONS):
        with engine.connect() as connection, connection.begin():
            shown = [connection.scalar(sa.text(f"SHOW {name}")) for name in ("statement_timeout", "timezone")]
            assert shown == ["30s", "UTC"]
            assert connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
            assert connection.scalar(sa.text("SHOW transaction_isolation")) == "repeatable read"
        assert left_behind(pooled) == []
    engine.dispose()


def test_c6_a_connection_is_looked_at_again_without_setting_anything(pooled: str) -> None:
    engine = lms_engine(pooled)
    raw: Any = engine.raw_connection()
    for _ in range(SESSIONS + 1):  # each part of the look in another session
        assert engine.dialect.do_ping(raw.driver_connection)
        assert left_behind(pooled) == []
    raw.close()
    engine.dispose()


def test_c6_nor_in_a_session_of_the_store(pooled: str) -> None:
    store = open_store(pooled)
    for number in range(2 * SESSIONS):
        with store.writing(durable=number % 2 == 0) as transaction:
            state.note(transaction, "polled", number, NOW)
    store.close()
    assert left_behind(pooled) == []


@pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)
def test_c6_the_bot_polls_through_a_pooler(lms_url: str, pooled: str) -> None:
    with transaction_pooler(lms_url) as lms:
        watch = PollingWatch(lms, pooled)
        watch.poll()
        for number in range(1, 7):
            watch.rows.insert_attempt(number, user_id=1001, exam_id=501, state="completed", result="pass")
            watch.rows.update_attempt(1, state="completed", result="fail" if number % 2 else "pass")
            watch.poll()
        assert {fact[1] for fact in watch.facts()} == set(range(1, 7))
        assert left_behind(lms) == left_behind(pooled) == []
        watch.close()


def test_c6_no_temporary_table_outlives_its_transaction(pooled: str) -> None:
    store = open_store(pooled)
    row = ["exam_passed", {}, NOW, NOW, "attempts", 1, 1]
    columns = ("event_type", "activity_metadata", "timestamp", "created_at", "source_table", "source_id", "fingerprint")
    for _ in range(2 * SESSIONS):
        with store.writing() as transaction:
            for _ in range(2):
                insert_new(transaction, events, columns, [row], ("source_table", "source_id", "event_type"))
        with store.reading() as transaction:
            assert transaction.scalar(sa.text(TEMPORARY)) == 0
    store.close()


@POSTGRESQL
def test_c6_the_doctor_says_where_a_lease_cannot_hold(well: Shell) -> None:
    assert examine(well)["store lease"][0] == "ok"
    with transaction_pooler(well.store_url) as well.store_url:
        found = examine(well, FAILED)
    assert levels(found) == {"store lease": "failed"}
    assert "pool_mode = session" in found["store lease"][2]


def test_c6_a_session_that_is_never_shared_holds_a_lease(postgresql: str, pooled: str) -> None:
    for _ in range(SESSIONS):
        assert inspection.keeps_sessions(postgresql)
        assert not inspection.keeps_sessions(pooled)
