"""Reads the titles of activities, courses and chapters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from lms_bot.lms.inspection import read_if_there
from lms_bot.lms.markup import without_markup
from lms_bot.lms.source import Query, Schema
from lms_bot.lms.values import text

Titles = Mapping[Any, str | None]
"""Texts by LMS id."""

Catalogue = Mapping[str, Titles]
"""Titles by the name that the schema gives them."""


def read_catalogue(connection: sa.Connection, schema: Schema) -> Catalogue:
    """Read all titles; what this installation does not have, or does not show us, has none."""
    clean = without_markup if schema.has_markup else text
    return {name: _titles(connection, queries, clean) for name, queries in schema.catalogue.items()}


def _titles(connection: sa.Connection, queries: Iterable[Query], clean: Callable[[Any], str | None]) -> Titles:
    titles: dict[Any, str | None] = {}
    for query in queries:
        for key, title in read_if_there(connection, query):
            if titles.get(key) is None:
                titles[key] = clean(title)
    return titles
