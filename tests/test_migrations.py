"""A store that an earlier version wrote is brought to the current schema with all that is in it, and works on."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lms_bot.store.schema import CURRENT, version
from lms_bot.store.session import open_store
from lms_bot.store.tables import metadata
from tests import schemas
from tests.bot_process import from_store
from tests.schemas import story
from tests.schemas.make import count_rows, recorded
from tests.shell import Shell, shell

__all__ = ["shell"]

DAY = re.compile(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}")
EVERY_SCHEMA = pytest.mark.parametrize("schema", sorted(schemas.migrations()))
BOTH_STORES = pytest.mark.parametrize("empty_url", schemas.KINDS, indirect=True)


def load(schema: str, url: str) -> dict[str, Any]:
    """Make the store of a schema; gives what is in it."""
    folder = schemas.HERE / schema
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    script = as_of_yesterday((folder / f"{engine.dialect.name}.sql").read_text("utf-8"))
    if engine.dialect.name == "sqlite":
        connection = sqlite3.connect(engine.url.database or "")
        connection.executescript(script)
        connection.close()
    else:
        with engine.begin() as transaction:
            transaction.connection.cursor().execute(script)
    return dict(json.loads((folder / "expected.json").read_text("utf-8")))


def as_of_yesterday(script: str) -> str:
    """Move the days on which a store was made, the commonest in it and those after, so that nobody was away since."""
    days = Counter(re.findall(DAY, script))
    made = date.fromisoformat(days.most_common(1)[0][0])
    ahead = datetime.now(UTC).date() - timedelta(days=1) - made

    def moved(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[0])
        return str(day + ahead if made <= day <= made + timedelta(days=8) else day)

    return re.sub(DAY, moved, script)


def test_every_migration_has_its_stores_and_is_as_it_was_when_they_were_made() -> None:
    assert schemas.problems(schemas.migrations()) == []
    assert max(schemas.migrations()) == CURRENT
    assert schemas.migrations().keys() >= schemas.RELEASED


def test_a_migration_that_was_changed_or_has_no_store_is_noticed(tmp_path: Path) -> None:
    changed, new = tmp_path / "0001_first_schema.py", tmp_path / "9999_last_schema.py"
    changed.write_bytes(schemas.migrations()["0001"].read_bytes() + b"\n# a small change\n")
    new.touch()
    told = schemas.problems({"0001": changed, "9999": new})
    assert ["has changed" in told[0], "no store of schema 9999" in told[1]] == [True, True]


@EVERY_SCHEMA
@BOTH_STORES
def test_a_store_of_every_schema_becomes_one_of_the_current_schema(schema: str, empty_url: str) -> None:
    expected = load(schema, empty_url)
    store = open_store(empty_url)
    assert version(store.engine) == CURRENT
    rows = count_rows(store.engine)
    assert {table: rows[table] for table in expected["rows"]} == expected["rows"]
    assert all(expected["rows"].values()), "a table without data tells nothing"
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    store.close()


@EVERY_SCHEMA
@BOTH_STORES
def test_the_bot_goes_on_where_it_was(schema: str, empty_url: str, shell: Shell) -> None:
    expected = load(schema, empty_url)
    shell.store_url = empty_url
    for write in (story.history, story.told, story.waiting):
        write(shell.lms)
    assert shell.counts("--stats").items() >= expected["stats"].items()
    for before, now in zip(expected["events"], recorded(shell), strict=True):
        assert now.items() >= before.items()
    assert shell.counts("--once") == {"new_events": 0, "delivered": 1, "postponed": 0, "pending": 0}
    assert from_store(empty_url, "SELECT student_id FROM student_days WHERE is_learned")
    story.afterwards(shell.lms)
    assert shell.counts("--once") == {"new_events": 1, "delivered": 1, "postponed": 0, "pending": 0}
    waited, new = shell.told(shell.people.mary)
    assert "ravi_patel" in waited
    assert "jane_smith" in new
