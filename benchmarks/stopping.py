"""How soon SIGTERM ends the two programs that work until they are stopped, whatever they wait for."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lms_bot.fixtures import school
from tests.bot_process import PATIENCE, BotProcess, People, wait_for
from tests.fake_zulip import FakeZulip
from tests.shell import Shell, daemon

PROMISED = 5  # seconds


def measure(ends: int) -> None:
    """Print how long so many ends of each program took at rest, and while the LMS or Zulip does not answer."""
    for name, one in PLACES.items():
        for program in ("monitor --daemon", "zulip-run-bot"):
            taken = [_in_a_place(one, program) for _ in range(ends)]
            print(
                f"{program}, {name}: {ends} ends took {statistics.median(taken):.1f} s (median), {max(taken):.1f} s at "
                f"most (promised: {PROMISED} s)",
                flush=True,
            )


def _in_a_place(one: Callable[[Shell, str], float], program: str) -> float:
    with tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as name, FakeZulip() as zulip:
        folder = Path(name)
        school.build(folder / "lms.db", datetime.now(UTC))
        urls = f"sqlite:///{folder}/lms.db", f"sqlite:///{folder}/store.db"
        return one(Shell(zulip, People.join(zulip), folder, *urls), program)


def _at_rest(shell: Shell, program: str) -> float:
    return _end(shell, program, lambda: shell.zulip.count_calls("GET", "/api/v1/users"))


def _deaf_lms(shell: Shell, program: str) -> float:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.settimeout(PATIENCE)
        shell.lms_url = f"postgresql://reader@127.0.0.1:{listener.getsockname()[1]}/lms"
        return _end(shell, program, listener.accept)


def _deaf_zulip(shell: Shell, program: str) -> float:
    shell.zulip.fail("hang_before", on="GET /api/v1/users", times=1000)
    return _end(shell, program, lambda: shell.zulip.hung)


def _end(shell: Shell, program: str, is_there: Callable[[], object]) -> float:
    """The seconds from SIGTERM to the end of a program that has come to where it shall be ended."""
    with _running(shell, program) as process_id:
        _kept = wait_for(is_there)  # a connection that nobody keeps is closed
        if program == "zulip-run-bot":
            wait_for(lambda: shell.zulip.count_calls("POST", "/api/v1/register"))
        sent = time.perf_counter()
        os.kill(process_id, signal.SIGTERM)
        os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOWAIT)
        return time.perf_counter() - sent


@contextmanager
def _running(shell: Shell, program: str) -> Iterator[int]:
    if program == "monitor --daemon":
        with daemon(shell) as process:
            yield process.pid
        return
    bot = BotProcess(shell.zulip, shell.folder, shell.lms_url, shell.store_url)
    bot.launch()
    try:
        yield bot.process.pid
    finally:
        bot.kill()


PLACES = {"at rest": _at_rest, "LMS does not answer": _deaf_lms, "Zulip does not answer": _deaf_zulip}


if __name__ == "__main__":
    measure(int(sys.argv[1]))
