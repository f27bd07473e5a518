"""The words of a declaration: queries, the fields of a row, states, titles, and mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import EventType

NOW = sa.bindparam("now", type_=sa.BigInteger)
"""The present moment in seconds since 1970, for queries about people and enrolment."""

Query = sa.Select[Any]
Bound = tuple[Query, dict[str, Any]]
"""A query that is made once, and the values bound to it this time."""

Expression = sa.ColumnElement[Any]
Field = str | Expression
"""Something of a row: a column of its table by name, or an expression over that table and those joined to it."""


RESULTS: Mapping[str, EventType] = {
    **dict.fromkeys(("pass", "passed"), EventType.EXAM_PASSED),
    **dict.fromkeys(("fail", "failed"), EventType.EXAM_FAILED),
}


def states(**words: str) -> dict[str, EventType | None]:
    """Return what words for a state mean, from the words by the type of the event that they state; `none` is no event.

    Raises ValueError for what is no type of event.
    """
    means = {kind: None if kind == "none" else EventType(kind) for kind in words}
    return {word: means[kind] for kind, text in words.items() for word in text.split()}


@dataclass(frozen=True, slots=True)
class Title:
    """A text of the catalogue: the one that `catalogue` has for an id of the row."""

    catalogue: str
    id: Field


@dataclass(frozen=True, slots=True)
class Mirror:
    """Rows whose `column` is `value` may state the same fact as another source's row, the one with the id in `key`.

    Where `key` holds none, the catalogue `exams` has the exam that this row's activity is, and a row about that exam
    and the same student at the same time states it.
    """

    key: str
    column: str
    value: str
    exams: str
