"""`lms-bot copy-store`: copy the event store into another database."""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from typing import TYPE_CHECKING

from lms_bot.cli.options import DONE, Commands
from lms_bot.cli.progress import StepsBar
from lms_bot.config.urls import database_url, hide_password, location
from lms_bot.errors import ConfigError

if TYPE_CHECKING:
    from lms_bot.store.copy.copy_store import Copied


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "copy-store",
        help="copy the event store into another database, as from SQLite to PostgreSQL",
        description="Copies a whole event store into an empty database and compares both. The source is not changed. "
        "Stop every bot that uses one of them first. A copy that was interrupted goes on when the same command is run "
        "again; until it is finished no bot can use it. Needs no settings. Leave a password out of the URL and give it "
        "in PGPASSWORD or ~/.pgpass: other users of the machine can see what is typed here.",
    )
    parser.add_argument("from_url", metavar="FROM_URL", help="sqlite:////path/to/lms_bot.db, or postgresql://...")
    parser.add_argument("to_url", metavar="TO_URL", help="an empty database, likewise")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from_url, to_url = _url("FROM_URL", options.from_url), _url("TO_URL", options.to_url)
    source = location(from_url)
    if source == location(to_url):
        raise ConfigError("FROM_URL and TO_URL are the same database")
    from lms_bot.store.copy.copy_store import copy_store

    with StepsBar() as bar:
        copied = copy_store(from_url, to_url, sha256("\0".join(source).encode()).hexdigest(), bar.show)
    print(_json(copied) if options.json else _text(copied))
    return DONE


def _url(which: str, text: str) -> str:
    try:
        return database_url(text)
    except ValueError as error:
        raise ConfigError(
            f"{which} is {hide_password(text)}; allowed is sqlite:////path/to/lms_bot.db or "
            f"postgresql://user@host/database{error}"
        ) from None


def _text(copied: Copied) -> str:
    width = max(map(len, copied.tables))
    lines = [f"{name:<{width}} {one.rows:>12,}  {one.checksum}" for name, one in copied.tables.items()]
    went_on = ", the others by an earlier run" if copied.resumed else ""
    return "\n".join(
        [
            *lines,
            f"Copied {copied.copied:,} of {copied.rows:,} rows{went_on}.",
            "Verified: both stores have the same number of rows and the same checksum in every table.",
        ]
    )


def _json(copied: Copied) -> str:
    tables = {name: one._asdict() for name, one in copied.tables.items()}
    result = {"tables": tables, "rows": copied.rows, "copied": copied.copied, "resumed": copied.resumed}
    return json.dumps({**result, "verified": True})
