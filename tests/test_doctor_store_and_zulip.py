"""The doctor finds what is wrong with the event store, the disk, and Zulip."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.core.process import Work
from lms_bot.core.reports.findings import Level
from lms_bot.doctor import machine, zulip
from lms_bot.store import state
from lms_bot.store.operations import pauses
from lms_bot.store.people import accounts
from lms_bot.store.retention.prune import POSITION
from lms_bot.store.session import open_store
from tests.bot_process import BOTH, PATIENCE, from_store, in_store, wait_for
from tests.doctor_scenario import POSTGRESQL, change_lms, examine, levels, well
from tests.shell import DONE, FAILED, Shell, daemon, shell

__all__ = ["shell", "well"]


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


@BOTH
def test_what_an_admin_paused_is_a_warning_as_long_as_it_lasts(well: Shell) -> None:
    now = datetime.now(UTC)
    store = open_store(well.store_url)
    with store.writing() as transaction:
        pauses.begin(transaction, Work.POLLING, None, 1, now)
        pauses.begin(transaction, Work.DELIVERY, now - timedelta(hours=1), 1, now - timedelta(hours=3))
    store.close()
    level, told, advice = examine(well)["pauses"]
    assert (level, told) == ("warning", "polling is paused until it is resumed")
    assert "resume polling" in advice


@BOTH
def test_events_that_are_kept_too_long_are_a_warning(well: Shell) -> None:
    assert examine(well)["retention"][1] == "every event is kept"
    keeping = "retention_days = 30"
    assert examine(well, settings=keeping)["retention"][:2] == ("ok", "events are kept for 30 days")
    store = open_store(well.store_url)
    with store.writing() as transaction:
        state.note(transaction, POSITION, None, datetime.now(UTC) - timedelta(days=5))
    store.close()
    level, told, _ = examine(well, settings=keeping)["retention"]
    assert level == "warning"
    assert "for 5 days" in told


def test_who_has_the_port_for_metrics_is_named(well: Shell) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        setting = f"metrics_port = {listener.getsockname()[1]}"
        assert "is free" in examine(well, settings=setting)["metrics"][1]
    port = well.zulip.port
    level, told, _ = examine(well, settings=f"metrics_port = {port}")["metrics"]
    assert (level, told) == ("warning", f"port {port} is taken by another program")
    with daemon(well, settings=setting):
        wait_for(lambda: "a bot shows them" in examine(well, settings=setting)["metrics"][1])


def test_it_looks_while_the_worker_writes(well: Shell) -> None:
    writer = sqlite3.connect(well.folder / "store.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert not levels(examine(well))
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
    assert "not there, or private without us" in examine(well)["admin channel"][1]
    assert "not there" in examine(well, settings="admin_stream = nothing")["admin channel"][1]
    well.zulip.add_stream("open", private=False, subscribers=[ada])
    assert "public" in examine(well, settings="admin_stream = open")["admin channel"][1]
    assert levels(examine(well)) == {"admin channel": "warning"}


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
    command = command[:at] + command[at + 2 :]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == DONE, done.stdout
    assert "not needed" in done.stdout


def test_d7_a_hidden_address_is_called_hidden_and_both_places_are_named(well: Shell) -> None:
    well.zulip.change_user(well.people.mary, hidden_email=True)
    found = examine(well)
    assert found["zulip addresses"][0] == "warning"
    assert "Who can access your email address" in found["zulip addresses"][2]
    assert "Default user settings" in found["zulip addresses"][2]
    assert "hidden from the bot" in found["mentors"][1]
    well.zulip.change_user(well.people.mary, hidden_email=False)
    assert levels(examine(well)) == {}


def test_d11_a_mentor_who_was_mapped_by_hand_has_an_account(well: Shell) -> None:
    stranger = well.zulip.add_user("Mary at home", "mary@home.example")
    change_lms(well, "UPDATE mentors SET email = 'mary@elsewhere.example' WHERE id = 1")
    assert "#1 " in examine(well)["mentors"][1]
    store = open_store(well.store_url)
    with store.writing() as transaction:
        accounts.map_by_hand(transaction, 1, stranger, datetime.now(UTC))
    assert examine(well)["mentors"][0] == "ok"
    well.zulip.deactivate(stranger)
    assert "mapped by hand is deactivated" in examine(well)["mentors"][1]
    store.close()
