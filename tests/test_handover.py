"""The hand-over gives every event once, marks exactly what was written, and holds a page at a time."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.errors import UserError
from lms_bot.store import mark_processed, student_history, unprocessed_events
from lms_bot.store.events import handover
from lms_bot.store.events.handover import RecordedEvent, count_unprocessed
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import events
from tests import NOW
from tests.bot_process import BOTH, GULNORA, JANE, PATIENCE, from_store
from tests.shell import DONE, FAILED, WRONG_USE, Shell, problems, shell
from tests.test_store import CONTRACT

__all__ = ["shell"]

UNMARKED = "SELECT count(*) FROM lms_activity_events WHERE NOT processed_for_ai"
RAVI = 12


def record(store: Store, count: int, **values: Any) -> None:
    """Record exams that Jane passed, one a minute."""
    row = {
        "event_type": "exam_passed",
        "student_id": JANE,
        "student_username": "jane_smith",
        "activity_metadata": {"score": 85},
        "created_at": NOW,
        "source_table": "attempts",
        "fingerprint": 0,
        **values,
    }
    with store.writing() as transaction:
        first = (transaction.scalar(sa.select(sa.func.max(events.c.source_id))) or 0) + 1
        numbers = range(first, first + count)
        rows = [{"source_id": n, "timestamp": NOW + timedelta(minutes=n), **row} for n in numbers]
        transaction.execute(sa.insert(events), rows)


def ids(found: Iterable[RecordedEvent]) -> list[int]:
    return [event.event_id for event in found]


# Through Python


def test_everything_is_given_in_the_order_of_recording_and_no_more_once_marked(store: Store) -> None:
    record(store, 2 * handover.PAGE + 1)
    found = ids(unprocessed_events(store))
    assert found == sorted(set(found))
    assert len(found) == 2 * handover.PAGE + 1
    assert mark_processed(store, found[:5]) == 5
    assert mark_processed(store, found[:6]) == 1
    assert ids(unprocessed_events(store)) == found[6:]
    assert ids(unprocessed_events(store, include_processed=True)) == found
    assert count_unprocessed(store) == len(found) - 6


def test_events_may_be_marked_while_they_are_read(store: Store) -> None:
    record(store, handover.PAGE + 10)
    for event in unprocessed_events(store):
        mark_processed(store, [event.event_id]) if event.event_id % 100 == 0 else None
    assert from_store(_url(store), UNMARKED) == [(handover.PAGE + 10 - (handover.PAGE + 10) // 100,)]


def test_marking_nothing_or_what_is_not_there_marks_nothing(store: Store) -> None:
    record(store, 1)
    assert mark_processed(store, []) == mark_processed(store, [999]) == 0
    assert len(ids(unprocessed_events(store))) == 1


def test_kind_student_and_limit_choose_together(store: Store) -> None:
    record(store, 3)
    record(store, 2, event_type="exam_failed")
    record(store, 2, event_type="exam_failed", student_id=RAVI, student_username="ravi'; DROP TABLE students --")
    failed = [EventType.EXAM_FAILED]
    assert len(ids(unprocessed_events(store, event_types=failed))) == 4
    assert ids(unprocessed_events(store, event_types=failed, student=RAVI)) == [6, 7]
    assert ids(unprocessed_events(store, student="ravi'; DROP TABLE students --", limit=1)) == [6]
    assert ids(unprocessed_events(store, event_types=[])) == []
    assert count_unprocessed(store, event_types=failed, student="jane_smith") == 2
    for nobody in ("jane", "", "%", 99):
        with pytest.raises(UserError, match="no student"):
            unprocessed_events(store, student=nobody)


def test_the_history_of_a_student_is_newest_first_and_tells_one_fact_once(store: Store) -> None:
    record(store, 5)
    record(store, 1, source_table="content_attempts", mirrors=5)
    record(store, 1, student_id=RAVI, student_username="ravi_patel")
    assert ids(student_history(store, JANE)) == [5, 4, 3, 2, 1]
    assert ids(student_history(store, "jane_smith", limit=2)) == [5, 4]
    assert ids(student_history(store, "jane_smith", since=NOW + timedelta(minutes=4))) == [5, 4]
    (newest,) = student_history(store, JANE, limit=1)
    assert newest.timestamp == NOW + timedelta(minutes=5)
    assert newest.timestamp.tzinfo is UTC


def test_the_index_is_used_however_few_are_unmarked(store: Store) -> None:
    record(store, 5_000)
    mark_processed(store, range(1, 4_900))
    last_page = sa.select(events.c.event_id).where(~events.c.processed_for_ai, events.c.event_id > 3)
    with store.writing() as transaction:
        transaction.exec_driver_sql("ANALYZE")
        text = str(
            last_page.order_by(events.c.event_id)
            .limit(handover.PAGE)
            .compile(transaction.engine, compile_kwargs={"literal_binds": True})
        )
        explain = "EXPLAIN QUERY PLAN" if transaction.dialect.name == "sqlite" else "EXPLAIN"
        plan = "\n".join(str(row) for row in transaction.exec_driver_sql(f"{explain} {text}"))
    assert "ix_lms_activity_events_unprocessed" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def _url(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


# On the command line


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def filled(shell: Shell, count: int = 3, **values: Any) -> None:
    store = open_store(shell.store_url)
    record(store, count, **values)
    store.close()


def unmarked(shell: Shell) -> int:
    ((count,),) = from_store(shell.store_url, UNMARKED)
    return int(count)


@BOTH
def test_a_line_has_the_columns_of_the_table_and_times_in_utc(shell: Shell) -> None:
    filled(shell, 1, activity_title="Гульнора\n\x85\u2028 \"'", mentor_id=1, zulip_user_id=9)
    (line,) = lines(shell.run("events").stdout)
    assert set(line) == CONTRACT["lms_activity_events"]
    assert line["activity_title"] == "Гульнора\n\x85\u2028 \"'"
    assert line["activity_metadata"] == {"score": 85}
    assert line["timestamp"].endswith("Z")
    assert datetime.fromisoformat(line["timestamp"]) == NOW + timedelta(minutes=1)
    assert (line["processed_for_ai"], line["is_current"], line["mentor_id"]) == (False, True, 1)


def test_a_line_of_output_is_one_event_whatever_its_title_holds(shell: Shell) -> None:
    filled(shell, 2, activity_title="\x85\u2028\u2029\x0b\x0c\x1c\r\n")
    assert len(shell.run("events").stdout.splitlines()) == 2


@BOTH
def test_events_are_taken_once(shell: Shell) -> None:
    filled(shell, 3)
    assert [line["event_id"] for line in lines(shell.run("events").stdout)] == [1, 2, 3]
    assert unmarked(shell) == 3, "without --mark nothing is marked"
    assert len(lines(shell.run("events", "--mark", "--limit", "2").stdout)) == 2
    assert [line["event_id"] for line in lines(shell.run("events", "--mark").stdout)] == [3]
    assert not shell.run("events", "--mark").stdout
    assert [line["processed_for_ai"] for line in lines(shell.run("events", "--all").stdout)] == [True] * 3


def test_only_what_was_chosen_is_marked(shell: Shell) -> None:
    filled(shell, 1)
    filled(shell, 1, event_type="exam_failed")
    filled(shell, 1, event_type="exam_failed", student_id=GULNORA, student_username="gulnora")
    chosen = shell.run("events", "--event-types", "exam_failed", "--student", f"#{GULNORA}", "--mark")
    assert [line["event_id"] for line in lines(chosen.stdout)] == [3]
    assert len(lines(shell.run("events", "--student", "jane_smith").stdout)) == 2


def test_an_unknown_student_is_refused_in_one_sentence(shell: Shell) -> None:
    filled(shell, 1)
    for student in ("nobody", "#77"):
        (sentence,) = problems(shell.run("events", "--student", student, "--mark", code=FAILED))
        assert student in sentence
    assert unmarked(shell) == 1


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--limit", "x"), ("--event-types", "exam_pased")])
def test_wrong_use_is_explained(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert "usage:" in shell.run("events", *arguments, code=WRONG_USE).stderr


def test_a_full_disk_marks_nothing_that_was_not_written(shell: Shell) -> None:
    filled(shell, 3_000)
    with open("/dev/full", "w") as full:
        command = shell.command("events", "--mark")
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == FAILED
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("lms-bot: "))
    assert "space" in sentence
    assert unmarked(shell) == 3_000


def test_a_reader_that_goes_away_has_been_offered_all_that_is_marked(shell: Shell) -> None:
    filled(shell, 3_000)
    process = subprocess.Popen(shell.command("events", "--mark"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    first = process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == DONE
    assert process.stderr.read() == b""
    process.stderr.close()
    assert json.loads(first)["event_id"] == 1
    marked = 3_000 - unmarked(shell)
    assert marked < 1_500, "much was marked that nobody can have read"
    highest = "SELECT max(event_id) FROM lms_activity_events WHERE processed_for_ai"
    assert from_store(shell.store_url, highest) == [(marked or None,)], "what is marked has no gap"


def test_a_file_gets_every_event_that_is_marked(shell: Shell, tmp_path: Path) -> None:
    filled(shell, 1_234)
    target = tmp_path / "events.jsonl"
    with target.open("w") as out:
        subprocess.run(shell.command("events", "--mark"), stdout=out, timeout=PATIENCE, check=True)
    assert len(lines(target.read_text())) == 1_234
    assert unmarked(shell) == 0


def test_memory_does_not_grow_with_the_number_of_events(shell: Shell) -> None:
    filled(shell, 1)
    small = peak_kilobytes(shell)
    for _ in range(10):
        filled(shell, 5_000, activity_title="x" * 500)
    assert peak_kilobytes(shell) < small + 20_000


def peak_kilobytes(shell: Shell) -> int:
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, *shell.command("events", "--all")]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout)


def test_a_bar_is_drawn_in_a_terminal_only_when_it_takes_long(shell: Shell) -> None:
    filled(shell, 20)
    assert b"Events" not in terminal_output(shell, slow="0")
    assert b"Events" in terminal_output(shell, slow="1")


def terminal_output(shell: Shell, slow: str) -> bytes:
    """What somebody sees who sends the events into a file; `slow` makes two seconds pass as soon as it begins."""
    code = (
        "import sys; from lms_bot.cli import main, progress\n"
        f"progress.PATIENCE = 0.0 if {slow} else 3600.0\nmain(sys.argv[1:])"
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", code, *shell.command("events")[1:]]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, timeout=PATIENCE, check=False)
    os.close(theirs)
    seen = b""
    try:
        while some := os.read(ours, 65536):
            seen += some
    except OSError:
        pass
    os.close(ours)
    assert done.returncode == DONE, seen
    return seen
