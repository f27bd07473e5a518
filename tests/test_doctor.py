"""The doctor looks at everything, changes nothing, ends in time, and never shows a secret."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from lms_bot import doctor
from lms_bot.config.settings import load
from lms_bot.core.reports.findings import Level
from lms_bot.doctor.secrets import redact, secrets_in
from tests.bot_process import BOTH, PATIENCE, from_store
from tests.doctor_scenario import POSTGRESQL, examine, levels, well
from tests.shell import FAILED, Shell, shell

__all__ = ["shell", "well"]


@BOTH
def test_all_is_well_where_all_is_well(well: Shell) -> None:
    found = examine(well)
    assert not levels(found)
    assert found["mentors"][1] == "3 of 3 mentors have an account in Zulip"
    expected = {
        "lms",
        "lms writes",
        "lms tables",
        "lms extras",
        "lms indexes",
        "lms sweep",
        "lms people",
        "store",
        "store schema",
    }
    expected |= {"store writes", "last poll", "zulip", "zulip version", "zulip users", "zulip addresses"}
    expected |= {"admin channel", "zulip clock", "disk", "pauses", "retention", "metrics"}
    assert expected <= found.keys()
    assert ("lms clock" in found) == ("lms role" in found) == well.lms_url.startswith("postgresql")


def test_without_json_each_finding_is_a_line(well: Shell) -> None:
    well.zulip.make_public("lms-admin")
    lines = well.run("doctor").stdout.splitlines()
    told = json.loads(well.run("doctor", "--json").stdout)
    assert len(lines) == len(told["findings"]) + 1
    assert all(line.split()[0] in ("ok", "warning", "failed") for line in lines[:-1])
    (public,) = (line for line in lines if "admin channel" in line)
    assert public.startswith("warning ")
    assert " -> make it private" in public
    assert lines[-1].split(", ")[1:] == ["1 warning", "0 failed"]


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


# What does not answer


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def test_everything_that_never_answers_is_named(shell: Shell) -> None:
    with black_hole() as port:
        shell.lms_url = f"postgresql://reader:secret@127.0.0.1:{port}/lms"
        shell.store_url = f"postgresql://bot:secret@127.0.0.1:{port}/store"
        zuliprc = shell.folder / "deaf_zuliprc"
        zuliprc.touch(0o600)
        zuliprc.write_text(f"[api]\nemail=a@b.example\nkey={'k' * 32}\nsite=http://127.0.0.1:{port}\n")
        found = examine(shell, FAILED, zuliprc=zuliprc)
    assert levels(found, "disk") == {"lms": "failed", "store": "failed", "zulip": "failed"}


def test_what_hangs_once_it_was_reached_is_named_when_the_time_is_over(well: Shell) -> None:
    settings = load(well.configure(), {})
    zuliprc = str(well.zulip.write_zuliprc(well.folder / "zuliprc"))
    for path in ("users", "streams"):
        well.zulip.fail("hang_before", on=f"GET /api/v1/{path}", times=1000)
    for seconds in (2, 4, 8, 16):  # as many as all else needs on this machine; the two calls that hang take longer
        found = doctor.examine(settings, zuliprc, timedelta(seconds=seconds))
        failed = [(finding.check, finding.message) for finding in found if finding.level is Level.FAILED]
        if all(check.startswith("zulip") for check, _ in failed):
            break
    assert failed[-1] == ("zulip", "does not answer in time")
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
        done = subprocess.run(shell.command(*arguments), capture_output=True, text=True, timeout=PATIENCE, check=False)
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
        assert redact(secrets, f"could not connect with {spelled}!") == "could not connect with ***!"


@pytest.mark.parametrize(
    "content", ["[api]\nkey=Geh%eim\nemail=a\nsite=b\n", "key=Geheim\n", "[api]\nkey=Geheim\n", ""]
)
def test_a_broken_zuliprc_fails_without_its_key(well: Shell, content: str) -> None:
    zuliprc = well.folder / "broken_zuliprc"
    zuliprc.write_text(content)
    done = well.run("doctor", code=FAILED, zuliprc=zuliprc)
    assert "zuliprc" in done.stdout
    assert "eim" not in done.stdout + done.stderr
