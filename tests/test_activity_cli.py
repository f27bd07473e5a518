"""`lms-bot activity` shows days and streaks of the store, and simulates them without any configuration."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lms_rows import JANE, LmsRows
from tests.shell import FAILED, WRONG_USE, Shell, lms_bot, shell

__all__ = ["shell"]

ROW = re.compile(r"^ *(\d+)  (\S+) +(\d+) +(\d+) +(\d+) +(\d+)  ([#+.]{14})$", re.MULTILINE)


def test_simulated_days_need_no_configuration_and_leave_nothing(tmp_path: Path) -> None:
    done = lms_bot("activity", "--simulate-days", "14", cwd=tmp_path)
    rows = ROW.findall(done.stdout)
    assert len(rows) > 3
    assert max(int(row[3]) for row in rows) >= 7
    assert re.search(r"^14 days were simulated; streaks and alerts were \d+ events\.$", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_one_student_can_be_simulated(tmp_path: Path) -> None:
    done = lms_bot("activity", "--simulate-days", "2", "--user-id", str(JANE), cwd=tmp_path)
    assert [row[:2] for row in ROW.findall(done.stdout)] == [(str(JANE), "jane_smith")]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_days_of_the_store_are_shown(shell: Shell) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    finished = {"state": "completed", "result": "pass"}
    LmsRows(shell.lms_url).insert_attempt(1, date=yesterday, last_answer_updated_time=yesterday, **finished)
    shell.run("monitor", "--once", settings="notify_mentors = false")
    (row,) = ROW.findall(shell.run("activity", "--user-id", str(JANE)).stdout)
    assert row == (str(JANE), "jane_smith", "1", "1", "1", "1", "............+.")
    assert len(ROW.findall(shell.run("activity").stdout)) > 3
    done = shell.run("activity", "--user-id", str(JANE), settings="daily_goal = 1")
    assert ROW.findall(done.stdout)[0][-1] == "............#."


def test_a_student_who_is_not_known_is_an_error(shell: Shell) -> None:
    done = shell.run("activity", "--user-id", "424242", code=FAILED)
    assert done.stderr.strip().splitlines()[-1] == "lms-bot: the store knows no student #424242"


@pytest.mark.parametrize("wrong", [("--user-id", "jane"), ("--simulate-days", "0"), ("--simulate-days", "100000")])
def test_wrong_use_is_refused(tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert wrong[0] in lms_bot("activity", *wrong, cwd=tmp_path, code=WRONG_USE).stderr


def test_without_simulation_it_needs_a_configuration(tmp_path: Path) -> None:
    assert "lms_database_url" in lms_bot("activity", cwd=tmp_path, code=WRONG_USE).stderr
