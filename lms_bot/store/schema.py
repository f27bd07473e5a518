"""Brings an event store to the schema of this program."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa

from lms_bot.db.engine import changing_schema, reading
from lms_bot.errors import StoreUnavailable

CURRENT = "0010"
MIGRATIONS = Path(__file__).parent / "migrations"
UPGRADE_LOCK = 0x6C6D735F626F74  # "lms_bot": one process at a time changes the schema of a PostgreSQL store


def unfinished(schema: str) -> str:
    """Return the version of a store that is a copy in the making, which no bot may open."""
    return f"copy of {schema}"


def version(engine: sa.Engine) -> str | None:
    """Return the schema version of the store; None for a database that holds no store yet."""
    with reading(engine) as connection:
        return _version(connection)


def upgrade(engine: sa.Engine) -> str | None:
    """Bring the store to the current schema, in one transaction under a lock; return the version it had before.

    Raises StoreUnavailable for a store that a newer program wrote, and for a copy that was not finished.
    """
    if version(engine) == CURRENT:
        return CURRENT
    with changing_schema(engine) as connection:  # on SQLite this transaction is the lock
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"))
        before = _version(connection)
        if before != CURRENT:
            _run_migrations(connection, before)
    return before


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _run_migrations(connection: sa.Connection, before: str | None) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before.startswith(unfinished("")):
        raise StoreUnavailable("the event store is an unfinished copy: run the same `lms-bot copy-store` again")
    if before is not None and before not in known:
        raise StoreUnavailable(
            f"the event store has schema {before}, which is newer than {CURRENT}: install the newer lms_bot"
        )
    command.upgrade(config, CURRENT)
