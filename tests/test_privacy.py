"""What the bot keeps is for its own eyes: its files, and what it sends to its databases."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_bot.core.reports.findings import Level
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Clock, Stage
from lms_bot.doctor import privacy
from lms_bot.store.operations.lease import Lease
from lms_bot.store.session import open_store
from tests import NOW
from tests.doctor_scenario import examine, levels, well
from tests.shell import Shell, shell

__all__ = ["shell", "well"]

URL = "postgresql+psycopg2://reader:secret@"


@pytest.fixture(autouse=True)
def _others_may_read_what_is_made() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}


def test_c3_a_store_and_what_sqlite_puts_beside_it_are_for_their_owner(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    assert Lease(store).take()
    with store.writing() as transaction:
        transaction.exec_driver_sql("DELETE FROM facts")
        assert modes(tmp_path) == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm", "store.db.lock"), "0o600")
    store.close()


def test_c3_the_demo_keeps_its_school_to_itself(tmp_path: Path) -> None:
    clock = Clock(NOW)
    stage = Stage(tmp_path, clock, Screen(clock))
    assert set(modes(tmp_path).values()) == {"0o600"}
    stage.close()


@pytest.mark.parametrize("file", ["store.db", "zuliprc", "lms_bot.conf"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_c3_the_doctor_warns_of_a_file_that_others_can_read(well: Shell, file: str, mode: int) -> None:
    assert levels(examine(well)) == {}
    (well.folder / file).chmod(mode)
    level, told, advice = examine(well)["files"]
    assert level == "warning"
    assert str(well.folder / file) in told
    assert advice.startswith(f"chmod 600 {well.folder / file}")


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}db.school.example/lms",
        f"{URL}db.school.example/lms?sslmode=prefer",
        f"{URL}10.0.0.7:5433/lms?sslmode=disable",
        f"{URL}/lms?host=db.school.example",
        f"{URL}localhost,db.school.example/lms",
        f"{URL}[2001:db8::1]/lms?sslmode=allow",
    ],
)
def test_c3_the_doctor_warns_of_a_server_elsewhere_without_encryption(url: str) -> None:
    (finding,) = privacy.network("lms network", "lms_database_url", url)
    assert finding.level is Level.WARNING
    assert "sslmode=verify-full" in finding.advice
    assert "secret" not in str(finding)


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}db.school.example/lms?sslmode=require",
        f"{URL}db.school.example/lms?sslmode=verify-full",
        f"{URL}localhost/lms",
        f"{URL}127.0.0.1:6432/lms",
        f"{URL}[::1]/lms",
        f"{URL}/lms",
        f"{URL}/lms?host=/var/run/postgresql",
    ],
)
def test_c3_encryption_or_the_same_machine_is_well(url: str) -> None:
    assert [finding.level for finding in privacy.network("lms network", "lms_database_url", url)] == [Level.OK]


@pytest.mark.parametrize("query", ["", "?charset=utf8mb4"])
def test_c3_the_doctor_warns_of_mysql_elsewhere_without_encryption(query: str) -> None:
    url = f"mysql+pymysql://reader:secret@db.school.example/lms{query}"
    (finding,) = privacy.network("lms network", "lms_database_url", url)
    assert finding.level is Level.WARNING
    assert "?ssl_ca=FILE" in finding.advice
    assert "secret" not in str(finding)


@pytest.mark.parametrize(
    "rest",
    [
        "db.school.example/lms?ssl_ca=/etc/ca.pem",
        "db.school.example/lms?ssl_check_hostname=false",
        "127.0.0.1/lms",
        "/lms?unix_socket=/run/mysqld/mysqld.sock",
    ],
)
def test_c3_encryption_or_the_same_machine_is_well_on_mysql_too(rest: str) -> None:
    url = f"mysql+pymysql://reader:secret@{rest}"
    assert [finding.level for finding in privacy.network("lms network", "lms_database_url", url)] == [Level.OK]


def test_c3_sslmode_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    (finding,) = privacy.network("lms network", "lms_database_url", f"{URL}db.school.example/lms")
    assert finding.level is Level.OK
