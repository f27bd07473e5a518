"""Progress bars, in a terminal only."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType
from typing import Any, Self

PATIENCE = 2.0  # seconds that go by before a bar is worth showing


class HistoryBar:
    """Shows how far the history is recorded: a bar for each table, by the part done."""

    def __enter__(self) -> Any:
        self._bar: Any = None
        if not sys.stderr.isatty():
            return None
        self._tasks: dict[str, Any] = {}
        self._bar = _bar("History of {task.description}", "{task.fields[rows]:,} rows")
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _show(self, table: str, done: float, rows: int) -> None:
        if table not in self._tasks:
            self._tasks[table] = self._bar.add_task(table, total=1.0, rows=0)
        self._bar.update(self._tasks[table], completed=done, rows=rows)


class StepsBar:
    """Shows the steps of a long work: a bar for each, by how many things are done of how many."""

    def __enter__(self) -> Self:
        self._tasks: dict[str, Any] = {}
        self._bar = _bar("{task.description}", "{task.completed:,} of {task.total:,}") if sys.stderr.isatty() else None
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, step: str, done: int, total: int) -> None:
        """Show how far a step has come; nothing where nobody watches."""
        if self._bar is None:
            return
        if step not in self._tasks:
            self._tasks[step] = self._bar.add_task(step, total=total)
        self._bar.update(self._tasks[step], completed=done, total=total)


class CountBar:
    """Shows how many of a known number of things are done, once that takes two seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._begun = time.monotonic() if is_watched() else math.inf
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._begun < PATIENCE:
                return
            self._bar = _bar("{task.description}", "{task.completed:,} of {task.total:,}")
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        self._bar.update(self._task, completed=done)


def is_watched() -> bool:
    """Return whether somebody sees stderr, and stdout goes elsewhere."""
    return sys.stderr.isatty() and not sys.stdout.isatty()


def _bar(before: str, after: str) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(before), BarColumn(), TextColumn(after), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
