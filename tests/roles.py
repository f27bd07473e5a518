"""Runs the files of deploy/ that make logins, as their own first lines say."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.bot_process import PATIENCE
from tests.mariadb import MariaDb
from tests.pg import address, program

DEPLOY = Path(__file__).parent.parent / "deploy"
READER = "lms_bot_reader"
FILES = {"classic": "lms", "moodle": "moodle", "lessons": "lessons"}
Done = subprocess.CompletedProcess[str]


def psql(url: str, file: str, *options: str, code: int = 0) -> Done:
    """Run a file of deploy/ in a database of PostgreSQL."""
    command = [program("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", *options, "-d", address(url)]
    done = _run([*command, "-f", str(DEPLOY / file)])
    assert done.returncode == code, done.stderr
    return done


def grant_on_postgresql(url: str, schema: str, *options: str, code: int = 0) -> Done:
    """Make the login that reads an LMS in PostgreSQL."""
    return psql(url, f"postgresql-{FILES[schema]}-role.sql", *options, code=code)


def grant_on_mariadb(server: MariaDb, database: str, schema: str, *options: str, code: int = 0) -> Done:
    """Make the login that reads an LMS in MariaDB."""
    client = ["mariadb", "--no-defaults", f"--socket={server.socket}", "--user=root"]
    printed = _run([*client, *options, "-N", database], (DEPLOY / f"mysql-{FILES[schema]}-role.sql").read_text())
    assert printed.returncode == 0, printed.stderr
    done = _run([*client, database], printed.stdout)
    assert done.returncode == code, done.stderr
    return done


def _run(command: list[str], text: str | None = None) -> Done:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
