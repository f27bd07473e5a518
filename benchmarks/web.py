"""What `lms-bot serve` takes: answers from a store with much history, the way to streams, and their memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

from benchmarks.questions import filled
from lms_bot.core.web.tokens import Scope
from lms_bot.store.session import Store
from tests.web_process import WebProcess, items_of, make_token, record, serving

RUNS = 200
STREAMS = 200
COMMITS = 40
STUDENT = 41  # of mentor 2


def measure(kind: str, rows: int) -> None:
    """Print what answers take for everybody and for mentors with 40 and 200 students, and how late streams are."""
    with filled(kind, rows) as store, tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as folder:
        url = store.engine.url.render_as_string(hide_password=False)
        with serving(url, Path(folder)) as web:
            print(f"{kind}: {rows:,} events, {RUNS} times each, milliseconds")
            for whose in (None, 1, 2):
                for number, path in enumerate(_paths(whose)):  # a token each, or they would ask too often
                    client = web.client(make_token(store, f"reader-{whose}-{number}", mentor=whose))
                    median, late = _taken(lambda: client.get(path).raise_for_status())  # noqa: B023
                    print(f"mentor {whose} {path}: p50 {median:.1f} p95 {late:.1f}", flush=True)
            _measure_streams(store, web)


def _paths(whose: int | None) -> Iterator[str]:
    yield "/healthz"
    yield "/api/v1/activity/"
    yield "/api/v1/activity/?limit=100"
    yield "/api/v1/activity/?type=exam_failed&course=English"
    yield "/api/v1/activity/?course=nosuchcourse" if whose else "/api/v1/activity/?since=2026-01-01T00:00:00Z"
    yield "/api/v1/events/unprocessed"
    yield f"/api/v1/lms/mentors/{whose or 2}/students/"
    if whose != 1:
        yield f"/api/v1/activity/?student={STUDENT}"
        yield f"/api/v1/lms/students/{STUDENT}/profile/"
        yield f"/api/v1/lms/students/{STUDENT}/performance/"


def _taken(ask: Callable[[], object]) -> tuple[float, float]:
    ask()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        ask()
        taken.append(1_000 * (time.perf_counter() - started))
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def _measure_streams(store: Store, web: WebProcess) -> None:
    before = _memory(web)
    token = make_token(store, "listener", Scope.ACTIVITY)
    client = httpx.Client(
        base_url=web.url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
        limits=httpx.Limits(max_connections=None),
    )
    with ExitStack() as stack:
        streams = [stack.enter_context(client.stream("GET", "/api/v1/activity/stream")) for _ in range(STREAMS)]
        arrived: list[float] = []
        for stream in streams[1:]:
            next(stream.iter_raw())
        listener = threading.Thread(target=_listen, args=(streams[0], arrived), daemon=True)
        listener.start()
        time.sleep(1)
        committed = []
        for number in range(COMMITS):
            record(store, STUDENT)
            committed.append(time.time())
            time.sleep(0.1 + number % 7 / 20)
        listener.join(10)
        lags = [1_000 * (there - then) for there, then in zip(arrived, committed, strict=True)]
        late = statistics.quantiles(lags, n=20)[-1]
        print(
            f"from the commit to the stream: p50 {statistics.median(lags):.0f} p95 {late:.0f}, {STREAMS} streams open"
        )
        print(f"memory of the process: {before} MiB, with the streams {_memory(web)} MiB", flush=True)


def _listen(stream: httpx.Response, arrived: list[float]) -> None:
    for _ in items_of(stream):
        arrived.append(time.time())
        if len(arrived) == COMMITS:
            return


def _memory(web: WebProcess) -> int:
    status = Path(f"/proc/{web.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1_024


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
