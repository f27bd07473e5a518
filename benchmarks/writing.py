"""What the indexes for questions cost when events are recorded: two stores, one without them, written in turn."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from benchmarks.ground import databases
from benchmarks.questions import PAGE, page, record
from lms_bot.core.events import Event
from lms_bot.store.session import Store, open_store

INDEXES = (
    "ix_lms_activity_events_students",
    "ix_lms_activity_events_exams",
    "ix_lms_activity_events_results",
    "ix_lms_activity_events_newest",
)


def measure(kind: str, rows: int, indexes: Sequence[str] = INDEXES) -> None:
    """Print the seconds that `rows` events take with and without these indexes."""
    with (
        tempfile.TemporaryDirectory(prefix="lms_bot_bench_", ignore_cleanup_errors=True) as folder,
        databases(kind, Path(folder)) as (_, first, second),
    ):
        indexed, bare = open_store(first), open_store(second)
        with bare.writing() as transaction:
            for name in indexes:
                transaction.execute(sa.text(f"DROP INDEX {name}"))
        taken = {indexed: 0.0, bare: 0.0}
        for start in range(0, rows, PAGE):
            observed = page(start, rows)
            for store in taken:
                taken[store] += _seconds(store, observed)
            if start % 250_000 == 0:
                print(f"{kind}: {start + PAGE:,}: {taken[bare] / taken[indexed]:.2f}", file=sys.stderr, flush=True)
        indexed.close()
        bare.close()
    ratio = taken[bare] / taken[indexed]
    print(f"{kind}: {rows:,} events in {taken[indexed]:.1f} s, without {taken[bare]:.1f} s: {ratio:.2f} of the speed")


def _seconds(store: Store, observed: list[Event]) -> float:
    started = time.perf_counter()
    record(store, observed)
    return time.perf_counter() - started


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), sys.argv[3:] or INDEXES)
