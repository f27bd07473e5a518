"""A SQLite LMS that lies still is not compared again; whatever is written to it is found all the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.errors import StoreUnavailable
from tests.bot_process import LmsHands
from tests.databases import lms_in_file, store_in_file
from tests.lms_rows import PollingWatch, Watch

SLICE = "100"
ROWS = 250


@pytest.fixture(params=["DELETE", "WAL"])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watch]:
    url = lms_in_file(tmp_path / "lms.db")
    LmsHands(url).run(f"PRAGMA journal_mode = {request.param}")
    watch = PollingWatch(url, store_in_file(tmp_path / "store.db"), LMS_SWEEP_ROWS=SLICE)
    watch.rows.insert_finished(1, ROWS)
    watch.poll()
    yield watch
    watch.close()


def compares(watch: Watch) -> bool:
    """Poll; whether a slice of attempts was read besides the new rows."""
    read = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        read.append("FROM attempts" in statement)

    sa.event.listen(watch.lms.engine, "before_cursor_execute", note)
    watch.poll()
    sa.event.remove(watch.lms.engine, "before_cursor_execute", note)
    assert any(read), "new rows are looked for in any case"
    return sum(read) > 1


def regrade(watch: Watch, source_id: int) -> None:
    watch.rows.update_attempt(source_id, result="fail")


def test_after_the_baseline_nothing_is_compared_until_something_is_written(watch: Watch) -> None:
    assert [compares(watch) for _ in range(4)] == [False] * 4
    regrade(watch, 7)
    assert [compares(watch) for _ in range(5)] == [True] * 3 + [False] * 2
    assert watch.kinds(7) == ["exam_passed", "exam_failed"]


def test_what_is_written_behind_the_sweep_is_found_in_another_round(watch: Watch) -> None:
    regrade(watch, 7)
    watch.poll()
    regrade(watch, 8)
    assert [compares(watch) for _ in range(7)] == [True] * 5 + [False] * 2
    assert watch.kinds(8) == ["exam_passed", "exam_failed"]


def test_what_could_not_be_stored_is_compared_again(tmp_path: Path) -> None:
    url = lms_in_file(tmp_path / "lms.db")
    with closing(PollingWatch(url, store_in_file(tmp_path / "store.db"))) as watch:
        watch.rows.insert_finished(1, 10)
        watch.poll()
        regrade(watch, 7)
        with watch.store.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON lms_activity_events BEGIN SELECT RAISE(FAIL, 'full'); END"
            )
        with pytest.raises((StoreUnavailable, sa.exc.DBAPIError)):
            watch.poll()
        with watch.store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")
        watch.poll()
        assert watch.kinds(7) == ["exam_passed", "exam_failed"]


def test_another_file_under_the_same_name_is_compared(watch: Watch, tmp_path: Path) -> None:
    assert not compares(watch)
    copy = tmp_path / "copy.db"
    with closing(sa.create_engine(f"sqlite:///{tmp_path}/lms.db").raw_connection()) as connection:
        connection.driver_connection.execute(f"VACUUM INTO '{copy}'")  # type: ignore[union-attr]
    LmsHands(f"sqlite:///{copy}").run("UPDATE attempts SET result = 'fail' WHERE id = 9")
    for name in ("lms.db-wal", "lms.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.move(copy, tmp_path / "lms.db")
    watch.polls(4)
    assert watch.kinds(9) == ["exam_passed", "exam_failed"]
