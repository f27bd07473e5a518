"""Declares the tables of an LMS, with the columns that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa


class Id(sa.Integer):
    """A whole number that names a row."""


class Number(sa.Integer):
    """A number, or what stands for one; no type that refuses: SQLite may hold anything here."""


class Time(sa.Text):
    """A moment, read as text: see lms_bot.db.engine.lms_engine, and lms_bot.lms.values.moment for what it may be."""


class Seconds(sa.BigInteger):
    """A moment in seconds since 1970; 0 stands for none."""


_KINDS: Mapping[str, type[sa.types.TypeEngine[Any]]] = {
    "id": Id,
    "number": Number,
    "text": sa.Text,
    "time": Time,
    "seconds": Seconds,
}


class Tables:
    """The tables of an LMS with the columns that are read, from one line each: a name, and `column:kind` for each.

    A column without a kind is an id. A table is an attribute of the name in its line; in the database a prefix stands
    before that name. Raises KeyError for a kind that is none of id, number, text, time and seconds.
    """

    def __init__(self, lines: str, prefix: str = "") -> None:
        self.prefix = prefix
        self._tables: dict[str, sa.Table] = {}
        metadata = sa.MetaData()
        for name, *columns in (line.split() for line in lines.strip().splitlines()):
            pairs = (column.partition(":") for column in columns)
            read = (sa.Column(column, _KINDS[kind or "id"]()) for column, _, kind in pairs)
            self._tables[name] = sa.Table(prefix + name, metadata, *read)

    def __getattr__(self, name: str) -> sa.Table:
        try:
            return self._tables[name]
        except KeyError:
            raise AttributeError(f"no table {name} is declared") from None
