"""A sync that is killed at any statement loses nothing and doubles nothing, and several at once come to the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.sync import Changes
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.run import Sync
from lms_bot.store.events import cursors
from tests.lms_rows import DAY, JANE, MINUTE, RAVI, Watch
from tests.sync_recount import after_reading, differences, in_lms, in_store

MOST = 200  # statements of a sync of everything, and commits; it has fewer
EVERY = 6  # statements; what each of them is killed at takes a minute


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS with results and counts, of which the store knows all."""
    watch = Watch(lms_url, store_beside, LMS_SWEEP_ROWS="100")
    watch.without_rules()
    watch.rows.insert_finished(1, 40)
    for row_id in range(1, 31):
        add_result(watch, row_id)
    for student in (JANE, RAVI):
        for day in (20, 21):
            add_day(watch, student * 100 + day, student, day)
    watch.polls(2)
    assert not differences(in_lms(watch.rows), in_store(watch.store))
    yield watch
    watch.close()


def add_result(watch: Watch, row_id: int, correct: int = 3) -> None:
    counts = f"correct_answers_count, total_count) VALUES ({row_id}, {row_id % 40 + 1}, 'Algebra', {correct}, 5)"
    watch.rows.run(f"INSERT INTO subject_stats (id, attempt_id, subject_name, {counts}")


def add_day(watch: Watch, row_id: int, student: int, day: int) -> None:
    watch.rows.run(
        'INSERT INTO student_activities (id, student_id, "timestamp", current_streak, fetch_date)'
        f" VALUES ({row_id}, '{student}', '2026-02-01 12:00', 1, '2026-02-{day}')"
    )


def change_everything(watch: Watch, turn: int) -> None:
    """One of each kind of change, another one in each turn."""
    run = watch.rows.run
    run(f"UPDATE students SET display_name = 'Jane {turn}' WHERE id = {JANE}")
    run(f"""DELETE FROM "_MentorToStudent" WHERE "B" = {RAVI}""")
    run(f"""INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES ({90_000 + turn}, {turn % 2 + 1}, {RAVI})""")
    run(f"UPDATE courses SET title = 'Calculus {turn}' WHERE id = 1")
    run(f"UPDATE subject_stats SET correct_answers_count = {turn} WHERE id = {turn % 30 + 1}")
    is_leaf = "false" if watch.rows.engine.dialect.name == "postgresql" else "0"
    run(f"UPDATE subject_stats SET is_leaf = {is_leaf} WHERE id = {(turn + 7) % 30 + 1}")
    add_result(watch, 1_000 + turn)
    run(f"UPDATE student_activities SET current_streak = {turn} WHERE student_id = '{JANE}'")
    run(
        f"UPDATE student_activities SET fetch_date = '2026-01-{10 + turn % 15}' WHERE id = {RAVI * 100 + 20 + turn % 2}"
    )


def sync(watch: Watch) -> None:
    Sync(watch.store, watch.lms, watch.settings).run(watch.now)


def killed(watch: Watch, statement: int) -> bool:
    """Sync in a process that is killed before this statement to the store, or commit: whether it came to that."""
    watch.close()
    process = os.fork()
    if not process:
        try:
            watch.restart(LMS_SWEEP_ROWS="100")
            _kill_at(watch.store.engine, statement)
            sync(watch)
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    watch.restart(LMS_SWEEP_ROWS="100")
    return os.WIFSIGNALED(status)


def _kill_at(engine: sa.Engine, statement: int) -> None:
    left = statement

    def count(*_given: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_cursor_execute", "commit"):
        sa.event.listen(engine, moment, count)


def versions(watch: Watch) -> dict[str, int]:
    with watch.store.reading() as transaction:
        return {name: cursor.version for name, cursor in cursors.load_all(transaction).items()}


def test_a_sync_killed_at_any_statement_loses_and_doubles_nothing(watch: Watch) -> None:
    first = 1 if watch.rows.engine.dialect.name == "sqlite" else 3
    for statement in range(first, MOST, EVERY):
        change_everything(watch, statement)
        before = versions(watch)
        watch.now += MINUTE
        if not killed(watch, statement):
            break
        after = versions(watch)
        assert all(after[name] in (number, number + 1) for name, number in before.items())
        sync(watch)
        assert not differences(in_lms(watch.rows), in_store(watch.store)), statement
    assert 60 < statement < MOST - EVERY


# Several at once


@pytest.fixture
def other(watch: Watch) -> Iterator[Watch]:
    """Another process at the same two databases."""
    lms_url, store_url = (
        engine.url.render_as_string(hide_password=False) for engine in (watch.rows.engine, watch.store.engine)
    )
    other = Watch(lms_url, store_url, LMS_SWEEP_ROWS="100")
    other.now = watch.now
    yield other
    other.close()


def at_once(*readings: Callable[[], Any]) -> list[Any]:
    """What readings return that begin at the same moment, each in a thread of its own."""
    barrier = Barrier(len(readings))

    def begin(reading: Callable[[], Any]) -> Any:
        barrier.wait()
        return reading()

    with ThreadPoolExecutor(len(readings)) as pool:
        return list(pool.map(begin, readings))


def test_two_that_read_details_at_once_count_each_row_once(watch: Watch, other: Watch) -> None:
    for row_id in range(1_000, 1_250):
        add_result(watch, row_id)

    def read(one: Watch) -> Changes:
        return academics.read_all(one.store, one.lms, watch.now)

    first, second = at_once(partial(read, watch), partial(read, other))
    assert (first + second).added == 250
    assert not differences(in_lms(watch.rows), in_store(watch.store))
    assert read(watch).is_nothing


def test_a_sync_beside_a_poll_comes_to_the_same(watch: Watch, other: Watch) -> None:
    for turn in range(3):
        change_everything(watch, turn)
        watch.rows.insert_finished(1_000 + turn, 1_000 + turn)
        at_once(partial(sync, watch), other.poll)
        sync(watch)
        assert not differences(in_lms(watch.rows), in_store(watch.store))
    watch.poll()
    facts = watch.facts()
    assert len(facts) == len(set(facts)) == 43


def test_what_another_process_read_later_is_not_undone(watch: Watch, other: Watch) -> None:
    """A page that was read before, and is stored after, says nothing any more."""
    for times in range(3, 9):
        change_everything(watch, 4)  # result 5, and Jane's counts
        with after_reading(watch, times, partial(_change_and_sync, other, times)):
            sync(watch)
        assert not differences(in_lms(watch.rows), in_store(watch.store)), times
        watch.rows.delete("subject_stats", 1_004)


def test_what_another_process_read_during_a_comparison_is_not_undone(watch: Watch, other: Watch) -> None:
    watch.poll()
    (compare,) = (job for job in watch.clock_jobs.jobs if job.name == "drift")
    for times in range(2, 7):
        watch.now += DAY
        with after_reading(watch, times, partial(_change_and_sync, other, times)):
            compare.run(watch.now)
        assert not differences(in_lms(watch.rows), in_store(watch.store)), times


def _change_and_sync(other: Watch, turn: int) -> None:
    other.rows.run(f"UPDATE subject_stats SET correct_answers_count = {100 + turn} WHERE id = 5")
    other.rows.run(f"UPDATE student_activities SET current_streak = {100 + turn} WHERE student_id = '{JANE}'")
    sync(other)
