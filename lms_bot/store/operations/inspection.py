"""Inspects an event store without making, changing or locking it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from lms_bot.core.operations.circuit_breaker import CircuitState
from lms_bot.core.process import Work
from lms_bot.db.engine import lms_engine, reason
from lms_bot.errors import StoreUnavailable
from lms_bot.store.operations import heartbeat
from lms_bot.store.operations.admin_channel import FACT, AdminChannel, of_fact
from lms_bot.store.operations.pauses import fact_of, until_of
from lms_bot.store.schema import CURRENT
from lms_bot.store.tables import facts, hand_mappings


@dataclass(frozen=True, slots=True)
class StoreState:
    """A store: `schema` is None where there is none yet, and `can_write` says whether we could work in it.

    `is_older`: this program would bring it to its own schema. `journal_mode` and `file` are SQLite's.
    """

    product: str
    schema: str | None
    is_older: bool
    can_write: bool
    journal_mode: str | None = None
    file: Path | None = None


def file_of(url: str) -> Path | None:
    """Return the file of a SQLite store; None for a server."""
    parsed = make_url(url)
    return Path(parsed.database or "").absolute() if parsed.get_backend_name() == "sqlite" else None


def inspect(url: str) -> StoreState:
    """Return the state of a store. Raises StoreUnavailable."""
    file = file_of(url)
    if file is not None and not file.exists():
        return StoreState("SQLite", None, True, _can_write_beside(file), None, file)
    engine = lms_engine(url)  # of the two kinds of engine, the one that can only read
    try:
        with engine.connect() as connection, connection.begin():
            schema = _schema(connection)
            if file is None:
                return _on_server(connection, schema)
            mode = connection.scalar(sa.text("PRAGMA journal_mode"))
            version = connection.scalar(sa.text("SELECT sqlite_version()"))
            return StoreState(f"SQLite {version}", schema, _is_older(schema), _can_write_beside(file), mode, file)
    except sa.exc.SQLAlchemyError as error:
        raise StoreUnavailable(reason(error)) from error
    finally:
        engine.dispose()


def keeps_sessions(url: str) -> bool:
    """Return whether a connection to a PostgreSQL store keeps its session, and with it a lock, from one transaction on.

    Behind a pooler of transactions it does not: then two connections find themselves in one session, or one connection
    in another session when the first one is taken. Raises StoreUnavailable.
    """
    engine = lms_engine(url)
    try:
        with engine.connect() as one, engine.connect() as other:
            before = _session(one)
            one.commit()
            beside = _session(other)  # that transaction stays open
            return _session(one) == before != beside
    except sa.exc.SQLAlchemyError as error:
        raise StoreUnavailable(reason(error)) from error
    finally:
        engine.dispose()


def noted_at(url: str, name: str) -> datetime | None:
    """Return when a fact was last noted in an existing store. Raises StoreUnavailable."""
    row = _noted(url).get(name)
    if row is None:
        return None
    _, noted = row
    moment = datetime.fromisoformat(noted)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def noted(url: str, name: str) -> Any:
    """Return a fact of an existing store as last noted; None if it never was. Raises StoreUnavailable."""
    return _noted(url).get(name, (None, ""))[0]


def mapped_by_hand(url: str) -> dict[int, int]:
    """Return the Zulip accounts that admins mapped by hand, by mentor id, in an existing store.

    Raises StoreUnavailable.
    """
    engine = lms_engine(url)
    query = sa.select(hand_mappings.c.mentor_id, hand_mappings.c.zulip_user_id)
    try:
        with engine.connect() as connection, connection.begin():
            return {row.mentor_id: row.zulip_user_id for row in connection.execute(query)}
    except sa.exc.SQLAlchemyError as error:
        raise StoreUnavailable(reason(error)) from error
    finally:
        engine.dispose()


def pinned_admin_channel(url: str) -> AdminChannel | None:
    """Return the admin channel that is pinned in an existing store, if one is. Raises StoreUnavailable."""
    return of_fact(_noted(url).get(FACT, (None, ""))[0])


def paused(url: str, now: datetime) -> dict[Work, datetime | None]:
    """Return what is paused in an existing store, until when or (None) for good. Raises StoreUnavailable."""
    noted = _noted(url)
    pauses = {work: until_of(noted[fact_of(work)][0]) for work in Work if fact_of(work) in noted}
    return {work: until for work, until in pauses.items() if until is None or until > now}


def circuit(url: str) -> CircuitState:
    """Return the state of the circuit to the LMS, as the worker of an existing store last noted it.

    Raises StoreUnavailable.
    """
    noted = _noted(url).get(heartbeat.CIRCUIT)
    return heartbeat.circuit_of(noted[0]) if noted else CircuitState()


def _noted(url: str) -> dict[str, tuple[Any, str]]:
    """Return every fact, with its moment as text, as this kind of engine reads times."""
    engine = lms_engine(url)
    query = sa.select(facts.c.name, facts.c.value, sa.type_coerce(facts.c.noted_at, sa.Text))
    try:
        with engine.connect() as connection, connection.begin():
            return {name: (value, noted_at) for name, value, noted_at in connection.execute(query)}
    except sa.exc.SQLAlchemyError as error:
        raise StoreUnavailable(reason(error)) from error
    finally:
        engine.dispose()


def _session(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)


def _schema(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _on_server(connection: sa.Connection, schema: str | None) -> StoreState:
    row = connection.execute(
        sa.text(
            """
            SELECT current_setting('server_version') AS version,
                   NOT pg_is_in_recovery()
                   AND has_schema_privilege(current_schema(), 'CREATE')
                   AND coalesce(has_table_privilege(to_regclass('lms_activity_events'), 'INSERT'), true) AS can_write
            """
        )
    ).one()
    return StoreState(f"PostgreSQL {row.version}", schema, _is_older(schema), bool(row.can_write))


def _is_older(schema: str | None) -> bool:
    return schema is None or schema < CURRENT


def _can_write_beside(file: Path) -> bool:
    """Return whether the file, or a new one, and those that SQLite puts beside it can be written."""
    return os.access(file.parent, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))
