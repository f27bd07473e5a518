"""Reads the titles of activities, courses and chapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from lms_bot.lms.inspection import can_read
from lms_bot.lms.source import Schema
from lms_bot.lms.values import text

Titles = Mapping[Any, str | None]
"""Texts by LMS id."""

Catalogue = Mapping[str, Titles]
"""Titles by the name that the schema gives them."""


def read_catalogue(connection: sa.Connection, schema: Schema) -> Catalogue:
    """Read all titles; what this installation does not have, or does not show us, has none."""
    return {name: _titles(connection, query) for name, query in schema.catalogue.items()}


def _titles(connection: sa.Connection, query: sa.Select[Any]) -> Titles:
    titles: dict[Any, str | None] = {}
    if can_read(connection, query):
        for key, title in connection.execute(query):
            titles.setdefault(key, text(title))
    return titles
