"""Prints how well alerts and attention tell who fails or withdraws: `python -m benchmarks.oulad FOLDER [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.oulad.dataset import Dataset
from benchmarks.oulad.feed import BEGIN, feed
from benchmarks.oulad.figures import WEEKS, gaps, table, weeks
from lms_bot.config.settings import load
from lms_bot.core.calendar import DAY
from lms_bot.core.principal import Principal
from lms_bot.reports.backtest.replays import Period, Plan, replay
from lms_bot.store.session import open_store

DAYS = 7 * max(WEEKS)


def main() -> None:
    """Feed a store, replay its past by the rules of the worker, and print what they would have come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began = time.perf_counter()
    dataset = Dataset.read(asked.folder)
    settings = load(None, {"LMS_DATABASE_URL": "sqlite:///nowhere.db"})
    with tempfile.TemporaryDirectory(prefix="lms_bot_oulad_") as place:
        store = open_store(f"sqlite:///{place}/store.db")
        fed = feed(store, dataset, DAYS)
        _note(f"{len(fed.enrolments):,} enrolments in the store after {time.perf_counter() - began:.0f} s")
        period = Period(
            BEGIN,
            tuple(BEGIN + day * DAY for day in range(1, DAYS + 1)),
            frozenset(BEGIN + 7 * week * DAY for week in WEEKS),
        )
        with store.reading() as transaction:
            plan = Plan(period, ZoneInfo("UTC"), settings.alerts_per_day, left=fed.left)
            found = replay(transaction, Principal.of((), (), is_admin=True), plan, _show)
        store.close()
    rows = weeks(found, fed)
    for line in (*table(rows), "", *gaps(found, fed)):
        print(line)
    if asked.json:
        print(json.dumps(rows))


def _show(done: int, total: int) -> None:
    _note(f"{done:,} of {total:,} mentors")


def _note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
