"""What an empty poll takes and reads, with little and with much history."""

from __future__ import annotations

import statistics
import sys
import time
from datetime import timedelta

import sqlalchemy as sa

from benchmarks.ground import NOW, add_attempts, ground

POLLS = 15


def measure(kind: str, rows: int) -> float:
    """Print and give the median milliseconds of an empty poll over `rows` attempts of history."""
    with ground(kind) as here:
        add_attempts(here.lms_engine, 1_000_000, rows, NOW - timedelta(days=30))
        started = time.perf_counter()
        polled = here.poll(NOW)
        baseline = time.perf_counter() - started
        assert polled.history_events == rows, polled
        statements = _counted(here.lms.engine)
        taken = []
        for number in range(1, POLLS + 1):
            statements.clear()
            started = time.perf_counter()
            here.poll(NOW + timedelta(seconds=number))
            taken.append(time.perf_counter() - started)
    median = statistics.median(taken) * 1000
    print(
        f"{kind}: {rows:,} rows of history: baseline {baseline:.1f} s, empty poll {median:.1f} ms (median of {POLLS}), "
        f"{len(statements)} statements",
        flush=True,
    )
    return median


def _counted(engine: sa.Engine) -> list[str]:
    statements: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    return statements


if __name__ == "__main__":
    little, much = (measure(sys.argv[1], rows) for rows in (10_000, int(sys.argv[2])))
    print(f"{sys.argv[1]}: ratio {much / little:.2f}")
