"""On PostgreSQL no row is lost between two polls, whenever its transaction commits and wherever the row stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lms_bot.core.cursor import Cursor, Page
from lms_bot.lms.changes import ChangeReader, Recorded
from lms_bot.lms.schemas import CLASSIC
from lms_bot.lms.snapshot import take
from lms_bot.lms.source import Watch as Watched
from lms_bot.store.events import cursors
from tests.lms_rows import ATTEMPTS, GULNORA, MARY, NOW, OMAR, RAVI, PollingWatch, Watch

SLICE = "100"  # rows looked through by one poll, so that a round of the sweep takes many polls
FILLED = 3_000  # attempts in the way of the sweep
ABOVE = 10_000  # ids that no sweep of the next few polls comes near

pytestmark = pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)


@pytest.fixture
def empty(lms_url: str, postgresql: str) -> Iterator[Watch]:
    watch = PollingWatch(lms_url, postgresql, LMS_SWEEP_ROWS=SLICE)
    yield watch
    watch.close()


@pytest.fixture
def filled(empty: Watch) -> Watch:
    """A table that takes a round of some fifty polls to sweep, recorded as history."""
    empty.rows.insert_finished(1, FILLED)
    empty.poll()
    return empty


@pytest.fixture
def swept(empty: Watch) -> Watch:
    """A smaller table, of some thirty polls a round, whose first round is over."""
    empty.rows.insert_finished(1, 2_000)
    empty.poll()
    empty.polls(blocks(empty))
    return empty


def blocks(watch: Watch) -> int:
    return int(watch.rows.value("SELECT pg_relation_size('attempts') / current_setting('block_size')::int"))


def poll_rounds(watch: Watch, rounds: int = 2) -> None:
    """Poll until the sweep has certainly been everywhere: what was under way, and a whole round."""
    watch.polls(rounds * blocks(watch) + 2)


def cursor_of(watch: Watch) -> Cursor:
    with watch.store.reading() as transaction:
        cursor = cursors.load(transaction, ATTEMPTS)
    assert cursor is not None
    return cursor


def news(watch: Watch) -> list[tuple[int, str]]:
    """(source id, event type) of what was told, by id."""
    return sorted({(source_id, kind) for _, source_id, kind, _ in watch.owed()})


# --- Late commits ----------------------------------------------------------------------------------------------------


def test_a_lower_id_that_commits_after_a_higher_one_was_read_is_told_by_the_next_poll(filled: Watch) -> None:
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE + 1)
        filled.rows.insert_attempt(ABOVE + 2)
        filled.poll()
        assert news(filled) == [(ABOVE + 2, "exam_started")]
        late.commit()

    filled.poll()

    assert news(filled) == [(ABOVE + 1, "exam_started"), (ABOVE + 2, "exam_started")]


def test_a_transaction_that_stays_open_across_many_polls_is_told_when_it_commits(filled: Watch) -> None:
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE)
        late.insert_attempt(ABOVE + 1, state="completed", result="fail")
        for number in range(2, 32):
            filled.rows.insert_attempt(ABOVE + number, state="completed", result="pass")
            filled.poll()
        late.commit()

    filled.poll()

    assert filled.owed_for(ABOVE) == [("exam_started", MARY)]
    assert filled.owed_for(ABOVE + 1) == [("exam_failed", MARY)]
    filled.polls(3)
    assert len(news(filled)) == len(filled.owed()) == 32


def test_fewer_late_rows_than_the_overlap_allows_never_wait_for_the_sweep(filled: Watch) -> None:
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE)
        for number in range(1, 60):
            filled.rows.insert_attempt(ABOVE + number, state="completed", result="pass")
            if number % 2:
                filled.poll()
        late.commit()

    filled.poll()

    assert filled.kinds(ABOVE) == ["exam_started"]


def test_transactions_that_overlap_are_each_told_when_they_commit(filled: Watch) -> None:
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(filled.rows.transaction()) for _ in range(3))
        first.insert_attempt(ABOVE + 1)
        second.insert_attempt(ABOVE + 3)
        filled.rows.insert_attempt(ABOVE + 4)
        filled.poll()
        third.insert_attempt(ABOVE + 6)
        first.insert_attempt(ABOVE + 2)
        filled.rows.insert_attempt(ABOVE + 8)
        third.commit()
        filled.poll()
        assert [row[0] - ABOVE for row in news(filled)] == [4, 6, 8]
        first.commit()
        filled.poll()
        assert [row[0] - ABOVE for row in news(filled)] == [1, 2, 4, 6, 8]
        second.insert_attempt(ABOVE + 5)
        second.commit()

    filled.poll()

    assert [row[0] - ABOVE for row in news(filled)] == [1, 2, 3, 4, 5, 6, 8]


def test_a_late_commit_in_a_savepoint_is_told(filled: Watch) -> None:
    with filled.rows.engine.connect() as connection, connection.begin() as late:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f"INSERT INTO attempts (id, user_id, exam_id, state) VALUES ({ABOVE}, {RAVI}, 501, 'started')"
            )
        filled.rows.insert_attempt(ABOVE + 1)
        filled.polls(2)
        late.commit()

    filled.poll()

    assert filled.owed_for(ABOVE) == [("exam_started", MARY)]


def test_a_transaction_that_is_rolled_back_is_never_told(filled: Watch) -> None:
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE)
        filled.rows.insert_attempt(ABOVE + 1)
        filled.poll()
        late.rollback()

    poll_rounds(filled, 1)

    assert news(filled) == [(ABOVE + 1, "exam_started")]


def test_a_transaction_that_was_open_at_the_baseline_is_no_history(empty: Watch) -> None:
    empty.rows.insert_finished(1, 250)
    with empty.rows.transaction() as late:
        late.insert_attempt(251)
        empty.rows.insert_finished(252, 500)
        empty.poll()
        assert news(empty) == []
        late.commit()

    poll_rounds(empty)

    assert empty.owed() == [("attempts", 251, "exam_started", MARY)]


def test_a_commit_while_history_is_read_is_no_history(empty: Watch) -> None:
    empty.rows.insert_finished(1, 450)
    with empty.rows.transaction() as late:
        late.insert_attempt(451)
        empty.rows.insert_finished(452, 500)

        def commit_after_the_first_page(_table: str, _done: float, _rows: int) -> None:
            late.commit()

        empty.poller.poll(NOW, commit_after_the_first_page)

    poll_rounds(empty)

    assert empty.owed() == [("attempts", 451, "exam_started", MARY)]
    assert len(empty.facts()) == 500


def test_a_page_whose_newest_row_is_of_an_older_transaction_is_not_passed_too_early(filled: Watch) -> None:
    with filled.rows.transaction() as old, filled.rows.transaction() as young:
        old.insert_attempt(ABOVE + 9)
        young.insert_attempt(ABOVE + 1)
        old.commit()
        filled.poll()
        filled.rows.insert_attempt(ABOVE + 10)
        filled.polls(3)
        young.commit()

    filled.poll()

    assert [row[0] - ABOVE for row in news(filled)] == [1, 9, 10]


def test_a_forgotten_transaction_costs_no_more_than_the_sweep_allows(filled: Watch) -> None:
    with filled.rows.transaction() as forgotten, filled.rows.transaction() as late:
        forgotten.insert_attempt(ABOVE)
        late.insert_attempt(ABOVE + 1)
        for number in range(10):
            first = ABOVE + 2 + number * 40
            filled.rows.insert_finished(first, first + 39, at=NOW)
            filled.poll()
            cursor = cursor_of(filled)
            assert sum(1 for fact in filled.facts() if fact[1] > cursor.safe_id) <= int(SLICE) + 40
        late.commit()
        poll_rounds(filled)
        assert filled.kinds(ABOVE + 1) == ["exam_started"]
        filled.rows.insert_attempt(ABOVE + 900)
        filled.poll()
        assert filled.kinds(ABOVE + 900) == ["exam_started"]
        forgotten.commit()

    poll_rounds(filled)

    assert filled.kinds(ABOVE) == ["exam_started"]
    assert len(filled.owed()) == 403
    assert len(filled.facts()) == FILLED + 403


def test_late_rows_below_a_burst_of_pages_are_found(filled: Watch) -> None:
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE, user_id=GULNORA)
        filled.rows.insert_finished(ABOVE + 1, ABOVE + 700, at=NOW)
        filled.poll()
        late.commit()

    poll_rounds(filled)

    assert filled.owed_for(ABOVE) == [("exam_started", MARY), ("exam_started", OMAR)]
    assert len(filled.facts()) == FILLED + 701


# --- First read, then advance ----------------------------------------------------------------------------------------


class AdvancesFirst(ChangeReader):
    """The wrong order: it moves the safe cursor by this moment's snapshot, and only then reads from there."""

    def changes(
        self, watch: Watched, cursor: Cursor, open_ids: Sequence[int], recorded: Recorded, now: datetime
    ) -> Iterator[Page]:
        with self._engine.connect() as connection:
            oldest_open = take(connection, watch.table.name, now, timedelta()).xmin
        passed = (page.last_id for page in cursor.seen if page.next_xid <= oldest_open)
        yield from super().changes(
            watch, replace(cursor, safe_id=max([cursor.safe_id, *passed])), open_ids, recorded, now
        )


