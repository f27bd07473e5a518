"""A MariaDB server of our own, and the LMS in a database of it."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from lms_bot.fixtures import school
from lms_bot.fixtures.story import Row
from tests.bot_process import PATIENCE, wait_for

PASSWORD = "s3cr3t-of-the-lms"
_numbers = itertools.count(1)

# What MySQL has types of its own for. The rest of the LMS is as SQLite has it, without references between tables.
OWN_TYPES = (
    "ALTER TABLE attempts MODIFY date datetime, MODIFY last_started_time datetime(6),"
    " MODIFY last_answer_updated_time timestamp NULL, MODIFY percentage decimal(6, 2)",
    "ALTER TABLE content_attempts MODIFY completed_on timestamp NULL",
    "ALTER TABLE students MODIFY is_active bit(1) NOT NULL",
)


@dataclass(frozen=True)
class MariaDb:
    """A running server, which is root's by its socket and everybody's by its port."""

    socket: Path
    port: int

    def owner(self, database: str = "") -> str:
        """The URL of who may do everything."""
        return f"mysql+pymysql://root@localhost/{database}?unix_socket={quote(str(self.socket))}"

    def login(self, user: str, database: str, password: str = PASSWORD) -> str:
        """The URL of somebody else."""
        return f"mysql+pymysql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "") -> None:
        """Execute statements as the owner."""
        engine = sa.create_engine(self.owner(database), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement.replace(":", r"\:")))


@dataclass(frozen=True)
class MariaLms:
    """A database of its own with the demo school's people and titles but no attempts."""

    server: MariaDb
    database: str

    def execute(self, *statements: str) -> None:
        """Execute statements as the owner."""
        self.server.execute(*statements, database=self.database)

    def reader(self, *grants: str) -> str:
        """The URL of a new login that may do what `grants` say, each as in `SELECT ON attempts`."""
        name = f"reader_{next(_numbers)}"
        self.execute(
            f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}'", *(f"GRANT {grant} TO {name}@'%'" for grant in grants)
        )
        return self.server.login(name, self.database)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB server in a folder of its own."""
    for program in ("mariadbd", "mariadb-install-db"):
        assert shutil.which(program, path=_PATH), f"{program} is not installed: apt-get install mariadb-server"
    place = tempfile.TemporaryDirectory(prefix="lms_bot_mariadb_", ignore_cleanup_errors=True)
    with place as folder, _running(Path(folder)) as server:
        yield server


@pytest.fixture
def maria_lms(mariadb: MariaDb) -> Iterator[MariaLms]:
    """An LMS on MariaDB."""
    lms = MariaLms(mariadb, f"lms_{next(_numbers)}")
    mariadb.execute(f"CREATE DATABASE {lms.database} CHARACTER SET utf8mb4")
    lms.execute("SET sql_mode = 'ANSI_QUOTES'", *_statements(school.schema("sqlite")))
    for table, rows in school.rows().items():
        _insert(mariadb.owner(lms.database), table, rows)
    lms.execute(*OWN_TYPES)
    yield lms
    mariadb.execute(f"DROP DATABASE {lms.database}")


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


@contextmanager
def _running(folder: Path) -> Iterator[MariaDb]:
    server = MariaDb(folder / "socket", _free_port())
    options = folder / "my.cnf"
    (folder / "tmp").mkdir()
    options.write_text(
        f"[server]\ndatadir = {folder / 'data'}\nsocket = {server.socket}\nport = {server.port}\n"
        f"tmpdir = {folder / 'tmp'}\n"  # where they share one, a server that begins removes the files of the others
        f"bind_address = 127.0.0.1\npid_file = {folder / 'pid'}\nskip_name_resolve\ncharacter_set_server = utf8mb4\n"
        "innodb_flush_log_at_trx_commit = 0\ninnodb_log_file_size = 8M\ninnodb_buffer_pool_size = 32M\n"
        + ("user = root\n" if os.geteuid() == 0 else "")
    )
    environment = {**os.environ, "PATH": _PATH}
    install = ["mariadb-install-db", f"--defaults-file={options}", "--auth-root-authentication-method=normal"]
    done = subprocess.run(install, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["mariadbd", f"--defaults-file={options}"], env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: process.poll() is not None or server.socket.exists(), story=log.read_text)
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _statements(script: str) -> list[str]:
    script = re.sub(r" REFERENCES \S+ \(id\)", "", script).replace("INTEGER", "bigint")
    lines = (line.partition("--")[0] for line in script.splitlines())
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]


def _insert(url: str, name: str, rows: list[Row]) -> None:
    if rows:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.table(name, *map(sa.column, rows[0])).insert(), rows)
