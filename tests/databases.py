"""Databases for tests: empty ones, and copies of an LMS and of an event store that were each made once."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.store.session import Store, Transaction, open_store
from lms_bot.store.tables import metadata
from tests.school import fill_lms

Fill = Callable[[str], None]
"""What makes something in the empty database of a URL."""

_numbers = itertools.count(1)


def lms_in_file(path: Path) -> str:
    """The URL of a new LMS with the demo school's people and titles but no attempts."""
    return _in_file(path, fill_lms)


def store_in_file(path: Path) -> str:
    """The URL of a new event store at the current schema."""
    return _in_file(path, make_store)


def make_store(url: str) -> None:
    """Make an event store at the current schema."""
    open_store(url).close()


@contextmanager
def on_server(server: str, fill: Fill | None = None) -> Iterator[str]:
    """The URL of a new PostgreSQL database: empty, or as `fill` makes it."""
    name = f"test_{next(_numbers)}"
    template = _template(server, fill) if fill else "template1"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield _named(server, name)
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def do_not_wait_for_the_disk(server: str) -> None:
    """No test pulls the plug of a server, so that it need not be ready for that, nor keep a long log."""
    for setting, value in (("fsync", "off"), ("full_page_writes", "off"), ("max_wal_size", "'128MB'")):
        _execute(server, f"ALTER SYSTEM SET {setting} = {value}")
    _execute(server, "SELECT pg_reload_conf()")


def _in_file(path: Path, fill: Fill) -> str:
    path.touch(0o600)
    path.write_bytes(_file(fill))
    return f"sqlite:///{path}"


@functools.cache
def _file(fill: Fill) -> bytes:
    with tempfile.TemporaryDirectory(prefix="lms_bot_made_") as folder:
        path = Path(folder) / "made.db"
        fill(f"sqlite:///{path}")
        return path.read_bytes()


@functools.cache
def _template(server: str, fill: Fill) -> str:
    """The name of a database to copy; nobody else may connect to it, the server's own housekeeping included."""
    name = f"made_by_{fill.__name__}"
    _execute(server, f"CREATE DATABASE {name}")
    fill(_named(server, name))
    _execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    return name


def _named(server: str, name: str) -> str:
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(server: str, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


_shared: dict[str, Store] = {}


def shared_store(kind: str, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Store:
    """One store of each kind for all examples of all tests, since making one takes longer than asking it."""
    if kind not in _shared:
        folder: Path = folders.mktemp("stores")
        url = f"sqlite:///{folder}/store.db" if kind == "sqlite" else request.getfixturevalue("postgresql_server")
        _shared[kind] = open_store(url)
    return _shared[kind]


def empty(transaction: Transaction) -> None:
    """Leave nothing in a store, whoever used it before."""
    for table in reversed(metadata.sorted_tables):
        transaction.execute(sa.delete(table))