@pytest.mark.parametrize(("reader", "found"), [(ChangeReader, ["exam_started"]), (AdvancesFirst, [])])
def test_reading_from_the_old_safe_cursor_before_it_is_advanced_is_what_finds_a_late_row(
    filled: Watch, reader: type[ChangeReader], found: list[str]
) -> None:
    filled.lms.changes = reader(
        filled.lms.engine, CLASSIC, filled.settings.timezone, filled.settings.sweep_rows, timedelta()
    )
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE + 1)
        filled.rows.insert_attempt(ABOVE + 2)
        filled.polls(3)
        late.commit()

    filled.polls(3)

    assert filled.kinds(ABOVE + 2) == ["exam_started"]
    assert filled.kinds(ABOVE + 1) == found


def test_what_commits_while_a_poll_reads_is_told_by_the_next_one(
    filled: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = ChangeReader._above
    with filled.rows.transaction() as late:
        late.insert_attempt(ABOVE + 1)
        filled.rows.insert_attempt(ABOVE + 2)
        filled.poll()

        def commit_before_reading(*arguments: object) -> object:
            late.commit()
            return above(*arguments)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(ChangeReader, "_above", commit_before_reading)
            filled.poll()

    filled.polls(2)

    assert news(filled) == [(ABOVE + 1, "exam_started"), (ABOVE + 2, "exam_started")]


# --- The sweep -------------------------------------------------------------------------------------------------------


def test_rows_inserted_under_old_ids_are_found(swept: Watch) -> None:
    swept.rows.run("DELETE FROM attempts WHERE id IN (500, 1500)")
    swept.poll()
    swept.rows.insert_attempt(-7)
    swept.rows.insert_attempt(500, user_id=RAVI)
    swept.rows.insert_attempt(1500, state="completed", result="fail")

    poll_rounds(swept)

    assert news(swept) == [(-7, "exam_started"), (500, "exam_started"), (1500, "exam_failed")]


def test_a_regrade_of_any_old_row_is_found(swept: Watch) -> None:
    regraded = [1, 2, 61, 700, 1333, 1999, 2000]
    for source_id in regraded:
        swept.rows.update_attempt(source_id, result="fail", score=10)
        swept.poll()

    poll_rounds(swept)

    assert news(swept) == [(source_id, "exam_failed") for source_id in regraded]
    assert all(swept.current(source_id) == ["exam_failed"] for source_id in regraded)
    assert len(swept.facts()) == 2_000 + len(regraded)


def test_a_regrade_that_commits_late_is_found(swept: Watch) -> None:
    with swept.rows.transaction() as late:
        late.update_attempt(40, result="fail")
        late.update_attempt(1900, result="fail")
        poll_rounds(swept, 3)
        assert news(swept) == []
        late.commit()

    poll_rounds(swept)

    assert news(swept) == [(40, "exam_failed"), (1900, "exam_failed")]


def test_the_sweep_reads_no_more_than_its_slice(swept: Watch) -> None:
    before = cursor_of(swept).sweep_position

    swept.poll()

    after = cursor_of(swept).sweep_position
    assert after is None or after - (before or 0) == 1
    assert blocks(swept) > 20


def test_a_row_that_moves_to_a_slice_that_was_already_swept_is_found(swept: Watch) -> None:
    swept.rows.run("DELETE FROM attempts WHERE id <= 60")
    swept.rows.run("VACUUM attempts")
    swept.polls(blocks(swept) // 2)
    before = swept.rows.value("SELECT ctid::text FROM attempts WHERE id = 1990")
    swept.rows.run("UPDATE attempts SET result = 'fail' WHERE id BETWEEN 1901 AND 2000")
    assert swept.rows.value("SELECT min(ctid)::text FROM attempts WHERE result = 'fail'") < before

    poll_rounds(swept)

    assert news(swept) == [(source_id, "exam_failed") for source_id in range(1901, 2001)]


@pytest.mark.parametrize("rewrite", ["VACUUM FULL attempts", "CLUSTER attempts USING attempts_pkey"])
def test_a_table_that_is_rewritten_in_the_middle_of_a_round_loses_and_doubles_nothing(
    swept: Watch, rewrite: str
) -> None:
    swept.rows.run("DELETE FROM attempts WHERE id BETWEEN 100 AND 400")
    swept.polls(7)
    swept.rows.run("UPDATE attempts SET result = 'fail' WHERE id IN (3, 90, 1000, 2000)")
    swept.rows.insert_attempt(200)
    with swept.rows.transaction() as late:
        swept.rows.run(rewrite)
        late.insert_attempt(3000)
        swept.rows.insert_attempt(3001)
        swept.polls(3)
        late.commit()
    swept.poll()
    assert swept.kinds(3000) == ["exam_started"]
    swept.rows.update_attempt(1500, result="fail")

    poll_rounds(swept)

    regraded = [(source_id, "exam_failed") for source_id in (3, 90, 1000, 1500, 2000)]
    assert news(swept) == sorted([*regraded, (200, "exam_started"), (3000, "exam_started"), (3001, "exam_started")])
    assert len(swept.facts()) == 2_000 + 8


def test_a_table_that_is_emptied_and_filled_again_is_compared_whole(swept: Watch) -> None:
    swept.rows.run("CREATE TABLE kept AS SELECT * FROM attempts")
    swept.rows.run("TRUNCATE attempts CASCADE")
    swept.poll()
    swept.rows.run("UPDATE kept SET result = 'fail' WHERE id IN (5, 1995)")
    swept.rows.run("INSERT INTO attempts SELECT * FROM kept ORDER BY id DESC")

    poll_rounds(swept)

    assert news(swept) == [(5, "exam_failed"), (1995, "exam_failed")]
    assert len(swept.facts()) == 2_002


# --- Another server --------------------------------------------------------------------------------------------------


def test_transaction_ids_that_go_backwards_make_the_sweep_compare_everything(swept: Watch) -> None:
    _pretend_that_ids_were_higher(swept)
    swept.rows.update_attempt(30, result="fail")
    swept.rows.update_attempt(1970, result="fail")
    swept.rows.insert_attempt(3000)

    assert swept.poll().server_replaced
    assert not swept.poll().server_replaced
    poll_rounds(swept)

    assert news(swept) == [(30, "exam_failed"), (1970, "exam_failed"), (3000, "exam_started")]
    assert len(swept.facts()) == 2_003


def test_late_commits_are_told_on_the_new_server_too(swept: Watch) -> None:
    with swept.rows.transaction() as late:
        late.insert_attempt(3000)
        swept.rows.insert_attempt(3001)
        swept.poll()
        _pretend_that_ids_were_higher(swept)
        swept.rows.insert_attempt(3002)
        assert swept.poll().server_replaced
        late.commit()

    swept.poll()

    assert [row[0] for row in news(swept)] == [3000, 3001, 3002]


def test_a_regrade_from_before_the_change_of_servers_is_not_lost(swept: Watch) -> None:
    swept.polls(5)
    swept.rows.update_attempt(3, result="fail")
    _pretend_that_ids_were_higher(swept)
    swept.polls(blocks(swept) // 2)
    swept.rows.update_attempt(10, result="fail")

    poll_rounds(swept)

    assert news(swept) == [(3, "exam_failed"), (10, "exam_failed")]


def test_a_table_made_anew_is_another_server(swept: Watch) -> None:
    swept.rows.run("ALTER TABLE attempts RENAME TO attempts_old")
    swept.rows.run("CREATE TABLE attempts (LIKE attempts_old INCLUDING ALL)")
    swept.rows.run("INSERT INTO attempts SELECT * FROM attempts_old")
    swept.rows.update_attempt(77, result="fail")

    assert swept.poll().server_replaced
    poll_rounds(swept)

    assert news(swept) == [(77, "exam_failed")]
    assert len(swept.facts()) == 2_001


def _pretend_that_ids_were_higher(watch: Watch) -> None:
    """Leave the cursor as if it came from a server that had given out far more transaction ids."""
    cursor, far = cursor_of(watch), 10**12
    elsewhere = replace(
        cursor,
        next_xid=far,
        server="1 2 3 4.5",
        seen=tuple(replace(page, next_xid=far) for page in cursor.seen),
        sweep_since=far,
        sweep_next_since=far,
    )
    with watch.store.writing() as transaction:
        cursors.save(transaction, elsewhere, watch.now)
