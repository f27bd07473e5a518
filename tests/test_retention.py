"""What is older than the operator keeps is removed with what was told of it, and never found again as new."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.notifications import Message, Recipient
from lms_bot.store import counters, tables
from lms_bot.store.notifications import outbox
from lms_bot.store.reports import statistics as reports_statistics
from lms_bot.store.retention.prune import BATCH, BATCHES, POSITION, prune_slice
from lms_bot.store.session import Store
from lms_bot.store.streaks import days
from tests.bot_process import PATIENCE, from_store, in_store, wait_for
from tests.lms_rows import CONTENT_ATTEMPTS, DAY, MARY, MINUTE, NOW, RAVI, SOFIA, Watch
from tests.shell import Shell, daemon, daemon_log, shell

__all__ = ["shell"]

DAYS = 90
LATER = NOW + 100 * DAY  # what is of NOW is too old by then


@pytest.fixture
def watch(lms_url: str, store_url: str) -> Iterator[Watch]:
    watch = Watch(lms_url, store_url)
    watch.without_rules()
    yield watch
    watch.close()


def prune(watch: Watch, at: Any = None) -> int:
    """A whole walk of the daily clean-up."""
    removed = 0
    watch.now = at or watch.now + DAY
    while True:
        removed += prune_slice(watch.store, DAYS, watch.now)
        if is_over(watch.store):
            return removed


def is_over(store: Store) -> bool:
    with store.reading() as transaction:
        query = sa.select(tables.facts.c.value).where(tables.facts.c.name == POSITION)
        return transaction.scalar(query) is None


def touch(watch: Watch) -> None:
    """Write every row anew as it is, so that the sweep brings it again on PostgreSQL as it does on SQLite."""
    watch.rows.run("UPDATE attempts SET score = score")
    watch.rows.run("UPDATE content_attempts SET state = state")


def sweep_rounds(watch: Watch, rounds: int = 3) -> int:
    """Poll until everything was looked through several times; gives how much was recorded."""
    recorded = 0
    for _ in range(rounds):
        touch(watch)
        polls = [watch.poll() for _ in range(3)]
        recorded += sum(polled.new_events + polled.history_events for polled in polls)
    return recorded


def tell(watch: Watch) -> list[Message]:
    """Tell each mentor all that they are owed, in one message each."""
    told = []
    with watch.store.writing() as transaction:
        rows = transaction.execute(sa.select(tables.logs.c.log_id, tables.logs.c.mentor_id)).all()
        for number, mentor_id in enumerate(sorted({row.mentor_id for row in rows})):
            log_ids = [row.log_id for row in rows if row.mentor_id == mentor_id]
            told.append(
                outbox.freeze(
                    transaction,
                    outbox.Draft(Recipient(user_ids=(9,)), "told", mentor_id=mentor_id, log_ids=log_ids),
                    watch.now,
                )
            )
            outbox.settle_sent(transaction, told[-1], 1_000 + number, watch.now)
    return told


def count(watch: Watch, table: sa.Table) -> int:
    with watch.store.reading() as transaction:
        return transaction.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def assert_counts_are_right(watch: Watch) -> None:
    with watch.store.reading() as transaction:
        kept = [transaction.scalar(counters.value(name)) or 0 for name in (counters.EVENTS, counters.NOTIFIED)]
        told = sa.select(sa.func.count(sa.distinct(tables.logs.c.event_id))).where(tables.is_sent)
        assert kept == [count(watch, tables.events), transaction.scalar(told)]
        statistics = reports_statistics.statistics(transaction)
    assert statistics.total == count(watch, tables.events)


def passed(**values: Any) -> dict[str, Any]:
    return {"state": "completed", "result": "pass", "score": 80, **values}


def fill(watch: Watch) -> None:
    """Rows with and without a time of their own, told and of history, finished and open, in both tables."""
    rows = watch.rows
    rows.insert_attempt(1, **passed(date=NOW - 200 * DAY, last_answer_updated_time=NOW - 200 * DAY))
    rows.insert_attempt(2, **passed())
    rows.insert_attempt(3, date=NOW - 200 * DAY)
    watch.poll()
    rows.insert_attempt(11, **passed(date=NOW, last_answer_updated_time=NOW))
    rows.insert_attempt(12, **passed(user_id=RAVI))
    rows.insert_attempt(13, date=None)
    rows.insert_content_attempt(21, state="viewed")
    rows.insert_content_attempt(22, state="completed", completed_on=NOW)
    rows.insert_content_attempt(23, state="odd")
    watch.poll()


def test_what_is_old_goes_and_no_round_of_the_sweep_brings_it_back(watch: Watch) -> None:
    fill(watch)
    tell(watch)
    watch.now = LATER
    watch.rows.insert_attempt(99, **passed(date=LATER, last_answer_updated_time=LATER))
    watch.poll()
    owed = watch.owed_for(99)
    assert prune(watch) > 7
    assert watch.facts() == [("attempts", 99, "exam_passed")]
    assert count(watch, tables.messages) == 0
    assert sweep_rounds(watch) == 0
    watch.restart()
    assert sweep_rounds(watch) == 0
    assert watch.facts() == [("attempts", 99, "exam_passed")]
    assert watch.owed() == [("attempts", 99, *told) for told in owed]
    assert_counts_are_right(watch)


def test_what_is_young_is_kept_with_what_was_told_of_it(watch: Watch) -> None:
    fill(watch)
    tell(watch)
    before = watch.facts(), watch.owed(), count(watch, tables.messages)
    assert prune(watch, NOW + 89 * DAY) == 2, "only what was old when it was found"
    assert [fact for fact in before[0] if fact[1] not in (1, 3)] == watch.facts()
    assert (watch.owed(), count(watch, tables.messages)) == before[1:]
    assert_counts_are_right(watch)


def test_a_new_state_of_a_removed_row_is_told_once_and_a_corrected_old_one_is_not(watch: Watch) -> None:
    fill(watch)
    watch.now = LATER
    watch.rows.insert_attempt(99, **passed(user_id=SOFIA))
    watch.poll()
    prune(watch)
    end = watch.now
    watch.rows.update_attempt(3, **passed(last_answer_updated_time=end))  # open for 300 days
    watch.rows.update_attempt(13, **passed())  # open too, without any time
    watch.rows.update_attempt(12, result="fail")  # a regrade
    watch.rows.update_attempt(2, score=81)  # a correction
    watch.rows.update_content_attempt(22, completed_on=end)  # looked at once more
    for _ in range(3):
        sweep_rounds(watch)
        watch.now += 8 * DAY
    assert sorted(watch.facts()) == [
        ("attempts", 3, "exam_passed"),
        ("attempts", 12, "exam_failed"),
        ("attempts", 13, "exam_passed"),
        ("attempts", 99, "exam_passed"),
    ]
    assert [watch.owed_for(source_id) for source_id in (3, 13)] == [[("exam_passed", MARY)]] * 2
    assert [kind for kind, _ in watch.owed_for(12)] == ["exam_failed"]
    assert_counts_are_right(watch)


def test_a_row_that_goes_back_to_a_removed_state_is_another_fact(watch: Watch) -> None:
    watch.rows.insert_attempt(1, **passed())
    watch.poll()
    watch.now = LATER
    watch.rows.insert_attempt(2, **passed())
    watch.poll()
    prune(watch)
    for result, current in (("fail", ["exam_failed"]), ("pass", ["exam_passed"]), ("fail", ["exam_failed"])):
        watch.rows.update_attempt(1, result=result)
        sweep_rounds(watch)
        assert watch.current(1) == current
    assert [(event.event_type, event.episode) for event in watch.events(1)] == [
        ("exam_failed", 0),
        ("exam_passed", 1),
        ("exam_failed", 1),
    ]


def test_an_open_row_stays_open_while_its_start_is_removed(watch: Watch) -> None:
    fill(watch)
    watch.now = LATER
    prune(watch)
    ids = sa.select(tables.open_rows.c.source_table, tables.open_rows.c.source_id)
    with watch.store.reading() as transaction:
        found = {tuple(row) for row in transaction.execute(ids)}
    assert found == {("attempts", 3), ("attempts", 13), (CONTENT_ATTEMPTS, 23)}


def test_a_message_under_way_keeps_what_it_tells_until_it_is_settled(watch: Watch) -> None:
    fill(watch)
    watch.poll(LATER)
    watch.rows.insert_attempt(99, **passed())
    watch.poll()
    (log_id,) = [row.log_id for row in owed_rows(watch, 11)]
    with watch.store.writing() as transaction:
        message = outbox.freeze(
            transaction, outbox.Draft(Recipient(user_ids=(9,)), "told", mentor_id=MARY, log_ids=[log_id]), watch.now
        )
    prune(watch)
    assert [fact[1] for fact in watch.facts()] == [11, 99]
    with watch.store.writing() as transaction:
        outbox.settle_sent(transaction, message, 77, watch.now)
    assert prune(watch) == 1
    assert [fact[1] for fact in watch.facts()] == [99]
    assert count(watch, tables.messages) == 0
    assert_counts_are_right(watch)


def owed_rows(watch: Watch, source_id: int) -> list[Any]:
    query = (
        sa.select(tables.logs)
        .join(tables.events, tables.events.c.event_id == tables.logs.c.event_id)
        .where(tables.events.c.source_id == source_id)
    )
    with watch.store.reading() as transaction:
        return list(transaction.execute(query))


def test_a_message_that_tells_something_young_as_well_stays(watch: Watch) -> None:
    watch.poll()
    watch.rows.insert_attempt(11, **passed())
    watch.poll()
    watch.now = NOW + 80 * DAY
    watch.rows.insert_attempt(12, **passed())
    watch.poll()
    tell(watch)
    prune(watch, LATER)
    assert [fact[1] for fact in watch.facts()] == [12]
    assert count(watch, tables.messages) == 1
    assert_counts_are_right(watch)


def test_old_answers_go_too(watch: Watch) -> None:
    with watch.store.writing() as transaction:
        old = outbox.freeze(transaction, outbox.Draft(Recipient(user_ids=(9,)), "jane did this"), NOW)
        outbox.settle_sent(transaction, old, 70, NOW)
        outbox.freeze(transaction, outbox.Draft(Recipient(user_ids=(9,)), "nobody knows whether this was sent"), NOW)
        young = outbox.freeze(transaction, outbox.Draft(Recipient(user_ids=(9,)), "jane did that"), LATER)
        outbox.settle_sent(transaction, young, 71, LATER)
    assert prune(watch, LATER) == 1
    assert count(watch, tables.messages) == 2


def test_thousands_are_removed_a_turn_at_a_time_once_a_day(watch: Watch) -> None:
    size = BATCH * BATCHES + 500
    watch.rows.insert_finished(1, size, at=NOW - 200 * DAY)
    watch.rows.insert_attempt(size + 1, **passed())
    watch.poll()
    assert prune_slice(watch.store, DAYS, NOW) == BATCH * BATCHES
    assert not is_over(watch.store)
    assert prune_slice(watch.store, DAYS, NOW) == 500
    assert is_over(watch.store)
    assert prune_slice(watch.store, DAYS, NOW + MINUTE) == 0
    assert watch.facts() == [("attempts", size + 1, "exam_passed")]
    assert sweep_rounds(watch, 2) == 0
    assert_counts_are_right(watch)


def test_a_poll_at_the_same_moment_does_not_bring_back_what_is_being_removed(watch: Watch) -> None:
    watch.rows.insert_finished(1, 3_000, at=NOW - 200 * DAY)
    watch.rows.insert_attempt(3_001, **passed())
    watch.poll()
    removing = threading.Event()

    def remove() -> int:
        removing.set()
        return prune_slice(watch.store, DAYS, NOW)

    with ThreadPoolExecutor(1) as pool:
        removed = pool.submit(remove)
        removing.wait(PATIENCE)
        found = 0
        while not removed.done():
            watch.rows.run("UPDATE attempts SET score = score + 1 WHERE id <= 3000")
            found += watch.poll().history_events
    assert (removed.result(), found) == (3_000, 0)
    assert sweep_rounds(watch, 2) == 0
    assert watch.facts() == [("attempts", 3_001, "exam_passed")]
    assert_counts_are_right(watch)


def test_c8_the_newest_event_goes_too_and_its_number_is_not_given_again(watch: Watch) -> None:
    fill(watch)
    newest = watch.events()[-1].event_id
    watch.now = LATER
    prune(watch)
    assert watch.events() == []
    watch.rows.insert_attempt(99, **passed(date=LATER, last_answer_updated_time=LATER))
    watch.poll()
    assert watch.events()[-1].event_id > newest


def test_nothing_of_the_students_is_left_in_what_remembers_removed_events(watch: Watch) -> None:
    fill(watch)
    watch.now = LATER
    prune(watch)
    with watch.store.reading() as transaction:
        left = [tuple(row) for row in transaction.execute(sa.select(tables.pruned))]
    assert all(row[0] in ("attempts", CONTENT_ATTEMPTS) and isinstance(row[1], int) for row in left)
    assert {type(value) for row in left for value in row} <= {str, int, type(None)}


def test_the_daemon_keeps_what_the_setting_says(shell: Shell) -> None:
    old = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    for attempt_id in (900, 901):
        shell.lms.pass_exam(attempt_id, 1001)
    shell.lms.run("UPDATE attempts SET date = :old, last_answer_updated_time = :old WHERE id = 900", old=old)
    shell.counts("--once")
    query = "SELECT source_id FROM lms_activity_events"
    with daemon(shell, settings="retention_days = 30"):
        wait_for(lambda: from_store(shell.store_url, query) == [(901,)], story=lambda: daemon_log(shell))
        wait_for(lambda: "1 events and answers older than 30 days are removed" in daemon_log(shell))
    in_store(shell.store_url, "DELETE FROM facts WHERE name = 'polled'")
    assert shell.counts("--once")["new_events"] == 0
    assert from_store(shell.store_url, query) == [(901,)]


def test_days_and_streaks_outlast_the_events_they_were_counted_from(watch: Watch, store_url: str) -> None:
    def kept() -> list[set[Any]]:
        return [set(from_store(store_url, f"SELECT * FROM {table}")) for table in ("student_days", "streaks")]

    watch.rows.insert_attempt(1)
    watch.poll()
    before = kept()
    watch.rows.insert_attempt(2, date=LATER)
    watch.poll(LATER)
    assert prune(watch) == 1
    with watch.store.writing() as transaction:
        days.recount(transaction, watch.settings.timezone, watch.now)
    assert all(before)
    assert all(old < new for old, new in zip(before, kept(), strict=True))


def test_closed_alerts_go_with_the_events_of_their_time(watch: Watch, store_url: str) -> None:
    with watch.store.writing() as transaction:
        row = {"rule": "stuck", "mentor_id": MARY, "subject_id": 0, "level": 1, "numbers": {}, "since": NOW}
        rows = [
            {**row, "name": f"KT{number}", "student_id": number, "opened_at": NOW, "closed_at": closed_at}
            for number, closed_at in enumerate((NOW, LATER, None))
        ]
        transaction.execute(sa.insert(tables.student_alerts), rows)
        reminders = [{"alert_id": alert_id, "reason": "untaken", "at": NOW} for alert_id in (1, 2, 3)]
        transaction.execute(sa.insert(tables.alert_reminders), reminders)
    prune(watch, LATER)
    assert from_store(store_url, "SELECT alert_id FROM student_alerts") == [(2,), (3,)]
    assert from_store(store_url, "SELECT alert_id FROM alert_reminders") == [(2,), (3,)]
