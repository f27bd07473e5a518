"""The doctor finds what is wrong, says what to do, changes nothing, and never shows a secret."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from lms_bot import config, doctor
from lms_bot.doctor import lms as doctor_lms
from lms_bot.doctor import machine, zulip
from lms_bot.doctor.secrets import secrets_in, without
from lms_bot.findings import Level
from lms_bot.lms.inspection import Server
from tests.bot_process import from_store, in_store
from tests.shell import BOTH, DONE, FAILED, Shell, kind, shell

__all__ = ["kind", "shell"]

POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql"])
READ = 'attempts, content_attempts, students, mentors, "_MentorToStudent", exams, courses, chapters, "ChapterContent"'


@pytest.fixture
def well(shell: Shell) -> Shell:
    """A school in which everything is as it should be."""
    shell.counts("--once")
    if shell.lms_url.startswith("postgresql"):
        log_in(shell, "reader", f"GRANT SELECT ON {READ} TO reader")
    return shell


def log_in(shell: Shell, role: str, *grants: str, password: str = "secret") -> None:
    """Let the bot log in as a role of its own, which has these rights."""
    name = f"{role}_{sa.make_url(shell.lms_url).database}"
    engine = sa.create_engine(shell.lms_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        for grant in grants:
            connection.exec_driver_sql(grant.replace(role, name))
    shell.lms_url = engine.url.set(username=name, password=password).render_as_string(hide_password=False)


def change_lms(shell: Shell, *statements: str) -> None:
    """Change the LMS as its owner."""
    url = sa.make_url(shell.lms_url)
    owner = url if url.get_backend_name() == "sqlite" else url.set(username="postgres", password=None)
    engine = sa.create_engine(owner, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def examine(shell: Shell, code: int = DONE, **options: Any) -> dict[str, tuple[str, str, str]]:
    """The worst finding of each check: level, message, advice."""
    done = shell.run("doctor", "--json", code=code, **options)
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    order = {"ok": 0, "warning": 1, "failed": 2}
    worst: dict[str, tuple[str, str, str]] = {}
    for finding in sorted(told["findings"], key=lambda finding: order[finding["level"]]):
        worst[finding["check"]] = finding["level"], finding["message"], finding["advice"]
    for level in order:
        assert told[level] == sum(finding["level"] == level for finding in told["findings"])
    assert all(bool(advice) or level == "ok" for level, _, advice in worst.values()), "a finding says what to do"
    return worst


def levels(found: dict[str, tuple[str, str, str]], *ignored: str) -> dict[str, str]:
    """What is not well."""
    return {check: level for check, (level, _, _) in found.items() if level != "ok" and check not in ignored}


@BOTH
def test_all_is_well_where_all_is_well(well: Shell) -> None:
    found = examine(well)
    assert not levels(found)
    assert found["mentors"][1] == "3 of 3 mentors have an account in Zulip"
    expected = {"lms", "lms writes", "lms tables", "lms indexes", "lms sweep", "lms people", "store", "store schema"}
    expected |= {"store writes", "last poll", "zulip", "zulip version", "zulip users", "zulip addresses"}
    assert expected | {"admin stream", "zulip clock", "disk"} <= found.keys()
    assert ("lms clock" in found) == ("lms role" in found) == well.lms_url.startswith("postgresql")


def test_without_json_each_finding_is_a_line(well: Shell) -> None:
    well.zulip.make_public("lms-admin")
    lines = well.run("doctor").stdout.splitlines()
    told = json.loads(well.run("doctor", "--json").stdout)
    assert len(lines) == len(told["findings"]) + 1
    assert all(line.split()[0] in ("ok", "warning", "failed") for line in lines[:-1])
    (public,) = (line for line in lines if "admin stream" in line)
    assert public.startswith("warning ")
    assert " -> make it private" in public
    assert lines[-1].split(", ")[1:] == ["1 warning", "0 failed"]


# The LMS


@BOTH
def test_it_changes_nothing_and_makes_no_store(shell: Shell, kind: str) -> None:
    found = examine(shell)
    assert found["store"][0] == "warning"
    if kind == "sqlite":
        assert {path.name for path in shell.folder.iterdir()} == {"lms.db", "zuliprc", "lms_bot.conf"}
    else:
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert from_store(shell.store_url, tables) == [(0,)]
    methods = {method for _, method, _ in shell.zulip.calls}
    assert methods == {"GET"}


@POSTGRESQL
def test_a_role_that_could_write_is_a_warning(well: Shell) -> None:
    role = sa.make_url(well.lms_url).username
    change_lms(well, f"GRANT UPDATE (score) ON attempts TO {role}", f"GRANT DELETE ON students TO {role}")
    level, message, advice = examine(well)["lms role"]
    assert level == "warning"
    assert "attempts, students" in message
    assert "postgresql-lms-role.sql" in advice


@POSTGRESQL
def test_a_superuser_is_a_warning(shell: Shell) -> None:
    found = examine(shell)
    assert "superuser" in found["lms role"][1]
    assert found["lms writes"][0] == "ok"


@BOTH
def test_a_missing_table_or_column_fails(well: Shell) -> None:
    change_lms(well, "ALTER TABLE content_attempts RENAME TO gone", "ALTER TABLE attempts RENAME COLUMN speed TO pace")
    told = well.run("doctor", code=FAILED).stdout
    assert "content_attempts is not there" in told
    assert "attempts has no column speed" in told


@BOTH
def test_a_missing_table_of_titles_is_a_warning(well: Shell) -> None:
    change_lms(well, 'ALTER TABLE "ChapterContent" RENAME TO gone')
    found = examine(well)
    assert levels(found) == {"lms tables": "warning"}
    assert "titles" in found["lms tables"][1]


@POSTGRESQL
def test_a_column_that_we_may_not_read_fails(well: Shell) -> None:
    role = sa.make_url(well.lms_url).username
    change_lms(well, f"REVOKE SELECT ON students FROM {role}", f"GRANT SELECT (id, username) ON students TO {role}")
    found = examine(well, FAILED)
    assert "email" in found["lms tables"][1]
    assert found["lms people"][0] == "failed"
    assert found["zulip users"][0] == "ok", "what else there is to see is seen"


@POSTGRESQL
def test_row_security_is_a_warning(well: Shell) -> None:
    change_lms(well, "ALTER TABLE attempts ENABLE ROW LEVEL SECURITY")
    level, message, _ = examine(well)["lms tables"]
    assert level == "warning"
    assert "row security" in message


@POSTGRESQL
@pytest.mark.parametrize(
    ("column", "declared", "level"),
    [
        ("exam_id", "text", "failed"),
        ("exam_id", "numeric", "failed"),
        ("exam_id", "bigint", "ok"),
        ("score", "numeric(6,2)", "ok"),
        ("score", "text", "warning"),
        ("state", "varchar(20)", "ok"),
        ("state", "bytea", "warning"),
        ("date", "timestamp", "ok"),
        ("date", "text", "ok"),
        ("date", "time", "warning"),
        ("date", "interval", "warning"),
    ],
)
def test_types_are_judged_by_what_can_be_read(well: Shell, column: str, declared: str, level: str) -> None:
    change_lms(
        well,
        f'ALTER TABLE attempts DROP COLUMN "{column}"',
        f'ALTER TABLE attempts ADD COLUMN "{column}" {declared}',
        f"GRANT SELECT ON attempts TO {sa.make_url(well.lms_url).username}",
    )
    found = examine(well, FAILED if level == "failed" else DONE)
    assert found["lms tables"][0] == level


@POSTGRESQL
def test_a_view_is_as_good_as_a_table_but_for_its_index(well: Shell) -> None:
    role = sa.make_url(well.lms_url).username
    change_lms(
        well,
        "ALTER TABLE attempts RENAME TO attempts_behind",
        "CREATE VIEW attempts AS SELECT * FROM attempts_behind",
        f"GRANT SELECT ON attempts TO {role}",
    )
    found = examine(well)
    assert levels(found) == {"lms indexes": "warning"}
    assert "view" in found["lms sweep"][1]


@POSTGRESQL
def test_a_missing_index_is_a_warning_with_its_remedy(well: Shell) -> None:
    change_lms(well, "ALTER TABLE content_attempts DROP CONSTRAINT content_attempts_pkey")
    level, message, advice = examine(well)["lms indexes"]
    assert level == "warning"
    assert "content_attempts" in message
    change_lms(well, advice.partition("run: ")[2])
    assert examine(well)["lms indexes"][0] == "ok"


def test_a_mirror_of_the_lms_without_keys_is_a_warning(well: Shell) -> None:
    change_lms(well, "ALTER TABLE attempts RENAME TO old", "CREATE TABLE attempts AS SELECT * FROM old")
    assert levels(examine(well)) == {"lms indexes": "warning"}


@pytest.mark.parametrize(("number", "level"), [(120_022, Level.FAILED), (130_000, Level.OK), (180_001, Level.OK)])
def test_old_servers_are_refused(number: int, level: Level) -> None:
    assert doctor_lms.version(server(number)).level is level


def test_the_sweep_of_an_older_server_is_named() -> None:
    (before,) = doctor_lms.sweep(server(130_014), {})
    (after,) = doctor_lms.sweep(server(140_000), {})
    assert "PostgreSQL 14" in before.message
    assert "transaction ids" in after.message


def server(version: int) -> Server:
    return Server(f"PostgreSQL {version // 10_000}", version, "reader", True, False, (), timedelta())


@pytest.mark.parametrize(("seconds", "level"), [(0, "ok"), (-29, "ok"), (31, "warning"), (-86_400, "warning")])
def test_a_wrong_clock_is_a_warning(seconds: int, level: str) -> None:
    (found,) = doctor_lms.clock("lms clock", "the LMS", timedelta(seconds=seconds))
    assert found.level == level
    assert ("behind" in found.message) == (level == "warning" and seconds < 0)


# The store


def test_a_store_of_another_version_is_named(well: Shell) -> None:
    in_store(well.store_url, "UPDATE alembic_version SET version_num = '0000'")
    assert examine(well)["store schema"][0] == "warning"
    in_store(well.store_url, "UPDATE alembic_version SET version_num = '9999'")
    assert examine(well, FAILED)["store schema"][0] == "failed"
    assert from_store(well.store_url, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_store_that_is_no_store_fails(well: Shell) -> None:
    (well.folder / "store.db").write_bytes(b"this is no database" * 100)
    assert examine(well, FAILED)["store"][0] == "failed"


def test_a_folder_that_is_not_there_fails(well: Shell) -> None:
    well.store_url = f"sqlite:///{well.folder}/nowhere/store.db"
    assert examine(well, FAILED)["store"][0] == "failed"
    assert not (well.folder / "nowhere").exists()


def test_a_journal_that_is_not_wal_is_a_warning_and_stays(well: Shell) -> None:
    in_store(well.store_url, "PRAGMA journal_mode = DELETE")
    assert examine(well)["store journal"][0] == "warning"
    connection = sqlite3.connect(well.folder / "store.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_bot_that_has_not_polled_for_long_is_a_warning(well: Shell) -> None:
    in_store(well.store_url, "UPDATE facts SET noted_at = '2026-01-01 00:00:00'")
    assert levels(examine(well)) == {"last poll": "warning"}


def test_it_looks_while_the_worker_writes(well: Shell) -> None:
    writer = sqlite3.connect(well.folder / "store.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    assert not levels(examine(well))
    assert time.monotonic() - begun < 20
    writer.rollback()
    writer.close()


@POSTGRESQL
def test_a_store_that_we_may_not_write_fails(well: Shell) -> None:
    role = sa.make_url(well.lms_url).username
    in_store(well.store_url, f"GRANT SELECT ON alembic_version, facts TO {role}")
    well.store_url = sa.make_url(well.store_url).set(username=role).render_as_string(hide_password=False)
    assert examine(well, FAILED)["store writes"][0] == "failed"


def test_a_network_disk_is_found(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "rootfs / ext4 rw 0 0\nserver:/x /srv/my\\040files nfs4 rw 0 0\n\nbad\ntmpfs /srv/my\\040files/t tmpfs\n"
    )
    assert machine.file_system(Path("/srv/my files/store.db"), mounts) == "nfs4"
    assert machine.file_system(Path("/srv/my files/t/store.db"), mounts) == "tmpfs"
    assert machine.file_system(Path("/srv/my"), mounts) == "ext4"
    assert machine.file_system(Path("/srv"), tmp_path / "nothing") is None


@pytest.mark.parametrize(("mebibytes", "level"), [(10, "failed"), (500, "warning"), (5_000, "ok")])
def test_a_full_disk_is_found(mebibytes: int, level: str) -> None:
    assert machine.disk(Path("/"), mebibytes * machine.MEBIBYTE).level == level


# Zulip


def test_what_is_wrong_with_the_admin_stream_is_a_warning(well: Shell) -> None:
    bot, ada = well.zulip.bot_id, well.people.ada
    well.zulip.unsubscribe("lms-admin", bot)
    assert "not there, or private without us" in examine(well)["admin stream"][1]
    assert "not there" in examine(well, settings="admin_stream = nothing")["admin stream"][1]
    well.zulip.add_stream("open", private=False, subscribers=[ada])
    assert "public" in examine(well, settings="admin_stream = open")["admin stream"][1]
    assert levels(examine(well)) == {"admin stream": "warning"}


def test_mentors_without_an_account_are_named_with_the_reason(well: Shell) -> None:
    well.zulip.deactivate(well.people.mary)
    level, message, _ = examine(well)["mentors"]
    assert level == "warning"
    assert "2 of 3" in message
    assert "#1 mary (the Zulip account with this e-mail address is deactivated)" in message


def test_a_name_cannot_break_the_line(well: Shell) -> None:
    change_lms(well, "UPDATE mentors SET username = 'x' || char(10) || char(27) || '[2Jok', email = NULL WHERE id = 1")
    done = well.run("doctor")
    assert "\x1b" not in done.stdout
    assert "#1 x??[2Jok (no e-mail address in the LMS)" in done.stdout


def test_many_mentors_are_counted(well: Shell) -> None:
    change_lms(
        well,
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1099) INSERT INTO mentors"
        " (id, username, created, students_count) SELECT i, 'm' || i, '2026-01-01', 0 FROM n",
    )
    _, message, _ = examine(well)["mentors"]
    assert "3 of 1003" in message
    assert "and 980 more" in message


def test_hidden_addresses_are_a_warning(well: Shell) -> None:
    well.zulip.add_user("Hidden", "hidden@example.org", hidden_email=True)
    level, message, _ = examine(well)["zulip addresses"]
    assert level == "warning"
    assert "1 of 6" in message


def test_a_wrong_key_fails_and_the_rest_is_seen(well: Shell) -> None:
    zuliprc = well.zulip.write_zuliprc(well.folder / "other_zuliprc")
    zuliprc.write_text(zuliprc.read_text().replace("key=abc", "key=xyz"))
    found = examine(well, FAILED, zuliprc=zuliprc)
    assert levels(found) == {"zulip": "failed"}
    assert found["lms people"][0] == "ok"
    assert "xyz" not in str(found)


def test_a_wrong_clock_of_zulip_is_a_warning(well: Shell) -> None:
    well.zulip.clock_offset = 3600
    level, message, _ = examine(well)["zulip clock"]
    assert level == "warning"
    assert "ahead" in message


def test_an_old_zulip_is_refused() -> None:
    assert zulip.version("6.2", 176).level is Level.FAILED
    assert zulip.version("7.0", 177).level is Level.OK


def test_zulip_is_not_needed_without_notifications(well: Shell) -> None:
    well.zulip.stop()
    command = well.command("doctor", settings="notify_mentors = false")
    at = command.index("--config-file")
    done = subprocess.run(command[:at] + command[at + 2 :], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == DONE, done.stdout
    assert "not needed" in done.stdout


# What does not answer


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def test_everything_that_never_answers_is_named_within_a_minute(shell: Shell) -> None:
    with black_hole() as port:
        shell.lms_url = f"postgresql://reader:secret@127.0.0.1:{port}/lms"
        shell.store_url = f"postgresql://bot:secret@127.0.0.1:{port}/store"
        zuliprc = shell.folder / "deaf_zuliprc"
        zuliprc.write_text(f"[api]\nemail=a@b.example\nkey={'k' * 32}\nsite=http://127.0.0.1:{port}\n")
        begun = time.monotonic()
        found = examine(shell, FAILED, zuliprc=zuliprc)
        assert time.monotonic() - begun < 60
    assert levels(found, "disk") == {"lms": "failed", "store": "failed", "zulip": "failed"}


def test_what_hangs_once_it_was_reached_is_named_when_the_time_is_over(well: Shell) -> None:
    well.zulip.hang_seconds = 30
    well.zulip.fail("hang_before", on="GET /api/v1/users", times=9)
    settings = config.load(well.configure(), {})
    zuliprc = str(well.zulip.write_zuliprc(well.folder / "zuliprc"))
    begun = time.monotonic()
    found = doctor.examine(settings, zuliprc, timedelta(seconds=2))
    assert time.monotonic() - begun < 5
    failed = [(finding.check, finding.message) for finding in found if finding.level is Level.FAILED]
    assert failed == [("zulip", "does not answer in time")]
    assert {finding.check for finding in found} >= {"lms people", "zulip version", "disk"}


def test_everything_refused_is_named(shell: Shell) -> None:
    shell.zulip.stop()
    (shell.folder / "lms.db").unlink()
    assert levels(examine(shell, FAILED), "disk") == {"lms": "failed", "store": "warning", "zulip": "failed"}


# Secrets

ODD = "Geh%eim @:/?#[]'\"\\ü"


@pytest.mark.parametrize("url", ["postgresql://lms:{}@127.0.0.1:1/x", "postgresql://lms@127.0.0.1:1/x?password={}"])
def test_a_password_is_never_shown(shell: Shell, url: str) -> None:
    encoded = quote(ODD, safe="")
    shell.lms_url = url.format(encoded)
    shell.store_url = url.format(encoded).replace(":1/", ":2/")
    for arguments in (("doctor",), ("doctor", "--json"), ("monitor", "--once", "--verbose"), ("events",)):
        done = subprocess.run(shell.command(*arguments), capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == FAILED, done.stderr
        shown = done.stdout + done.stderr
        assert not any(part in shown for part in ("Geh", "eim", encoded, shell.zulip.api_key))


@POSTGRESQL
def test_a_password_that_is_refused_is_not_shown(well: Shell) -> None:
    well.lms_url = sa.make_url(well.lms_url).set(username="nobody", password=ODD).render_as_string(hide_password=False)
    done = well.run("doctor", code=FAILED)
    assert "nobody" in done.stdout
    assert "Geh" not in done.stdout + done.stderr


def test_an_error_that_quotes_a_password_is_cleaned() -> None:
    secrets = secrets_in("postgresql+psycopg2://lms:a%25b%40c%27@h/x?sslpassword=q%20q", "sqlite:////tmp/x:y@z")
    for spelled in ("a%25b%40c%27", "a%b@c'", "a%b@c\\'", "q q", "q+q", "q%20q"):
        assert without(secrets, f"could not connect with {spelled}!") == "could not connect with ***!"


@pytest.mark.parametrize(
    "content", ["[api]\nkey=Geh%eim\nemail=a\nsite=b\n", "key=Geheim\n", "[api]\nkey=Geheim\n", ""]
)
def test_a_broken_zuliprc_fails_without_its_key(well: Shell, content: str) -> None:
    zuliprc = well.folder / "broken_zuliprc"
    zuliprc.write_text(content)
    done = well.run("doctor", code=FAILED, zuliprc=zuliprc)
    assert "zuliprc" in done.stdout
    assert "eim" not in done.stdout + done.stderr
