"""A store that is copied into another database is the same there, whatever interrupts it, and the bot goes on."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.notifications import Recipient
from lms_bot.errors import StoreUnavailable, UserError
from lms_bot.store.copy import ids, rows
from lms_bot.store.copy.copy_store import Copied, NotTheSame, copy_store
from lms_bot.store.notifications import outbox
from lms_bot.store.operations.lease import Lease
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import audit
from tests import NOW
from tests.bot_process import BIN, JANE, PATIENCE, from_store, in_store, wait_for
from tests.databases import store_in_file
from tests.lms_rows import Watch
from tests.shell import FAILED, WRONG_USE, Shell, lms_bot, shell

__all__ = ["shell"]

ODD = "Гульнора \\ 'O'Brien' \t\n\r\"\\N\" 🎉 e\u0301"
MANY = 2 * rows.PAGE + 3  # of one table, so that it has several pages
FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def value(column: sa.Column[Any], number: int) -> Any:
    """A value that the column can hold, another one for each number."""
    if column.nullable and number % 3 == 0:
        return None
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"n": number, "text": f"{ODD}\u0000", "deep": [1.5, None, True, -(2**53)]}
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, sa.Double):
        return number / 3
    if isinstance(kind, sa.Date):
        return date(2026, 1, 1) + timedelta(days=number)
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(256)) * (number % 3)
    if isinstance(kind, sa.String):
        return f"{number} {ODD}"[: kind.length]
    if isinstance(kind, sa.Integer):
        return number
    return NOW + timedelta(seconds=number, microseconds=number)


def fill(store: Store, few: int = 7) -> None:
    """Rows in every table, with all that its columns can hold; several pages in one of them."""
    with store.writing() as transaction:
        for table in rows.tables():
            count = MANY if table is audit else few
            some = [{c.name: value(c, number) for c in table.columns} for number in range(1, count + 1)]
            for row in some if table.foreign_keys else ():
                row.update({key.parent.name: row[table.primary_key.columns[0].name] for key in table.foreign_keys})
            transaction.execute(sa.insert(table), some)
        ids.go_on_above(transaction, ids.highest_given(transaction))


def dump(url: str) -> dict[str, list[Any]]:
    """Everything that is in a store, in an order that no database changes."""
    store = open_store(url)
    found: dict[str, list[Any]] = {}
    with store.reading() as transaction:
        for table in rows.tables():
            found[table.name] = sorted(repr(tuple(row)) for row in transaction.execute(sa.select(table)))
    store.close()
    return found


def copied(from_url: str, to_url: str) -> Copied:
    return copy_store(from_url, to_url, "this one", lambda *_: None)


@pytest.fixture
def filled_url(store_url: str) -> str:
    store = open_store(store_url)
    fill(store)
    store.close()
    return store_url


@pytest.fixture
def other_url(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the other kind of database can be made."""
    if store_url.startswith("sqlite"):
        return str(request.getfixturevalue("postgresql"))
    return f"sqlite:///{tmp_path}/other.db"


@pytest.fixture
def full_watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    watch = Watch(lms_url, store_beside)
    yield watch
    watch.close()


def test_c13_a_store_that_went_there_and_back_is_the_same(filled_url: str, other_url: str, tmp_path: Path) -> None:
    there = copied(filled_url, other_url)
    assert there.rows == there.copied == sum(len(found) for found in dump(filled_url).values())
    assert dump(other_url) == dump(filled_url)
    back_url = f"sqlite:///{tmp_path}/back.db"
    back = copied(other_url, back_url)
    assert back.tables == there.tables
    assert dump(back_url) == dump(filled_url)


def test_c13_ids_go_on_above_all_that_were_ever_given(filled_url: str, other_url: str) -> None:
    source = open_store(filled_url)
    with source.writing() as transaction:
        ids.go_on_above(transaction, {**ids.highest_given(transaction), "messages": 500})
        given = ids.highest_given(transaction)
    source.close()
    copied(filled_url, other_url)
    store = open_store(other_url)
    with store.writing() as transaction:
        assert ids.highest_given(transaction)["messages"] == given["messages"] == 500
        assert ids.highest_given(transaction)["audit"] == given["audit"] == MANY
        row = {"zulip_user_id": 1, "command": "x", "outcome": "x", "at": NOW}
        assert transaction.execute(sa.insert(audit).values(row)).inserted_primary_key == (MANY + 1,)
        assert outbox.freeze(transaction, outbox.Draft(Recipient(user_ids=(1,)), "x"), NOW).message_id == 501
    store.close()


