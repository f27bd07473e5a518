"""A folder with a configuration, in which people and cron jobs run `lms-bot`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bot_process import BIN, PATIENCE, Place

DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass
class Shell(Place):
    """A place with configuration files, from which commands are run."""

    def configure(self, settings: str = "") -> Path:
        if "quiet_minutes" not in settings:
            settings += "\nquiet_minutes = 0"
        config = self.folder / "lms_bot.conf"
        config.touch(0o600)
        config.write_text(
            f"[lms_bot]\nlms_database_url = {self.lms_url}\nstore_database_url = {self.store_url}\n{settings}\n"
        )
        return config

    def command(self, *arguments: str, settings: str = "", zuliprc: Path | None = None) -> list[str]:
        path = self.zulip.write_zuliprc(self.folder / "zuliprc") if zuliprc is None else zuliprc
        config = self.configure(settings)
        return [str(BIN / "lms-bot"), "--bot-config-file", str(config), "--config-file", str(path), *arguments]

    def run(self, *arguments: str, code: int = DONE, **options: Any) -> subprocess.CompletedProcess[str]:
        return run(self.command(*arguments, **options), self.folder, code)

    def counts(self, *arguments: str, **options: Any) -> dict[str, int]:
        """What the last line of stdout says in JSON."""
        done = self.run("monitor", *arguments, "--json", **options)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def told(self, user_id: int) -> list[str]:
        return [m.content for m in self.zulip.direct_to(user_id)]


def run(command: Sequence[str], cwd: Path, code: int) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def lms_bot(*arguments: str, cwd: Path, code: int = DONE) -> subprocess.CompletedProcess[str]:
    return run([str(BIN / "lms-bot"), *arguments], cwd, code)


def problems(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The sentences for the person at the terminal, without the log."""
    return [line for line in done.stderr.splitlines() if line.startswith("lms-bot: ")]


@pytest.fixture
def shell(place: Place) -> Shell:
    return Shell(**vars(place))


@contextmanager
def daemon(shell: Shell, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with (shell.folder / "daemon.txt").open("w") as log:
        command = shell.command("monitor", "--daemon", *arguments, **options)
        process = subprocess.Popen(command, cwd=shell.folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def daemon_log(shell: Shell) -> str:
    return (shell.folder / "daemon.txt").read_text()
