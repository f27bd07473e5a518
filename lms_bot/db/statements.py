"""Counts the statements that are sent to a database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event


class StatementCounter:
    """Counts what an engine sends from now on."""

    def __init__(self, engine: sa.Engine) -> None:
        self._count = 0
        event.listen(engine, "before_cursor_execute", self._sent)

    def take(self) -> int:
        """Return how many were sent since this was last asked."""
        taken, self._count = self._count, 0
        return taken

    def _sent(self, *_: Any) -> None:
        self._count += 1
