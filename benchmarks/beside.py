"""The bot beside `lms-bot serve`: from a row to its message under many requests, and woken by a signal."""

from __future__ import annotations

import base64
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from standardwebhooks import Webhook

from benchmarks.ground import databases
from lms_bot.fixtures import school
from lms_bot.store.session import open_store
from tests.bot_process import BotProcess, LmsHands, People, wait_for
from tests.fake_zulip import FakeZulip
from tests.web_process import WebProcess, make_token, serving

JANE = 1001
RUNS = 5
ROWS = 12
PER_SECOND = 50
PATHS = ("/api/v1/activity/", "/api/v1/activity/?limit=100", "/api/v1/events/unprocessed", "/readyz")
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def measure(kind: str) -> None:
    """Print how long rows take to be told, with and without requests beside, and after a signal."""
    with tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as name, ExitStack() as stack:
        folder = Path(name)
        school.build(folder / "lms.db", datetime.now(UTC))
        lms_url, store_url = f"sqlite:///{folder}/lms.db", f"sqlite:///{folder}/store.db"
        if kind == "postgresql":
            _, store_url, _ = stack.enter_context(databases(kind, folder))
        zulip = stack.enter_context(FakeZulip())
        school_of = Rows(zulip, People.join(zulip).mary, LmsHands(lms_url))
        with BotProcess(zulip, folder, lms_url, store_url), serving(store_url, folder) as web:
            tokens = _tokens(store_url)
            alone, beside = [], []
            for _ in range(RUNS):
                alone.append(statistics.median(school_of.told() for _ in range(ROWS)))
                with _requests(web, tokens):
                    beside.append(statistics.median(school_of.told() for _ in range(ROWS)))
        print(
            f"{kind}, poll_interval 1 s: from a row to its message {statistics.median(alone):.2f} s, with {PER_SECOND} "
            f"requests a second {statistics.median(beside):.2f} s, ratio {_ratio(alone, beside):.2f} "
            f"(medians of {RUNS} runs of {ROWS} rows; goal 1.2)",
            flush=True,
        )
        os.environ["LMS_ACTIVITY_POLL_INTERVAL"] = "300"
        secret = f"signal_secret = {SECRET}"
        with (
            BotProcess(zulip, folder, lms_url, store_url, settings=secret),
            serving(store_url, folder, secret) as web,
        ):
            taken = [school_of.told(web) for _ in range(ROWS)]
        print(f"poll_interval 300 s and a signal: {min(taken):.2f} to {max(taken):.2f} s (goal: 5 s)")


def _ratio(alone: list[float], beside: list[float]) -> float:
    return statistics.median(beside) / statistics.median(alone)


class Rows:
    """Rows of an LMS that are told to one mentor."""

    def __init__(self, zulip: FakeZulip, mentor: int, lms: LmsHands) -> None:
        self._zulip, self._mentor, self._lms = zulip, mentor, lms
        self._randomly = random.Random(7)
        self._number = 900_000

    def told(self, signalled: WebProcess | None = None) -> float:
        """Return after how many seconds a row that is committed at a random moment is told."""
        time.sleep(self._randomly.uniform(0, 1))
        before = len(self._zulip.direct_to(self._mentor))
        self._number += 1
        self._lms.pass_exam(self._number, JANE)
        committed = time.perf_counter()
        if signalled is not None:
            _signal(signalled, self._number)
        wait_for(lambda: len(self._zulip.direct_to(self._mentor)) > before)
        return time.perf_counter() - committed


def _signal(web: WebProcess, number: int) -> None:
    now, body = datetime.now(UTC), "{}"
    headers = {
        "webhook-id": f"msg_{number}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(f"msg_{number}", now, body),
    }
    httpx.post(f"{web.url}/api/v1/signals", content=body, headers=headers, trust_env=False).raise_for_status()


def _tokens(store_url: str) -> list[str]:
    store = open_store(store_url)
    tokens = [make_token(store, f"reader-{number}") for number in range(len(PATHS))]
    store.close()
    return tokens


@contextmanager
def _requests(web: WebProcess, tokens: list[str]) -> Iterator[None]:
    """Ask from a process of its own, so many times a second."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.beside", "ask", web.url, *tokens])
    try:
        time.sleep(2)
        yield
        assert process.poll() is None, "it stopped asking"
    finally:
        process.kill()
        process.wait()


def _ask(url: str, tokens: list[str]) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        begun = time.perf_counter()
        for number in range(1_000_000):
            time.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            which = number % len(PATHS)
            client.get(PATHS[which], headers={"Authorization": f"Bearer {tokens[which]}"}).raise_for_status()


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        _ask(sys.argv[2], sys.argv[3:])
    else:
        measure(sys.argv[1])
