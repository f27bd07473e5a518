"""A program that begins as a fork is to everybody what it would be in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bot_process import BIN, PATIENCE
from tests.shell import WRONG_USE

LMS_BOT = str(BIN / "lms-bot")


@pytest.fixture
def endless(tmp_path: Path) -> list[str]:
    """A command that waits for its settings until it is ended."""
    os.mkfifo(tmp_path / "never_written")
    return [LMS_BOT, "--bot-config-file", str(tmp_path / "never_written"), "monitor", "--stats"]


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def is_fork(process: subprocess.Popen[bytes]) -> bool:
    return "fork_server" in Path(f"/proc/{process.pid}/cmdline").read_text()


def test_a_program_is_a_fork_unless_another_program_starts_it(endless: list[str]) -> None:
    with running(endless) as process:
        assert is_fork(process)
    for starter in ("env", sys.executable):
        with running([starter, *endless]) as process:
            assert not is_fork(process)


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD", "LC_ALL"])
def test_what_an_interpreter_reads_when_it_starts_takes_a_new_one(endless: list[str], name: str) -> None:
    with running(endless, env={**os.environ, name: ""}) as process:
        assert not is_fork(process)


def test_it_has_the_environment_that_it_is_given_and_no_other(tmp_path: Path) -> None:
    command = [LMS_BOT, "monitor", "--stats"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE, check=False)
    assert (done.returncode, "LMS_DATABASE_URL" in done.stderr) == (WRONG_USE, True)
    environment = {**os.environ, "LMS_DATABASE_URL": "sqlite:///no.db", "LMS_STORE_DATABASE_URL": "sqlite:///made.db"}
    subprocess.run(command, env=environment, cwd=tmp_path, timeout=PATIENCE, check=True, capture_output=True)
    assert (tmp_path / "made.db").exists(), "and works in the folder that it is given"


def test_its_files_are_those_that_it_is_given(tmp_path: Path) -> None:
    with (tmp_path / "said").open("w") as said:
        done = subprocess.run([LMS_BOT, "fly"], stdout=subprocess.DEVNULL, stderr=said, timeout=PATIENCE, check=False)
    assert (done.returncode, "usage:" in (tmp_path / "said").read_text()) == (WRONG_USE, True)
    one = subprocess.run(
        [LMS_BOT, "fly"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False
    )
    assert b"usage:" in one.stdout


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_end_by_a_signal_is_seen_by_who_started_it(endless: list[str], number: int) -> None:
    with running(endless) as process:
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number


def test_a_fork_ends_alone(endless: list[str]) -> None:
    with running(endless) as other:
        with running(endless) as process:
            process.kill()
        assert other.poll() is None
        assert subprocess.run([LMS_BOT, "--version"], capture_output=True, timeout=PATIENCE, check=True).stdout
