"""Shows what a sync with the LMS came to: numbers, and rows that cannot be quite right by their ids."""

from __future__ import annotations

from collections.abc import Iterator

from lms_bot.core.sync import Conflict, SyncResult
from lms_bot.render.fitting import counted

MOST_CONFLICTS = 20


def sync_report(result: SyncResult) -> str:
    """Return the answer to an order to sync; people are named by their LMS ids alone."""
    lines = ["✅ **The store is in sync with the LMS.**", "", "| | read | added | changed | removed | seconds |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for name, kind in result.kinds.items():
        done = kind.changes
        numbers = (done.read, done.added, done.changed, done.removed)
        lines.append(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} | {kind.seconds:.1f} |")
    found = [conflict for kind in result.kinds.values() for conflict in kind.conflicts]
    return "\n".join([*lines, *_conflicts(found)])


def _conflicts(found: list[Conflict]) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield f"⚠️ {counted(len(found), 'row')} cannot be quite right; they are kept and counted all the same:"
    for one in found[:MOST_CONFLICTS]:
        numbers = {name: value for name, value in one.row.items() if isinstance(value, int | float | list)}
        holds = ", ".join(f"{name} {_plain(value)}" for name, value in numbers.items())
        yield f"* `{one.source_table}` #{one.source_id}: {one.problem.said}{f' ({holds})' if holds else ''}"
    if len(found) > MOST_CONFLICTS:
        yield f"* and {len(found) - MOST_CONFLICTS:,} more; `lms-bot sync --json` prints them all"


def _plain(value: float | list[int]) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:.10g}"
