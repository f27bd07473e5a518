"""Whoever reads what a command prints may stop at any moment: the command ends quietly, with exit code 0."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.bot_process import PATIENCE
from tests.doctor_scenario import well
from tests.shell import Shell, shell

__all__ = ["shell", "well"]


def run_unread(shell: Shell, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose output nobody reads."""
    reads, writes = os.pipe()
    os.close(reads)
    try:
        return subprocess.run(
            shell.command(*arguments),
            cwd=shell.folder,
            stdout=writes,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writes)


@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor"],
        ["doctor", "--json"],
        ["activity"],
        ["activity", "--simulate-days", "2"],
        ["events", "--all"],
        ["monitor", "--once"],
        ["monitor", "--process-pending", "--json"],
        ["monitor", "--stats"],
        ["migrate"],
        ["forget", "jane_smith", "--yes"],
        ["demo"],
        ["--help"],
        ["monitor", "--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_c11_a_reader_who_has_seen_enough_ends_a_command_in_peace(well: Shell, arguments: list[str]) -> None:
    well.lms.pass_exam(1000, 1001)
    well.counts("--once")
    done = run_unread(well, *arguments)
    said = [line for line in done.stderr.splitlines() if "Traceback" in line or "Error" in line or "pipe" in line]
    assert (done.returncode, said) == (0, [])


def test_c11_a_doctor_that_found_a_fault_ends_in_peace_too(well: Shell) -> None:
    well.zulip.stop()
    assert run_unread(well, "doctor").returncode == 0


def test_c11_what_nobody_took_is_not_marked(well: Shell) -> None:
    well.lms.pass_exam(1000, 1001)
    well.counts("--once")
    run_unread(well, "events", "--mark")
    assert len(well.run("events").stdout.splitlines()) == 1
