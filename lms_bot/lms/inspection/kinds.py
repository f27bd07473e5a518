"""What is found out about a server, our role there, and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds, as far as reading it goes."""

    INTEGER = "an integer"
    NUMBER = "a number"
    TEXT = "text"
    TIME = "a time"
    OTHER = "something else"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Server:
    """A database server and the role that we have there; `version` is PostgreSQL's number, 0 for others.

    `is_read_only`: our transactions refuse to write. `writable`: tables that the role may write to by itself.
    `ahead`: how far its clock is ahead of ours; None where it has none of its own. `is_standby`: it repeats what
    another server does; False where it does not say. `time_limit`: when it ends a statement of ours; None for never.
    """

    product: str
    version: int
    role: str
    is_read_only: bool
    is_superuser: bool
    writable: tuple[str, ...]
    ahead: timedelta | None
    is_standby: bool = False
    time_limit: timedelta | None = None

    @property
    def is_mysql(self) -> bool:
        return self.product.startswith(("MySQL", "MariaDB"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is declared, and whether our role may read it."""

    kind: Kind
    declared: str
    is_readable: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view: `has_index` says that a row is found by its id, `hides_rows` that row security applies.

    `is_whole`: our role may read all of it, on PostgreSQL also which transaction wrote a row.
    """

    is_view: bool
    has_index: bool
    hides_rows: bool
    columns: Mapping[str, Column]
    is_whole: bool = True

    @property
    def is_in_part(self) -> bool:
        """Only single columns are ours to read."""
        return not self.is_whole and any(column.is_readable for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table that is read: what each of its columns should hold; without one `of_titles` only titles are missing."""

    columns: Mapping[str, Kind]
    of_titles: bool
