"""The LMS can only be read, at a bounded cost, whatever this installation of it has and however it fails."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from lms_bot.errors import LmsUnavailable
from tests.lms_rows import CONTENT_ATTEMPTS, JANE, MARY, NOW, LmsRows, PollingWatch, Watch, classic_lms, metadata

OPTIONAL_TABLES = (
    "certifications",
    "student_activity_dates",
    "student_activities",
    "difficulty_level_stats",
    "subject_stats",
    "user_videos",
    "_CourseBatch",
    "_BatchToStudent",
    "batches",
)
TITLES = ("ChapterContent", "videos", "exams", "chapters", "courses")
PASSWORD = "s3cr3t-of-the-lms"

on_postgresql = pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("lms_url", ["sqlite"], indirect=True)


@pytest.fixture
def store_file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def watch(lms_url: str, store_file: str) -> Iterator[Watch]:
    watch = PollingWatch(lms_url, store_file)
    watch.poll()
    yield watch
    watch.close()


@contextmanager
def reader_login(lms_url: str, *grants: str) -> Iterator[str]:
    """The URL of a login of its own that may only what `grants` say (`TO` and the name are added)."""
    rows = LmsRows(lms_url)
    name = f"reader_{rows.engine.url.database}"
    rows.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    for grant in grants:
        rows.run(f"{grant} TO {name}")
    try:
        yield rows.engine.url.set(username=name, password=PASSWORD).render_as_string(hide_password=False)
    finally:
        rows.run(f"DROP OWNED BY {name} CASCADE")
        rows.run(f"DROP ROLE {name}")


def assert_told_plainly(error: LmsUnavailable) -> None:
    said = str(error)
    assert said
    assert "\n" not in said
    assert PASSWORD not in said
    assert "://" not in said
    assert "SELECT" not in said
    assert "Traceback" not in said


# --- Reading only ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO attempts (id) VALUES (1)",
        "UPDATE students SET username = username",
        "DELETE FROM attempts",
        "CREATE TABLE mine (id integer)",
        "DROP TABLE certifications",
    ],
)
def test_a_write_is_refused_by_the_connection_itself(lms_url: str, statement: str) -> None:
    lms = classic_lms(lms_url)
    with lms.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read-?only"):
        connection.exec_driver_sql(statement)
    lms.close()
    assert LmsRows(lms_url).value("SELECT count(*) FROM attempts") == 0


def test_a_write_is_refused_after_a_rollback_and_on_every_pooled_connection(lms_url: str) -> None:
    lms = classic_lms(lms_url)
    for _ in range(3):
        with lms.engine.connect() as first, lms.engine.connect() as second:
            for connection in (first, second):
                connection.exec_driver_sql("SELECT 1")
                connection.rollback()
                with pytest.raises(sa.exc.DBAPIError, match=r"(?i)read-?only"):
                    connection.exec_driver_sql("DELETE FROM attempts")
    lms.close()


@on_postgresql
def test_a_connection_has_a_name_a_statement_timeout_and_one_view_of_the_data(lms_url: str) -> None:
    lms = classic_lms(lms_url)
    names = ("application_name", "statement_timeout", "transaction_isolation", "transaction_read_only")
    for _ in range(2):
        with lms.engine.connect() as connection:
            shown = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names}
        assert shown.pop("application_name").startswith("lms_bot")
        assert shown.pop("statement_timeout") not in ("0", "")
        assert shown == {"transaction_isolation": "repeatable read", "transaction_read_only": "on"}
    lms.close()


@on_sqlite
def test_an_lms_file_that_is_missing_is_not_created(tmp_path: Path, lms_url: str, store_file: str) -> None:
    watch = PollingWatch(f"sqlite:///{tmp_path}/missing.db", store_file)
    with pytest.raises(LmsUnavailable) as raised:
        watch.poll()
    assert_told_plainly(raised.value)
    assert not (tmp_path / "missing.db").exists()
    watch.close()


def test_no_transaction_is_left_open_after_a_poll(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.poll()

    if watch.rows.engine.dialect.name == "postgresql":
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lms_bot%' AND state <> 'idle'"
        assert watch.rows.value(query) == 0
    else:
        with watch.rows.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA locking_mode = EXCLUSIVE")
            connection.exec_driver_sql("DELETE FROM attempts")
            connection.commit()


# --- What an installation may lack -----------------------------------------------------------------------------------


def test_tables_that_nobody_needs_may_be_missing(lms_url: str, store_file: str) -> None:
    rows = LmsRows(lms_url)
    for table in OPTIONAL_TABLES:
        rows.run(f'DROP TABLE "{table}"')
    watch = PollingWatch(lms_url, store_file)
    watch.poll()
    watch.rows.insert_attempt(1)

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", MARY)]
    watch.close()


def test_without_the_tables_of_titles_events_have_none(lms_url: str, store_file: str) -> None:
    rows = LmsRows(lms_url)
    cascade = " CASCADE" if rows.engine.dialect.name == "postgresql" else ""
    for table in (*OPTIONAL_TABLES, *TITLES):
        rows.run(f'DROP TABLE "{table}"{cascade}')
    watch = PollingWatch(lms_url, store_file)
    watch.poll()
    with watch.rows.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO attempts (id, state, user_id, exam_id) VALUES (1, 'started', {JANE}, 501)"
        )
    watch.rows.insert_content_attempt(1)

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", MARY)]
    content = watch.event(1, CONTENT_ATTEMPTS)
    assert (content.activity_id, content.activity_title) == (1101, None)
    assert metadata(content)["course_title"] is None
    watch.close()


@pytest.mark.parametrize("table", ["attempts", "content_attempts", "students", "_MentorToStudent"])
def test_a_table_that_is_needed_and_missing_is_named_in_one_sentence(lms_url: str, store_file: str, table: str) -> None:
    LmsRows(lms_url).run(f'ALTER TABLE "{table}" RENAME TO elsewhere')
    watch = PollingWatch(lms_url, store_file)

    with pytest.raises(LmsUnavailable) as raised:
        watch.poll()

    assert_told_plainly(raised.value)
    assert table in str(raised.value)
    watch.close()


def test_a_table_that_comes_back_is_read_on(watch: Watch) -> None:
    watch.rows.insert_attempt(1)
    watch.rows.run("ALTER TABLE attempts RENAME TO elsewhere")
    with pytest.raises(LmsUnavailable):
        watch.poll()
    watch.rows.run("ALTER TABLE elsewhere RENAME TO attempts")

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", MARY)]


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
@on_postgresql
def test_a_view_in_the_place_of_the_table_is_enough(lms_url: str, store_file: str, kind: str) -> None:
    rows = LmsRows(lms_url)
    rows.run("ALTER TABLE attempts RENAME TO raw_attempts")
    rows.run(f"CREATE {kind} attempts AS SELECT * FROM raw_attempts")
    rows.run(
        "INSERT INTO raw_attempts (id, user_id, exam_id, state, result) SELECT g, 1001, 501, 'completed', 'pass'"
        " FROM generate_series(1, 450) AS g"
    )
    refresh = "REFRESH MATERIALIZED VIEW attempts" if kind != "VIEW" else "SELECT 1"
    rows.run(refresh)
    watch = PollingWatch(lms_url, store_file, LMS_SWEEP_ROWS="100")
    watch.poll()
    assert (len(watch.facts()), watch.owed()) == (450, [])
    rows.run("INSERT INTO raw_attempts (id, user_id, exam_id, state) VALUES (-1, 1001, 501, 'started')")
    rows.run("INSERT INTO raw_attempts (id, user_id, exam_id, state) VALUES (500, 1001, 501, 'started')")
    rows.run("UPDATE raw_attempts SET result = 'fail' WHERE id IN (1, 220)")
    rows.run(refresh)

    watch.polls(14)

    assert sorted(row[1] for row in watch.owed()) == [-1, 1, 220, 500]
    watch.close()


@on_postgresql
def test_a_late_commit_is_seen_through_a_view(lms_url: str, store_file: str) -> None:
    rows = LmsRows(lms_url)
    rows.run("ALTER TABLE attempts RENAME TO raw_attempts")
    rows.run("CREATE VIEW attempts AS SELECT * FROM raw_attempts")
    watch = PollingWatch(lms_url, store_file)
    watch.poll()
    with rows.transaction() as late:
        late.insert("raw_attempts", {"id": 1, "user_id": JANE, "state": "started"})
        rows.run("INSERT INTO raw_attempts (id, user_id, state) VALUES (2, 1001, 'started')")
        watch.poll()
        late.commit()

    watch.poll()

    assert [row[1] for row in watch.owed()] == [1, 2]
    watch.close()


@on_postgresql
def test_a_login_that_may_only_select_is_enough(lms_url: str, store_file: str) -> None:
    with reader_login(lms_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public") as url:
        _assert_that_all_is_found(lms_url, url, store_file)


@on_postgresql
def test_a_login_that_may_only_select_the_columns_that_are_read_is_enough(lms_url: str, store_file: str) -> None:
    grants = [
        f'GRANT SELECT ({", ".join(columns)}) ON "{table}"'
        for table, columns in {
            "attempts": (
                *("id", "date", "exam_id", "user_id", "username", "correct_answers_count", "incorrect_answers_count"),
                *("unanswered_count", "score", "percentage", "percentile", "speed", "time_taken", "result", "state"),
                *("last_started_time", "last_answer_updated_time"),
            ),
            "students": ("id", "username", "email", "first_name", "last_name", "display_name", "is_active"),
            "mentors": ("id", "username", "email", "first_name", "last_name", "display_name"),
            "_MentorToStudent": ('"A"', '"B"'),
            "exams": ("id", "title"),
            "courses": ("id", "title"),
            "chapters": ("id", "name"),
            "ChapterContent": ("id", "title", "course_id", '"examId"'),
        }.items()
    ]
    with reader_login(lms_url, *grants, "GRANT SELECT ON content_attempts") as url:
        _assert_that_all_is_found(lms_url, url, store_file)


@on_postgresql
def test_titles_that_the_login_may_not_read_are_left_out(lms_url: str, store_file: str) -> None:
    needed = 'attempts, content_attempts, students, mentors, "_MentorToStudent", exams'
    some = 'GRANT SELECT (id, title) ON "ChapterContent"'
    with reader_login(lms_url, f"GRANT SELECT ON {needed}", some) as url:
        watch = _watch_as(lms_url, url, store_file)
        watch.poll()
        watch.rows.insert_attempt(1)
        watch.rows.insert_content_attempt(2)

        watch.poll()

        assert watch.event(1).activity_title == "Python Basics Quiz"
        assert metadata(watch.event(1))["course_title"] is None
        assert watch.kinds(2, CONTENT_ATTEMPTS) == ["content_started"]
        watch.close()


def _watch_as(lms_url: str, reader_url: str, store_url: str) -> Watch:
    """A watch that writes rows as their owner and reads them as somebody with fewer rights."""
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS="100")
    watch.restart(LMS_SWEEP_ROWS="100", LMS_DATABASE_URL=reader_url)
    return watch


def _assert_that_all_is_found(lms_url: str, reader_url: str, store_url: str) -> None:
    watch = _watch_as(lms_url, reader_url, store_url)
    watch.rows.insert_finished(1, 450)
    watch.poll()
    assert (len(watch.facts()), watch.owed()) == (450, [])
    watch.rows.insert_attempt(-5)
    watch.rows.insert_attempt(900)
    watch.rows.update_attempt(225, result="fail")

    watch.polls(24)

    assert [row[1:3] for row in watch.owed()] == [(-5, "exam_started"), (225, "exam_failed"), (900, "exam_started")]
    assert watch.event(900).activity_title == "Python Basics Quiz"
    assert metadata(watch.event(900))["course_title"] == "Python Foundations"
    watch.close()


# --- An LMS that fails -----------------------------------------------------------------------------------------------


@on_postgresql
@pytest.mark.parametrize("where", ["port=1", "dbname=no_such_database", "user=nobody_here"])
def test_an_lms_that_cannot_be_reached_is_unavailable(lms_url: str, store_file: str, where: str) -> None:
    key, value = where.split("=")
    url = sa.make_url(lms_url).set(password=PASSWORD)
    changed = {"port": int(value)} if key == "port" else {"database" if key == "dbname" else "username": value}
    broken = url.set(**changed)
    watch = PollingWatch(lms_url, store_file)
    watch.restart(LMS_DATABASE_URL=broken.render_as_string(hide_password=False))

    with pytest.raises(LmsUnavailable) as raised:
        watch.poll()

    assert_told_plainly(raised.value)
    assert watch.facts() == []
    watch.close()


STEPS = ("ChangeReader._above", "ChangeReader._by_key", "ChangeReader._sweep", "ChangeReader._activities")


@on_postgresql
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_an_lms_that_goes_away_in_the_middle_of_a_page_loses_nothing(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, store: str
) -> None:
    store_url = f"sqlite:///{tmp_path}/s.db" if store == "sqlite" else request.getfixturevalue("postgresql")
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS="100")
    watch.rows.insert_finished(1, 20)
    watch.rows.insert_attempt(21)
    watch.poll()
    watch.rows.insert_finished(22, 400, at=NOW)
    watch.rows.update_attempt(21, state="completed", result="fail")
    watch.rows.insert_content_attempt(1)
    path = f"lms_bot.lms.changes.{step}"
    work = pkgutil.resolve_name(path)

    def cut_off(*arguments: Any) -> Any:
        database = watch.rows.engine.url.database
        watch.rows.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{database}' AND application_name = 'lms_bot'"
        )
        return work(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(path, cut_off)
        patch.setattr(watch.lms.changes, "_titles_read_at", None)
        if step == "ChangeReader._activities":  # it connects anew, so there is nothing to lose
            watch.poll()
        else:
            with pytest.raises(LmsUnavailable) as raised:
                watch.poll()
            assert_told_plainly(raised.value)

    watch.polls(3)

    assert len(watch.facts()) == 21 + 379 + 1 + 1
    assert len(watch.owed()) == 379 + 1 + 1
    assert watch.kinds(21) == ["exam_started", "exam_failed"]
    watch.close()


@on_postgresql
def test_a_connection_that_died_between_two_polls_is_replaced_silently(watch: Watch) -> None:
    database = watch.rows.engine.url.database
    watch.rows.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{database}' AND application_name = 'lms_bot'"
    )
    watch.rows.insert_attempt(1)

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", MARY)]


@on_postgresql
def test_a_locked_table_is_unavailable_after_the_timeout(
    lms_url: str, store_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms_bot.db.engine.LMS_STATEMENT_TIMEOUT", 1)
    watch = PollingWatch(lms_url, store_file)
    watch.poll()
    watch.rows.insert_attempt(1)
    with watch.rows.engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE attempts")
        with pytest.raises(LmsUnavailable) as raised:
            watch.poll()
    monkeypatch.undo()
    watch.restart()
    assert_told_plainly(raised.value)

    watch.poll()

    assert watch.owed_for(1) == [("exam_started", MARY)]
    watch.close()


# --- What a poll costs -----------------------------------------------------------------------------------------------


@contextmanager
def statements_of(watch: Watch) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the LMS within the block."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(watch.lms.engine, "before_cursor_execute", note)
    yield asked
    event.remove(watch.lms.engine, "before_cursor_execute", note)


def ask_once(watch: Watch) -> list[tuple[str, Any]]:
    """The statements of a poll that finds nothing in an LMS that is written to, people and their days just read."""
    watch.poll(watch.now + timedelta(minutes=5))
    watch.rows.run("UPDATE mentors SET students_count = students_count + 1")
    with statements_of(watch) as asked:
        assert watch.poll().new_events == 0
    return [one for one in asked if "BEGIN" not in one[0]]


def test_an_empty_poll_asks_as_much_of_a_small_lms_as_of_a_large_one(watch: Watch) -> None:
    watch.rows.insert_crowd(2_000)
    watch.rows.insert_attempt(-1)
    watch.rows.insert_finished(1, 1_000, crowd=2_000)
    watch.polls(2)
    of_small = len(ask_once(watch))
    watch.rows.insert_finished(1_001, 20_000, crowd=2_000)
    watch.polls(2)
    of_large = len(ask_once(watch))

    assert of_small == of_large <= 24


@on_postgresql
def test_an_empty_poll_reads_a_bounded_part_of_a_large_table(lms_url: str, store_file: str) -> None:
    watch = PollingWatch(lms_url, store_file, LMS_SWEEP_ROWS="800")
    for number in range(50):
        watch.rows.insert_attempt(-number)
    watch.rows.insert_crowd(2_000)
    watch.rows.insert_finished(1, 8_000, crowd=2_000)
    watch.rows.run(
        "INSERT INTO content_attempts SELECT g, 1001, 1, 11, 1101, 'video', 'watched', NULL, NULL, NULL,"
        " '2026-03-01', '2026-03-01' FROM generate_series(1, 8000) AS g"
    )
    watch.polls(2)
    watch.rows.run("ANALYZE attempts")
    watch.rows.run("ANALYZE content_attempts")

    for _ in range(3):
        read = {"attempts": 0, "content_attempts": 0}
        for statement, parameters in ask_once(watch):
            for scan in _scans(watch, statement, parameters):
                assert scan["Node Type"] != "Seq Scan", statement
                read[scan["Relation Name"]] += _rows_read(scan)
        assert all(0 < rows <= 1_000 for rows in read.values()), read
    watch.close()


@on_postgresql
def test_new_rows_are_read_by_primary_key(watch: Watch) -> None:
    watch.rows.insert_crowd(2_000)
    watch.rows.insert_finished(1, 20_000, crowd=2_000)
    watch.polls(2)
    watch.rows.run("ANALYZE attempts")
    watch.rows.insert_finished(20_001, 20_100, at=NOW, crowd=2_000)
    with statements_of(watch) as asked:
        assert watch.poll().new_events == 100

    scans = [scan for statement, parameters in asked for scan in _scans(watch, statement, parameters)]

    assert {scan["Node Type"] for scan in scans if scan["Relation Name"] == "attempts"} <= {
        "Index Scan",
        "Index Only Scan",
        "Bitmap Heap Scan",
        "Tid Range Scan",
    }


def _scans(watch: Watch, statement: str, parameters: Any) -> list[dict[str, Any]]:
    """The nodes of a statement's plan that touch the two large tables."""
    if "attempts" not in statement or "SELECT" not in statement:
        return []
    dsn = watch.rows.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            (answer,) = cursor.fetchone() or ([],)
    finally:
        connection.close()
    plan = answer if isinstance(answer, list) else json.loads(answer)
    found, nodes = [], [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes.extend(node.get("Plans", []))
        if node.get("Relation Name") in ("attempts", "content_attempts"):
            found.append(node)
    return found


def _rows_read(scan: dict[str, Any]) -> int:
    removed = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return int((scan["Actual Rows"] + removed) * scan["Actual Loops"])
