"""What is in deploy/ works: the unit is sound, the roles are enough and no more, and of two processes one works."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.config import settings
from tests.bot_process import BIN, GULNORA, JANE, PATIENCE, BotProcess, LmsHands, from_store
from tests.roles import DEPLOY, READER, grant_on_postgresql, psql
from tests.shell import DONE, Shell, shell

__all__ = ["shell"]

UNIT = DEPLOY / "lms-bot.service"
PROGRAM = "/opt/lms_bot/bin/zulip-run-bot"
KEEPER = "lms_bot_store"
POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql"])


def as_role(url: str, role: str, database: str | None = None) -> str:
    changed = sa.make_url(url).set(username=role, password=None)
    return changed.set(database=database or changed.database).render_as_string(hide_password=False)


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def installed(shell: Shell, postgresql_server: str) -> Iterator[Shell]:
    """The two databases as deploy/ sets them up, and the bot with its two logins."""
    owner = shell.lms_url
    grant_on_postgresql(owner, "classic")
    psql(postgresql_server, "postgresql-store.sql")
    shell.lms_url = as_role(owner, READER)
    shell.store_url = as_role(postgresql_server, KEEPER, "lms_bot")
    yield shell
    execute(owner, f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")
    execute(postgresql_server, "DROP DATABASE lms_bot WITH (FORCE)", f"DROP ROLE {KEEPER}")


# The unit


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it is on a machine where the bot is installed."""
    adapted = tmp_path / "lms-bot.service"
    adapted.write_text(UNIT.read_text().replace(PROGRAM, str(BIN / "zulip-run-bot")))
    return adapted


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_calls_the_unit_hardened(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout


def test_the_unit_hands_on_secrets_by_the_names_that_the_bot_knows() -> None:
    environment = dict(value.split("=", 1) for value in values("Environment"))
    credentials = dict(value.split(":", 1) for value in values("LoadCredential"))
    known = {f"{setting.environment}_FILE" for setting in settings.SETTINGS}
    files = {name: value for name, value in environment.items() if name.startswith("LMS_")}
    assert set(files) == {"LMS_DATABASE_URL_FILE", "LMS_STORE_DATABASE_URL_FILE"} <= known
    assert {value.removeprefix("%d/") for value in files.values()} | {"zuliprc"} == set(credentials)
    (start,) = values("ExecStart")
    assert "${CREDENTIALS_DIRECTORY}/zuliprc" in start
    assert start.startswith(PROGRAM)
    assert values("RestartPreventExitStatus") == ["2"], "a wrong setting is not cured by starting again"
    for key in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert values(key) == ["yes"]


WEB_UNIT = DEPLOY / "lms-bot-web.service"


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit_of_the_web_and_calls_it_hardened(tmp_path: Path) -> None:
    adapted = tmp_path / WEB_UNIT.name
    adapted.write_text(WEB_UNIT.read_text().replace("/opt/lms_bot/bin/lms-bot", str(BIN / "lms-bot")))
    for command in (["verify", "--man=no"], ["security", "--offline=yes", "--threshold=20"]):
        done = subprocess.run(
            ["systemd-analyze", *command, str(adapted)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_unit_of_the_web_hands_on_secrets_and_has_no_key_of_zulip() -> None:
    known = {f"{setting.environment}_FILE" for setting in settings.SETTINGS}
    files = {
        name
        for value in values("Environment", WEB_UNIT)
        for name in [value.split("=")[0]]
        if name != "PYTHONUNBUFFERED"
    }
    assert files == {"LMS_DATABASE_URL_FILE", "LMS_STORE_DATABASE_URL_FILE", "LMS_BOT_SIGNAL_SECRET_FILE"} <= known
    assert "zuliprc" not in WEB_UNIT.read_text().split("[Unit]")[1]
    (start,) = values("ExecStart", WEB_UNIT)
    assert start.startswith("/opt/lms_bot/bin/lms-bot serve ")


def values(key: str, unit: Path = UNIT) -> list[str]:
    """What the unit says under a key, which may stand several times."""
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{key}=")]


# The roles


@POSTGRESQL
def test_the_bot_works_with_its_two_logins_and_the_doctor_is_content(installed: Shell) -> None:
    assert "there is none yet" in installed.run("doctor").stdout
    installed.counts("--once")
    installed_lms(installed).pass_exam(1000, JANE)
    assert installed.counts("--once") == {"new_events": 1, "delivered": 1, "postponed": 0, "pending": 0}
    (text,) = installed.told(installed.people.mary)
    assert "Python Basics Quiz" in text
    channel = installed.zulip.find_stream("lms-admin")
    assert channel
    done = installed.run("doctor", code=DONE, settings=f"admin_stream_id = {channel.stream_id}")
    assert done.stdout.splitlines()[-1].endswith("0 warning, 0 failed"), done.stdout
    assert "by transaction ids" in done.stdout


def installed_lms(shell: Shell) -> LmsHands:
    return LmsHands(as_role(shell.lms_url, "postgres"))


@POSTGRESQL
def test_the_reader_may_not_read_what_is_not_told(installed: Shell) -> None:
    for statement in ("SELECT * FROM mentors", "SELECT * FROM students", "SELECT * FROM videos"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            from_store(installed.lms_url, statement)


@POSTGRESQL
def test_the_reader_cannot_write_whatever_it_sets(installed: Shell) -> None:
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        execute(installed.lms_url, "UPDATE attempts SET score = 100")
    for statement in ("UPDATE attempts SET score = 100", "DELETE FROM students", "DROP TABLE exams"):
        with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
            execute(installed.lms_url, "SET default_transaction_read_only = off", statement)
    assert from_store(installed.lms_url, "SHOW statement_timeout") == [("30s",)]


@POSTGRESQL
def test_the_role_of_the_lms_may_be_made_again_after_a_table_was_replaced(installed: Shell) -> None:
    owner = as_role(installed.lms_url, "postgres")
    execute(owner, 'DROP TABLE "_MentorToStudent"', 'CREATE TABLE "_MentorToStudent" ("A" int, "B" int)')
    assert "_MentorToStudent" in installed.run("doctor", code=1).stdout
    grant_on_postgresql(owner, "classic")
    assert "0 failed" in installed.run("doctor").stdout


@POSTGRESQL
def test_nobody_else_connects_to_the_store(installed: Shell) -> None:
    with pytest.raises(sa.exc.OperationalError, match="permission denied"):
        from_store(as_role(installed.store_url, READER), "SELECT 1")


# Two processes


@POSTGRESQL
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_of_two_processes_one_works_and_the_other_takes_over(installed: Shell, end: signal.Signals) -> None:
    people, zulip, lms = installed.people, installed.zulip, installed_lms(installed)
    addresses = zulip, installed.folder, installed.lms_url, installed.store_url
    with BotProcess(*addresses, name="first") as first, BotProcess(*addresses, name="second") as second:
        second.wait_for(lambda: "standing by" in second.output)
        lms.pass_exam(1000, JANE)
        first.wait_for(lambda: installed.told(people.mary))
        assert "Total Events" in second.ask(people.omar, "stats")
        assert "works for the store now" not in second.output
        if end is signal.SIGTERM:
            assert first.signal(end) == 0
        else:
            first.kill()
        second.wait_for(lambda: "works for the store now" in second.output)
        lms.pass_exam(1001, GULNORA)
        second.wait_for(lambda: len(installed.told(people.mary)) == 2)
        with BotProcess(*addresses, name="first", wait_until_ready=False) as first:
            first.wait_for(lambda: first.output.count("standing by") > 0)
            lms.pass_exam(1002, JANE)
            second.wait_for(lambda: len(installed.told(people.mary)) == 3)
    told = "\n".join(installed.told(people.mary))
    assert (told.count("jane_smith"), told.count("gulnora")) == (2, 1)
