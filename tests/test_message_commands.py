"""What the documents tell an operator is true: the backup, the code, the tables, and what the doctor says."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lms_bot import doctor, pipeline
from lms_bot.store.operations import organisation
from lms_bot.store.tables import metadata
from tests.bot_process import GULNORA, JANE, PATIENCE, from_store, wait_for
from tests.pg import address, program
from tests.shell import Shell, daemon, daemon_log, shell

__all__ = ["shell"]

DOCS = Path(__file__).parent.parent / "docs"
OPERATING = (DOCS / "operating.md").read_text()
ALERT = re.compile(r'"([\U0001f000-\U0001ffff]) ')
RECORDED = "SELECT count(*) FROM lms_activity_events"
HISTORY = 300_000  # so many that a copy is made long before they are all read
SAYS = re.compile(r'\(\s*"([a-z]+(?: [a-z]+)?)",')


def test_every_check_of_the_doctor_is_in_the_table_of_troubles() -> None:
    sources = Path(doctor.__file__).parent.glob("*.py")
    checks = {check for source in sources for check in SAYS.findall(source.read_text())}
    assert len(checks) > 15
    table = OPERATING[OPERATING.index("## Troubleshooting") :]
    assert {check for check in checks if f"`{check}`" not in table} == set()
    assert not set(re.findall(r"`((?:lms|store|zulip|admin|last) \w+)`", table)) - checks


def test_every_table_of_the_store_is_in_the_page_on_privacy() -> None:
    page = (DOCS / "security.md").read_text()
    assert not {name for name in metadata.tables if f"`{name}`" not in page}


def test_every_alert_is_in_the_table_of_alerts() -> None:
    sources = [Path(pipeline.__file__).parent / f"{name}.py" for name in ("incidents", "surge", "deliverer")]
    sources.append(Path(organisation.__file__))
    signs = {sign for source in sources for sign in ALERT.findall(source.read_text())} - {"🟢", "👋"}
    assert len(signs) > 7
    table = OPERATING[OPERATING.index("## What it says by itself") : OPERATING.index("## Polling and delivery by hand")]
    assert signs == set(re.findall(r"^\| ([^ a-z-]+) ", table, re.MULTILINE))


def statements(pattern: str) -> list[str]:
    """What the page on operating has sqlite3 do."""
    return re.findall(rf'sqlite3 lms_bot\.db "({pattern}[^"]*)"', OPERATING)


def test_a_backup_taken_while_the_bot_writes_is_whole(shell: Shell) -> None:
    (statement,) = statements("VACUUM INTO")
    fill_with_history(shell)
    with daemon(shell):
        wait_for(lambda: from_store(shell.store_url, RECORDED)[0][0] > 0, story=lambda: daemon_log(shell))
        run_sqlite(shell.folder / "store.db", statement)
    copy = sqlite3.connect(shell.folder / "lms_bot-backup.db")
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    events = copy.execute(RECORDED).fetchone()[0]
    position = copy.execute(
        "SELECT position ->> '$.history_id' FROM cursors WHERE source_table = 'attempts'"
    ).fetchone()
    copy.close()
    assert events == position[0], "what is recorded and how far was read belong together"
    assert 0 < events < HISTORY


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_dump_of_postgresql_taken_while_the_bot_writes_is_whole(shell: Shell, postgresql: str) -> None:
    ((command, file),) = re.findall(r"^    (pg_dump .*--file=(\S+)) lms_bot ", OPERATING, re.MULTILINE)
    fill_with_history(shell)
    with daemon(shell):
        wait_for(lambda: from_store(shell.store_url, RECORDED)[0][0] > 0, story=lambda: daemon_log(shell))
        dump = [program("pg_dump"), *command.split()[1:], address(shell.store_url)]
        subprocess.run(dump, cwd=shell.folder, check=True, timeout=PATIENCE)
    restore = [program("pg_restore"), "--no-owner", f"--dbname={address(postgresql)}", file]
    subprocess.run(restore, cwd=shell.folder, check=True, timeout=PATIENCE)
    ((events,),) = from_store(postgresql, RECORDED)
    position = "SELECT (position ->> 'history_id')::int FROM cursors WHERE source_table = 'attempts'"
    assert from_store(postgresql, position) == [(events,)], "what is recorded and how far was read belong together"
    assert 0 < events < HISTORY


def fill_with_history(shell: Shell) -> None:
    shell.lms.run(
        "INSERT INTO attempts (id, date, exam_id, user_id, state, result, last_answer_updated_time)"
        f" SELECT n.i, '2025-01-01', 501, {JANE}, 'completed', 'pass', '2025-01-01' FROM (WITH RECURSIVE m(i) AS"
        f" (SELECT 1 UNION ALL SELECT i + 1 FROM m WHERE i < {HISTORY}) SELECT i FROM m) AS n"
    )
    shell.run("migrate")


def run_sqlite(file: Path, statement: str) -> None:
    """As the command sqlite3 does, in the folder of the file."""
    before = Path.cwd()
    os.chdir(file.parent)
    try:
        connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        connection.execute(statement)
        connection.close()
    finally:
        os.chdir(before)


def test_a_restored_store_tells_nobody_twice_if_it_is_asked_not_to(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.counts("--once")
    run_sqlite(shell.folder / "store.db", statements("VACUUM INTO")[0])
    shell.lms.pass_exam(1000, JANE)
    assert shell.counts("--once")["delivered"] == 1
    for name in ("store.db-wal", "store.db-shm"):
        (shell.folder / name).unlink(missing_ok=True)
    (shell.folder / "lms_bot-backup.db").replace(shell.folder / "store.db")
    (name, value) = re.findall(r"(LMS_\w+)=(\w+) lms-bot", OPERATING)[0]
    monkeypatch.setenv(name, value)
    assert shell.counts("--once") == {"new_events": 1, "delivered": 0, "postponed": 0, "pending": 0}
    monkeypatch.delenv(name)
    shell.lms.pass_exam(1001, GULNORA)
    shell.counts("--once")
    assert [text.count("jane_smith") for text in shell.told(shell.people.mary)] == [1, 0]


def test_the_code_for_an_analysis_works(shell: Shell) -> None:
    block = OPERATING[OPERATING.index("    from lms_bot.store import") :].split("\n\n## ")[0]
    code = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    code = code.replace("sqlite:///lms_bot.db", shell.store_url)
    shell.lms.pass_exam(900, JANE)
    shell.counts("--once")
    program = f"def analyse(*values): print(values)\n{code}"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"({JANE}, 'exam_passed', {{")
    assert "Python Basics Quiz" in done.stdout.splitlines()[-1]
    assert not shell.run("events").stdout
