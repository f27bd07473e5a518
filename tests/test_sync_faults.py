"""What is wrong with rows or tables of an LMS is kept, marked and shown to admins, and stops nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from lms_bot.core.operations.circuit_breaker import Circuit
from lms_bot.core.process import Work
from lms_bot.core.sync import Problem
from lms_bot.doctor.lms import studies
from lms_bot.errors import LmsMisfit
from lms_bot.pipeline.actions import control
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.run import Sync
from lms_bot.store import tables
from lms_bot.store.academics import conflicts
from lms_bot.store.operations import incidents, orders
from tests.admin_session import AdminSession
from tests.bot_process import Place
from tests.lms_rows import JANE, MARY, RAVI, LmsRows, Watch
from tests.sync_recount import differences, in_lms, in_store

MENDED = "ALTER TABLE subject_stats ALTER attempt_id TYPE integer USING CAST(attempt_id AS integer)"
on_postgresql = pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    watch = Watch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    watch.without_rules()
    yield watch
    watch.close()


def add_results(rows: LmsRows) -> None:
    """Three results of one attempt, the last one no leaf."""
    rows.insert_finished(1, 1)
    for row_id, is_leaf in ((11, True), (12, None), (13, False)):
        with rows.transaction() as transaction:
            row = {"id": row_id, "attempt_id": 1, "subject_name": "Algebra", "total_count": 5, "is_leaf": is_leaf}
            transaction.insert("subject_stats", row)
            transaction.commit()


def add_day(rows: LmsRows, row_id: int, student: int, day: str, streak: int = 1) -> None:
    rows.run(
        'INSERT INTO student_activities (id, student_id, "timestamp", current_streak, fetch_date)'
        f" VALUES ({row_id}, '{student}', '2026-02-01 12:00', {streak}, '{day}')"
    )


def without_references(rows: LmsRows) -> None:
    """Let rows name what is not there, as SQLite does anyway."""
    if rows.engine.dialect.name != "postgresql":
        return
    for table in ("subject_stats", "_MentorToStudent", "_BatchToStudent", "attempts"):
        names = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) AND contype = 'f'"
        with rows.engine.connect() as connection:
            found = list(connection.scalars(sa.text(names), {"name": f'"{table}"'}))
        for name in found:
            rows.run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')


def kept(watch: Watch, table: sa.Table) -> list[tuple[object, ...]]:
    with watch.store.reading() as transaction:
        return [tuple(row) for row in transaction.execute(sa.select(table).order_by(*table.primary_key))]


def marks(watch: Watch) -> set[tuple[str, int, Problem]]:
    with watch.store.reading() as transaction:
        return {one[:3] for one in conflicts.standing(transaction)}


def sync(watch: Watch) -> None:
    Sync(watch.store, watch.lms, watch.settings).run(watch.now)


# Tables that are not as they are declared


@on_postgresql
@pytest.mark.parametrize("kind", ["integer", "text", "smallint"])
def test_a_flag_of_another_type_is_read_all_the_same(watch: Watch, kind: str) -> None:
    add_results(watch.rows)
    way = "text" if kind == "text" else "integer"
    watch.rows.run(f"ALTER TABLE subject_stats ALTER is_leaf TYPE {kind} USING CAST(is_leaf AS {way})")
    watch.poll()
    assert [row[1] for row in kept(watch, tables.attempt_results)] == [11, 12]


@on_postgresql
def test_a_table_that_does_not_fit_is_an_incident_and_stops_no_other(watch: Watch) -> None:
    add_results(watch.rows)
    watch.poll()
    before = kept(watch, tables.attempt_results)
    without_references(watch.rows)
    watch.rows.run("ALTER TABLE subject_stats ALTER attempt_id TYPE text")
    add_day(watch.rows, 1, JANE, "2026-02-20")
    watch.now += academics.STUDIES_AGE
    watch.poll()
    assert kept(watch, tables.attempt_results) == before
    assert [row[0] for row in kept(watch, tables.lms_counts)] == [JANE]
    with watch.store.reading() as transaction:
        ((_, text),) = incidents.ongoing(transaction)
    assert text.startswith("🔴 subject")
    assert "operator does not exist" in text

    watch.rows.run(f"UPDATE students SET display_name = 'Another' WHERE id = {RAVI}")
    with pytest.raises(LmsMisfit, match=r"^subject_stats: .*; all else was read$"):
        sync(watch)
    assert not differences(in_lms(watch.rows), in_store(watch.store)).keys() - {"attempt_results"}
    (finding,) = [one for one in studies([], watch.lms.misfits(watch.now), watch.lms.schema) if one.level == "failed"]
    assert finding.message.startswith("subject_stats is not as it is declared: ")

    watch.rows.run(
        "ALTER TABLE subject_stats ALTER attempt_id TYPE integer USING attempt_id::integer".replace("::", r"\:\:")
    )
    watch.rows.run("UPDATE subject_stats SET correct_answers_count = 4 WHERE id = 11")
    watch.polls(2)
    with watch.store.reading() as transaction:
        assert incidents.ongoing(transaction) == []
    assert watch.lms.misfits(watch.now) == {}
    assert kept(watch, tables.attempt_results)[0][6] == 4


@on_postgresql
def test_a_table_that_does_not_fit_holds_up_no_comparison(watch: Watch) -> None:
    add_results(watch.rows)
    add_day(watch.rows, 1, JANE, "2026-02-20")
    watch.polls(2)
    without_references(watch.rows)
    watch.rows.run("ALTER TABLE subject_stats ALTER attempt_id TYPE text")
    watch.rows.delete("student_activities", 1)
    with pytest.raises(LmsMisfit):
        sync(watch)
    watch.poll(watch.now + academics.STUDIES_AGE)
    assert kept(watch, tables.lms_counts) == [(JANE, 1, *kept(watch, tables.lms_counts)[0][2:])]
    watch.rows.run(
        "ALTER TABLE subject_stats ALTER attempt_id TYPE integer USING attempt_id::integer".replace("::", r"\:\:")
    )
    sync(watch)
    watch.poll()
    assert kept(watch, tables.lms_counts) == []


# Rows that change in unusual ways


def test_counts_are_of_the_newest_day_whatever_becomes_of_rows(watch: Watch) -> None:
    for row_id, student, day in ((1, JANE, 20), (2, JANE, 21), (3, RAVI, 20)):
        add_day(watch.rows, row_id, student, f"2026-02-{day}")
    watch.poll()
    for change in (
        "UPDATE student_activities SET fetch_date = '2026-02-10' WHERE id = 2",  # row 1 is newer now
        f"UPDATE student_activities SET student_id = '{RAVI}', fetch_date = '2026-02-25' WHERE id = 1",
        f"UPDATE student_activities SET student_id = '{RAVI}' WHERE id = 2",  # Jane has none
        f"UPDATE student_activities SET student_id = '{JANE}' WHERE id = 3",
        "UPDATE student_activities SET student_id = 'nobody' WHERE id = 3",
        "UPDATE student_activities SET student_id = NULL WHERE id = 1",
    ):
        watch.rows.run(change)
        sync(watch)
        with watch.rows.engine.connect() as connection:
            query = "SELECT id, student_id, fetch_date FROM student_activities ORDER BY fetch_date, id"
            rows = connection.execute(sa.text(query)).all()
        newest = {int(student): row_id for row_id, student, _ in rows if student not in (None, "nobody")}
        assert {row[0]: row[1] for row in kept(watch, tables.lms_counts)} == newest, change


def test_what_was_deleted_is_found_soon_after_an_ordered_sync(watch: Watch) -> None:
    add_results(watch.rows)
    add_day(watch.rows, 1, JANE, "2026-02-20")
    watch.polls(2)
    watch.rows.delete("subject_stats", 11)
    watch.rows.delete("student_activities", 1)
    watch.poll()
    assert differences(in_lms(watch.rows), in_store(watch.store))
    sync(watch)
    watch.poll()
    assert not differences(in_lms(watch.rows), in_store(watch.store))


def test_results_of_an_attempt_that_no_poll_has_found_yet_are_no_conflict(watch: Watch) -> None:
    watch.poll()
    add_results(watch.rows)
    sync(watch)
    assert marks(watch) == set()
    assert len(kept(watch, tables.attempt_results)) == 2


def test_a_day_in_the_future_is_marked_until_it_is_none(watch: Watch) -> None:
    add_day(watch.rows, 1, JANE, "2031-02-20", 7)
    add_day(watch.rows, 2, RAVI, "2026-03-02")
    watch.poll()
    watch.now += academics.STUDIES_AGE
    watch.poll()
    assert marks(watch) == {("student_activities", 1, Problem.FUTURE)}
    assert [row[3] for row in kept(watch, tables.lms_counts)] == [7, 1]
    watch.rows.run("UPDATE student_activities SET fetch_date = '2026-03-01' WHERE id = 1")
    sync(watch)
    assert marks(watch) == set()


# What admins see


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(place_with_store: Place) -> Iterator[AdminSession]:
    with AdminSession.at(place_with_store) as session:
        yield session


def test_an_admin_who_orders_a_sync_reads_what_changed_and_what_cannot_be_right(session: AdminSession) -> None:
    rows = LmsRows(session.place.lms_url)
    without_references(rows)
    add_results(rows)
    rows.insert_attempt(2, state="completed", result="pass", percentage=-3)
    rows.insert_attempt(3, state="completed", result="pass", percentage=180.5)
    rows.insert_attempt(4, state="completed", last_answer_updated_time="2031-01-01T00:00:00+00:00")
    rows.run("UPDATE subject_stats SET attempt_id = 999 WHERE id = 12")
    session.run(session.worker.poll)
    for statement in (
        f"UPDATE students SET email = 'one@example.org' WHERE id IN ({JANE}, {RAVI})",
        f"""INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES (9001, 77, {JANE}), (9002, {MARY}, 8888)""",
        f"""INSERT INTO "_BatchToStudent" (id, "A", "B") VALUES (9001, 999, {JANE})""",
    ):
        rows.run(statement)
    assert session.ask("sync") == "This process syncs at once and writes here what changed."
    session.worker.carry_out_orders()
    (said,) = session.said()
    lines = said.splitlines()
    assert lines[0] == "✅ **The store is in sync with the LMS.**"
    counts = {line.split("|")[1].strip(): line.split("|")[2:6] for line in lines if line.startswith("| ")}
    assert [one.strip() for one in counts["students"]][1:] == ["0", "2", "0"]
    assert [one.strip() for one in counts["links"]][1:] == ["2", "0", "0"]
    marked = lines[lines.index("⚠️ 8 rows cannot be quite right; they are kept and counted all the same:") + 1 :]
    assert sorted(line.partition(" (")[0] for line in marked) == sorted(
        f"* `{table}` #{row}: {problem.said}"
        for table, row, problem in (
            ("attempts", 2, Problem.PERCENTAGE),
            ("attempts", 3, Problem.PERCENTAGE),
            ("attempts", 4, Problem.FUTURE),
            ("batch_students", 999, Problem.UNKNOWN_BATCH),
            ("mentor_students", 77, Problem.UNKNOWN_MENTOR),
            ("mentor_students", 8888, Problem.UNKNOWN_STUDENT),
            ("students", JANE, Problem.SAME_EMAIL),
            ("subject_stats", 12, Problem.UNKNOWN_ATTEMPT),
        )
    )
    assert "one@example.org" not in said
    assert "**Rows that cannot be quite right:** 8; `sync` names them" in session.ask("status")


def test_an_order_to_sync_says_that_the_lms_is_away(session: AdminSession) -> None:
    session.ask("sync")
    session.parts.lms.close()
    session.place.lms.run("ALTER TABLE students RENAME TO elsewhere")
    session.run(session.worker.carry_out_orders)
    (said,) = session.said()
    assert said.startswith("❌ The sync failed: ")
    session.run(session.worker.carry_out_orders)
    assert len(session.said()) == 1


def test_a_sync_that_a_program_ordered_waits_until_the_lms_is_back(session: AdminSession) -> None:
    rows = LmsRows(session.place.lms_url)
    session.parts.lms.close()
    rows.run("ALTER TABLE students RENAME TO elsewhere")
    with session.parts.store.writing() as transaction:
        control.sync(transaction, datetime.now(UTC))
    for _ in range(2):
        session.run(session.worker.carry_out_orders)
    assert session.worker._circuit_state().circuit is Circuit.OPEN
    with session.parts.store.reading() as transaction:
        assert [one.work for one in orders.pending(transaction)] == [Work.SYNC]
    rows.run("ALTER TABLE elsewhere RENAME TO students")
    rows.run("UPDATE courses SET title = 'Calculus' WHERE id = 1")
    session.restart()
    session.ask("pause polling")
    session.run(session.worker.carry_out_orders)
    assert "Calculus" not in titles(session)
    session.ask("resume polling")
    session.run(session.worker.carry_out_orders)
    assert "Calculus" in titles(session)
    assert session.said() == []
    with session.parts.store.reading() as transaction:
        assert orders.pending(transaction) == []


def titles(session: AdminSession) -> list[str]:
    with session.parts.store.reading() as transaction:
        return list(transaction.scalars(sa.select(tables.courses.c.title)))
