"""How long the commands take that promise to end soon, and a summary of very many events."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lms_bot.core.events import EventType
from lms_bot.render import notification_text
from tests.bot_process import BIN, PATIENCE
from tests.delivery_scenario import JANE, happened


def measure(times: int) -> None:
    """Print how long each took, so many times in one run."""
    _print("lms-bot demo without a terminal (promised: 20 s)", times, _demo)
    _print("lms-bot doctor where nothing answers (promised: 60 s)", times, _doctor)
    kinds = list(EventType)
    events = [happened(JANE, f"Task {number}", kinds[number % 7])._replace(event_id=number) for number in range(10_000)]
    _print("a summary of 10,000 events (goal: 0.05 s)", times, lambda: notification_text(events, stale=range(5_000)))


def _print(name: str, times: int, work: Callable[[], object]) -> None:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    print(f"{name}: {statistics.median(taken):.3f} s (median of {times}), {max(taken):.3f} s at most", flush=True)


def _demo() -> None:
    _run("demo")


def _doctor() -> None:
    with tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as name, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port, folder = listener.getsockname()[1], Path(name)
        (folder / "lms_bot.conf").write_text(
            f"[lms_bot]\nlms_database_url = postgresql://reader@127.0.0.1:{port}/lms\n"
            f"store_database_url = postgresql://bot@127.0.0.1:{port}/store\n"
        )
        (folder / "zuliprc").write_text(f"[api]\nemail=a@b.example\nkey={'k' * 32}\nsite=http://127.0.0.1:{port}\n")
        files = ("--bot-config-file", str(folder / "lms_bot.conf"), "--config-file", str(folder / "zuliprc"))
        _run(*files, "doctor")


def _run(*arguments: str) -> None:
    command = [str(BIN / "lms-bot"), *arguments]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)


if __name__ == "__main__":
    measure(int(sys.argv[1]))
