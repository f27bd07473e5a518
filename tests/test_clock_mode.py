"""Where a server does not tell which transactions are open, a page is safe once it was read long enough ago."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from lms_bot.core.reports.findings import Level
from lms_bot.doctor import lms as doctor_lms
from lms_bot.lms.snapshot import BY_CLOCK
from lms_bot.store.events import cursors
from tests.bot_process import PATIENCE, wait_for
from tests.databases import store_in_file
from tests.lms_rows import ATTEMPTS, JANE, MARY, LmsRows, Watch
from tests.pg import program

FILLED = 3_000  # rows, of which a poll sweeps a hundred
LATE, NEXT = FILLED + 1, FILLED + 2


@pytest.fixture
def store_file(tmp_path: Path) -> str:
    return store_in_file(tmp_path / "store.db")


@pytest.fixture
def by_view(lms_url: str, store_file: str) -> Iterator[Watch]:
    """An LMS whose attempts are seen through a view, with a history that takes thirty polls to sweep."""
    rows = LmsRows(lms_url)
    rows.insert_finished(1, FILLED)
    rows.run("ALTER TABLE attempts RENAME TO raw_attempts")
    rows.run("CREATE VIEW attempts AS SELECT * FROM raw_attempts")
    watch = Watch(lms_url, store_file, LMS_SWEEP_ROWS="100", LMS_LONGEST_TRANSACTION="15")
    watch.poll()
    yield watch
    watch.close()


on_postgresql = pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)


def server_of(watch: Watch) -> str | None:
    with watch.store.reading() as transaction:
        cursor = cursors.load(transaction, ATTEMPTS)
    assert cursor
    return cursor.server


def insert(rows: LmsRows, attempt_id: int) -> None:
    rows.run(f"INSERT INTO raw_attempts (id, user_id, exam_id, state) VALUES ({attempt_id}, {JANE}, 501, 'started')")


@on_postgresql
@pytest.mark.parametrize(("minutes", "is_found_at_once"), [(12, True), (25, False)])
def test_a_transaction_within_the_longest_is_found_as_it_commits(
    by_view: Watch, minutes: int, is_found_at_once: bool
) -> None:
    assert server_of(by_view) == BY_CLOCK
    with by_view.rows.transaction() as late:
        late.insert("raw_attempts", {"id": LATE, "user_id": JANE, "exam_id": 501, "state": "started"})
        insert(by_view.rows, NEXT)
        by_view.polls(minutes)
        late.commit()
    by_view.poll()
    assert bool(by_view.owed_for(LATE)) is is_found_at_once
    by_view.polls(40)  # a round of the sweep and more
    assert by_view.owed_for(LATE) == by_view.owed_for(NEXT) == [("exam_started", MARY)]


@on_postgresql
def test_pages_are_read_again_no_longer_than_that(by_view: Watch) -> None:
    for number in range(30):
        insert(by_view.rows, LATE + number)
        by_view.poll()
    with by_view.store.reading() as transaction:
        cursor = cursors.load(transaction, ATTEMPTS)
    assert cursor
    assert len(cursor.seen) <= 16
    assert cursor.last_id - cursor.safe_id <= 16
    assert len(by_view.owed()) == 30


@on_postgresql
@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_moves_loses_nothing_and_doubles_nothing(by_view: Watch, hours: int) -> None:
    insert(by_view.rows, LATE + 1)
    by_view.poll()
    by_view.now += timedelta(hours=hours)
    with by_view.rows.transaction() as late:
        late.insert("raw_attempts", {"id": LATE, "user_id": JANE, "exam_id": 501, "state": "started"})
        insert(by_view.rows, LATE + 2)
        by_view.poll()
        late.commit()
    by_view.polls(40)
    assert sorted(row[1] for row in by_view.owed()) == [LATE, LATE + 1, LATE + 2]


# The baseline, and transactions inside others


@on_postgresql
def test_what_was_not_committed_at_the_baseline_is_news_though_it_was_written_inside_a_savepoint(
    lms_url: str, store_file: str
) -> None:
    watch = Watch(lms_url, store_file)
    watch.rows.insert_finished(1, 50)
    with watch.rows.engine.connect() as open_one, open_one.begin() as outer:
        open_one.exec_driver_sql("UPDATE students SET username = username WHERE id = 1001")
        with open_one.begin_nested():
            open_one.exec_driver_sql(f"INSERT INTO attempts (id, user_id, state) VALUES (51, {JANE}, 'started')")
        watch.rows.insert_finished(52, 60)  # a younger transaction has ended, and its rows are there
        watch.poll()
        assert watch.owed() == []
        outer.commit()
    watch.polls(3)
    assert watch.owed_for(51) == [("exam_started", MARY)]
    assert {row[1] for row in watch.owed()} == {51}
    assert len(watch.facts()) == 60
    watch.close()


@on_postgresql
def test_a_baseline_that_is_read_in_pages_keeps_what_was_open_then(lms_url: str, store_file: str) -> None:
    watch = Watch(lms_url, store_file, LMS_SWEEP_ROWS="100")
    watch.rows.insert_finished(1, 250)
    with watch.rows.engine.connect() as open_one, open_one.begin() as outer:
        with open_one.begin_nested():
            open_one.exec_driver_sql(f"INSERT INTO attempts (id, user_id, state) VALUES (251, {JANE}, 'started')")
        watch.rows.insert_finished(252, 400)
        (attempts, *_) = watch.lms.watched(watch.now)
        marked = watch.lms.changes.mark_baseline(attempts, watch.now)
        with watch.store.writing() as transaction:
            cursors.mark(transaction, marked, watch.now)
        outer.commit()  # before any page of the history is read
    watch.polls(3)
    assert [row[1] for row in watch.owed()] == [251]
    assert len(watch.facts()) == 400
    watch.close()


# A hot standby


class Standby:
    """A server that follows another one, in a folder of its own; it does not run as root, as no PostgreSQL does."""

    def __init__(self, primary: str, folder: Path) -> None:
        self._data = folder / "data"
        self._user = "pgserver" if os.geteuid() == 0 else None  # whom the tests' own server has made
        if self._user:
            shutil.chown(folder, self._user)
        host = str(make_url(primary).query["host"])
        self._run("pg_basebackup", "-h", host, "-U", "postgres", "-D", str(self._data), "-R", "--checkpoint=fast")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c hot_standby=on"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-o", options, "-l", str(folder / "log"), "start")
        self.url = make_url(primary).set(query={"host": str(folder)})

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name), *arguments], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE, user=self._user
        )

    def close(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")


@pytest.fixture
def standby(lms_url: str) -> Iterator[Standby]:
    with tempfile.TemporaryDirectory(prefix="lms_bot_standby_", ignore_cleanup_errors=True) as folder:
        follower = Standby(lms_url, Path(folder))
        try:
            yield follower
        finally:
            follower.close()


@on_postgresql
def test_a_hot_standby_is_read_in_clock_mode_and_the_doctor_says_so(
    lms_url: str, standby: Standby, store_file: str
) -> None:
    primary = LmsRows(lms_url)
    primary.insert_finished(1, 20)
    wait_for(lambda: _has(standby.url, 20))
    watch = Watch(lms_url, store_file)
    watch.restart(LMS_DATABASE_URL=standby.url.render_as_string(hide_password=False))
    watch.poll()
    assert (server_of(watch), len(watch.facts()), watch.owed()) == (BY_CLOCK, 20, [])
    with primary.transaction() as late:
        late.insert_attempt(21)
        primary.insert_attempt(22)
        wait_for(lambda: _has(standby.url, 22))
        watch.polls(5)
        late.commit()
    wait_for(lambda: _has(standby.url, 21))
    watch.poll()
    assert watch.owed_for(21) == watch.owed_for(22) == [("exam_started", MARY)]
    (found,) = doctor_lms.sweep(watch.lms.server(), watch.lms.schema, watch.lms.tables())
    assert (found.level, "hot standby" in found.message) == (Level.WARNING, True)
    watch.close()


def _has(url: sa.URL, attempt_id: int) -> bool:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return bool(connection.scalar(sa.text(f"SELECT count(*) FROM attempts WHERE id = {attempt_id}")))
