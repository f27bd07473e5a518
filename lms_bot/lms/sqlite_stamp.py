"""Stamps a SQLite file by its commits: what was seen at one stamp need not be compared again at the same one."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import sqlalchemy as sa

Stamp = tuple[int, int] | None
Reading = tuple[str, str]
"""A table, and what reads it as a whole: the history, or a round of the sweep."""


class SqliteStamps:
    """Takes stamps of a database file that differ whenever something was committed to it; none on PostgreSQL.

    Remembers at which stamp all rows of a table were seen. Take a stamp before the transaction that reads.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._file: tuple[str, int, int] | None = None
        self._opened = 0
        self._begun: dict[Reading, Stamp] = {}
        self._seen: dict[str, Stamp] = {}

    def was_seen(self, table: str, stamp: Stamp) -> bool:
        """Return whether the table was seen as a whole at this stamp."""
        return stamp is not None and self._seen.get(table) == stamp

    def begin(self, reading: Reading, stamp: Stamp) -> None:
        """Note that from here on all rows of the table are looked at."""
        self._begun[reading] = stamp

    def end(self, reading: Reading) -> None:
        """Note that they were, and that what they say is stored; it counts if nothing was written meanwhile."""
        table, _ = reading
        begun = self._begun.pop(reading, None)
        if begun is not None and begun == self.take():
            self._seen[table] = begun

    def take(self) -> Stamp:
        """Return a stamp that equals an earlier one only if nothing was committed in between; None if unknown.

        Source: SQLite's PRAGMA data_version, which counts the commits of others as one connection sees them.
        """
        if self._engine.dialect.name != "sqlite":
            return None
        try:
            return self._stamp()
        except (sa.exc.SQLAlchemyError, sqlite3.Error):  # whoever reads next is told why
            self.close()
            return None

    def _stamp(self) -> Stamp:
        if self._connection is None or self._file is None or _file(self._file[0]) != self._file:
            self.close()
            self._connection = self._engine.raw_connection()
            self._opened += 1
            self._file = _file(str(self._connection.driver_connection.execute("PRAGMA database_list").fetchone()[2]))
        (version,) = self._connection.driver_connection.execute("PRAGMA data_version").fetchone()
        return self._opened, version

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _file(path: str) -> tuple[str, int, int] | None:
    """Which file this is: another one may stand there by now, under the same name."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_dev, found.st_ino
