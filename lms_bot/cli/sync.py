"""`lms-bot sync`: read people and what they study from the LMS now."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lms_bot.cli.options import DONE, Commands, settings_of
from lms_bot.cli.progress import HistoryBar

if TYPE_CHECKING:
    from lms_bot.core.sync import SyncResult


def add_to(commands: Commands) -> None:
    sync = commands.add_parser("sync", help="read people and what they study from the LMS now")
    sync.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    sync.set_defaults(run=_sync)


def _sync(options: argparse.Namespace) -> int:
    """Sync, and print what came of it. Raises LmsUnavailable and StoreUnavailable."""
    from lms_bot.lms import Lms
    from lms_bot.pipeline.sync.run import Sync
    from lms_bot.store.session import open_store

    settings = settings_of(options)
    lms, store = Lms.of(settings), open_store(settings.store_database_url)
    try:
        with HistoryBar() as progress:
            result = Sync(store, lms, settings).run(datetime.now(UTC), progress)
    finally:
        lms.close()
        store.close()
    print(json.dumps(result.as_json()) if options.json else _table(result))
    return DONE


def _table(result: SyncResult) -> str:
    names = ("read", "added", "changed", "removed", "conflicts", "seconds")
    lines = [f"{'':<10}" + "".join(f"{name:>12}" for name in names)]
    for name, kind in result.kinds.items():
        done = kind.changes
        numbers = (done.read, done.added, done.changed, done.removed, len(kind.conflicts))
        lines.append(f"{name:<10}" + "".join(f"{number:>12,}" for number in numbers) + f"{kind.seconds:>12.2f}")
    found = [conflict for kind in result.kinds.values() for conflict in kind.conflicts]
    lines += [
        f"{one.source_table} #{one.source_id}: {one.problem.said}: {json.dumps(one.row, ensure_ascii=False)}"
        for one in found
    ]
    return "\n".join(lines)
