"""How fast a store is copied into the other database and compared: `python -m benchmarks.copying 200000`."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ground import databases
from benchmarks.questions import PAGE, page, record
from lms_bot.store.copy.copy_store import copy_store
from lms_bot.store.session import open_store


def measure(events: int) -> None:
    """Print the rows per second of one run there and one back, and the most memory that the process took."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases("postgresql", Path(folder)) as (_, to_url, _spare),
    ):
        from_url, back_url = f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/back.db"
        store = open_store(from_url)
        for start in range(0, events, PAGE):
            record(store, page(start, events))
        store.close()
        _say("SQLite to PostgreSQL", from_url, to_url)
        _say("PostgreSQL to SQLite", to_url, back_url)
        print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _say(way: str, from_url: str, to_url: str) -> None:
    begun = time.perf_counter()
    compared_at: list[float] = []

    def show(step: str, _done: int, _total: int) -> None:
        if step != "Copying" and not compared_at:
            compared_at.append(time.perf_counter())

    rows = copy_store(from_url, to_url, "bench", show).rows
    ended = time.perf_counter()
    copying, comparing = compared_at[0] - begun, ended - compared_at[0]
    print(
        f"{way}: {rows:,} rows: copied in {copying:.1f} s, compared in {comparing:.1f} s, "
        f"{rows / (ended - begun):,.0f} rows/s in all",
        flush=True,
    )


if __name__ == "__main__":
    measure(int(sys.argv[1]))
