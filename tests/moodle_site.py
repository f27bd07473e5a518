"""Plays the life of a Moodle into a database, transaction by transaction, and reads what truly happened there."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

Change = dict[str, Any]
"""A row that was inserted, updated or deleted, as the README beside the data says."""


class Step(NamedTuple):
    """What one transaction changed, and when."""

    at: datetime
    changes: list[Change]


class Site:
    """The data of a site in a folder: its tables, its start, every change, and the truth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, engine: sa.Engine) -> None:
        """Make the tables, and the site as it was when it was set up."""
        is_postgresql = engine.dialect.name == "postgresql"
        schema, start = ((self._folder / name).read_text("utf-8") for name in ("schema.sql", "start.sql"))
        statements = [*_statements(schema), *(one for one in _statements(start) if one.startswith("INSERT"))]
        with engine.begin() as connection:
            for number, statement in enumerate(statements):
                named = re.sub(r"^CREATE (UNIQUE )?INDEX ON", rf"CREATE \1INDEX i{number} ON", statement)
                here = named.replace("public.", "")
                if not is_postgresql and " INDEX " in here:
                    continue  # of texts without a length, which other servers do not index
                connection.exec_driver_sql(here.replace("%", "%%") if is_postgresql else here)

    def steps(self) -> Iterator[Step]:
        """Give what happened, transaction by transaction."""
        with gzip.open(self._folder / "changes.jsonl.gz", "rt", encoding="utf-8") as file:
            changes = [json.loads(line) for line in file]
        for (_, at), together in groupby(changes, key=itemgetter("tx", "t")):
            yield Step(datetime.fromtimestamp(at, UTC), list(together))

    def truth(self) -> list[dict[str, Any]]:
        """What truly happened, in order."""
        return [json.loads(line) for line in (self._folder / "truth.jsonl").read_text("utf-8").splitlines()]


def play(engine: sa.Engine, step: Step, tables: dict[str, sa.Table]) -> None:
    """Change what a transaction of the site changed, inside a savepoint, as Moodle does."""
    with engine.begin() as connection, connection.begin_nested():
        for change in step.changes:
            table = tables[change["table"]]
            row = table.c.id == change["id"] if "id" in change else sa.true()
            if change["op"] == "insert":
                connection.execute(sa.insert(table).values(change["row"]))
            elif change["op"] == "delete":
                connection.execute(sa.delete(table).where(row))
            elif change["set"]:
                connection.execute(sa.update(table).where(row).values(change["set"]))
            else:
                connection.execute(sa.update(table).where(row).values(id=table.c.id))


def tables_of(engine: sa.Engine) -> dict[str, sa.Table]:
    """The tables of a database, by name."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return dict(metadata.tables)


def _statements(text: str) -> list[str]:
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [one.strip() for one in re.split(r";\s*\n", without_comments) if one.strip()]