def test_c13_a_target_that_is_not_empty_is_refused_and_left_alone(filled_url: str, other_url: str) -> None:
    store = open_store(other_url)
    with store.writing() as transaction:
        transaction.execute(sa.insert(audit).values(zulip_user_id=1, command="x", outcome="x", at=NOW))
    store.close()
    before = dump(other_url)
    with pytest.raises(UserError, match="not empty"):
        copied(filled_url, other_url)
    assert dump(other_url) == before


def test_c13_a_database_of_others_is_refused_and_left_alone(filled_url: str, lms_url: str) -> None:
    with pytest.raises(UserError, match="other tables"):
        copied(filled_url, lms_url)
    engine = sa.create_engine(lms_url, poolclass=sa.NullPool)
    assert not sa.inspect(engine).has_table("alembic_version")


def test_c13_a_source_of_another_version_is_refused_and_left_alone(filled_url: str, other_url: str) -> None:
    in_store(filled_url, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(UserError, match="lms-bot migrate"):
        copied(filled_url, other_url)
    assert from_store(filled_url, "SELECT version_num FROM alembic_version") == [("0002",)]


def test_c13_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not there"):
        copied(f"sqlite:///{tmp_path}/none.db", f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("which", ["source", "target"])
def test_c13_nothing_is_copied_while_a_bot_works(filled_url: str, other_url: str, which: str) -> None:
    store = open_store(filled_url if which == "source" else other_url)
    lease = Lease(store)
    assert lease.take()
    with pytest.raises(UserError, match=f"a bot works with the {which}"):
        copied(filled_url, other_url)
    lease.give_up()
    store.close()
    copied(filled_url, other_url)


class Interrupted(Exception):
    """What stops a copy in these tests."""


def interrupted(from_url: str, to_url: str, step: str = "Copying", at: int = rows.PAGE) -> None:
    """Copy until so many rows of a step are done."""

    def show(now: str, done: int, _total: int) -> None:
        if now == step and done >= at:
            raise Interrupted

    with pytest.raises(Interrupted):
        copy_store(from_url, to_url, "this one", show)


def test_c13_an_unfinished_copy_is_opened_by_no_bot_and_goes_on(filled_url: str, other_url: str) -> None:
    interrupted(filled_url, other_url)
    with pytest.raises(StoreUnavailable, match="unfinished copy"):
        open_store(other_url)
    done = copied(filled_url, other_url)
    assert done.resumed
    assert 0 < done.copied < done.rows
    assert dump(other_url) == dump(filled_url)


def test_c13_an_unfinished_copy_of_another_store_is_refused(filled_url: str, other_url: str) -> None:
    interrupted(filled_url, other_url)
    with pytest.raises(UserError, match="of another store"):
        copy_store(filled_url, other_url, "another one", lambda *_: None)


def test_c13_a_copy_begins_anew_if_its_source_has_changed_since(filled_url: str, other_url: str) -> None:
    interrupted(filled_url, other_url)
    in_store(filled_url, "INSERT INTO counts (name, value) VALUES ('more', 1)")
    done = copied(filled_url, other_url)
    assert not done.resumed
    assert dump(other_url) == dump(filled_url)


@pytest.mark.parametrize("side", ["source", "copy"])
def test_c13_a_row_that_is_altered_meanwhile_is_noticed(filled_url: str, other_url: str, side: str) -> None:
    interrupted(filled_url, other_url, "Reading the copy", 0)
    in_store(filled_url if side == "source" else other_url, "UPDATE students SET email = 'x' WHERE student_id = 2")
    with pytest.raises(NotTheSame, match="in students:"):
        copied(filled_url, other_url)
    with pytest.raises(StoreUnavailable, match="unfinished copy"):
        open_store(other_url)
    assert not copied(filled_url, other_url).resumed
    assert dump(other_url) == dump(filled_url)


def test_c13_it_may_be_killed_at_any_moment(store_url: str, other_url: str, tmp_path: Path) -> None:
    store = open_store(store_url)
    fill(store, few=600)
    store.close()
    command = [str(BIN / "lms-bot"), "copy-store", store_url, other_url, "--json"]
    for wanted in (0, 1, 3_000, 9_000, 15_000):
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_for(functools.partial(has, other_url, wanted))
            process.kill()
        assert process.returncode == -9, "it was over before it was killed"
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True)
    result = json.loads(done.stdout)
    assert result["verified"]
    assert result["resumed"]
    assert result["copied"] < result["rows"] - 9_000
    assert dump(other_url) == dump(store_url)


def has(url: str, at_least: int) -> bool:
    """Whether so many rows are copied already; not even a table is needed for none."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": PATIENCE} if "sqlite" in url else {})
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        total = sum(rows.count(connection, table) for table in rows.tables())
    return total >= at_least


def test_c13_the_bot_goes_on_where_it_was(full_watch: Watch, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    watch = full_watch
    on_sqlite = watch.settings.store_database_url.startswith("sqlite")
    watch.poll()
    watch.rows.insert_attempt(1, user_id=JANE)
    watch.rows.insert_attempt(2, user_id=JANE, state="completed", result="pass")
    watch.polls(2)
    facts, owed = watch.facts(), watch.owed()
    to_url = str(request.getfixturevalue("postgresql")) if on_sqlite else f"sqlite:///{tmp_path}/moved.db"
    copied(watch.settings.store_database_url, to_url)
    moved = Watch(watch.rows.url, to_url)
    moved.now = watch.now
    moved.polls(2)
    assert (moved.facts(), moved.owed()) == (facts, owed)
    moved.rows.update_attempt(1, state="completed", result="fail")
    moved.poll()
    assert moved.facts() == sorted([*facts, ("attempts", 1, "exam_failed")])
    moved.close()


# On the command line


def test_c13_mentors_are_told_nothing_twice_after_the_change(shell: Shell, postgresql: str) -> None:
    shell.run("monitor", "--once")
    shell.lms.pass_exam(1000, JANE)
    shell.run("monitor", "--once")
    told = shell.told(shell.people.mary)
    done = lms_bot("copy-store", shell.store_url, postgresql, cwd=shell.folder)
    assert "Verified" in done.stdout
    shell.store_url = postgresql
    assert shell.counts("--once") == {"new_events": 0, "delivered": 0, "postponed": 0, "pending": 0}
    assert shell.told(shell.people.mary) == told
    shell.lms.pass_exam(1001, JANE)
    shell.run("monitor", "--once")
    assert len(shell.told(shell.people.mary)) == len(told) + 1


def test_c13_no_secret_of_a_url_is_printed(tmp_path: Path) -> None:
    store = store_in_file(tmp_path / "store.db")
    secret = "postgresql://bot:geheim@127.0.0.1:1/lms_bot"
    for arguments, code in (
        ((store, secret), FAILED),
        ((secret, store), FAILED),
        ((secret.replace("postgresql", "oracle"), store), WRONG_USE),
        ((secret, secret), WRONG_USE),
        ((store, store), WRONG_USE),
    ):
        done = lms_bot("copy-store", *arguments, cwd=tmp_path, code=code)
        assert done.stdout == ""
        assert "geheim" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_c13_json_says_what_was_copied(tmp_path: Path) -> None:
    store = store_in_file(tmp_path / "store.db")
    in_store(store, "INSERT INTO counts (name, value) VALUES ('events', 1)")
    done = lms_bot("copy-store", store, f"sqlite:///{tmp_path}/new.db", "--json", cwd=tmp_path)
    result = json.loads(done.stdout)
    assert (result["rows"], result["copied"], result["resumed"], result["verified"]) == (1, 1, False, True)
    assert result["tables"]["counts"]["rows"] == 1
    assert result["tables"].keys() == {table.name for table in rows.tables()}


def test_c13_moments_at_the_ends_of_time_are_copied(store_url: str, other_url: str) -> None:
    store = open_store(store_url)
    with store.writing() as transaction:
        for at in (FIRST_MOMENT, LAST_MOMENT):
            transaction.execute(sa.insert(audit).values(zulip_user_id=1, command="", outcome="", at=at))
    store.close()
    copied(store_url, other_url)
    assert dump(other_url) == dump(store_url)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_moments_are_the_same_wherever_the_server_is(postgresql: str, zone: str) -> None:
    in_store(postgresql, f"ALTER DATABASE {sa.make_url(postgresql).database} SET timezone = '{zone}'")
    moments = [FIRST_MOMENT, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), LAST_MOMENT]
    store = open_store(postgresql)
    with store.writing() as transaction:
        for at in moments:
            transaction.execute(sa.insert(audit).values(zulip_user_id=1, command="", outcome="", at=at))
    with store.reading() as transaction:
        assert list(transaction.scalars(sa.select(audit.c.at).order_by(audit.c.at))) == moments
    store.close()
