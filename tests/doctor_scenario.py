"""A school in which all is well until a test says otherwise, and what the doctor finds there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.session import open_store
from tests.shell import DONE, Shell, shell

__all__ = ["shell"]

POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql"])
READ = (
    'attempts, content_attempts, students, mentors, "_MentorToStudent", exams, courses, chapters, "ChapterContent",'
    " user_videos, videos, certifications"
)


@pytest.fixture
def well(shell: Shell) -> Shell:
    """A school in which everything is as it should be."""
    shell.counts("--once")
    pin(shell)
    if shell.lms_url.startswith("postgresql"):
        log_in(shell, "reader", f"GRANT SELECT ON {READ} TO reader")
    return shell


def pin(shell: Shell) -> None:
    """Let Ada confirm the admin channel, by a message of hers."""
    stream = shell.zulip.find_stream("lms-admin")
    assert stream is not None
    store = open_store(shell.store_url)
    with store.writing() as transaction:
        channel = AdminChannel(stream.stream_id, stream.name, stream.name, shell.people.ada)
        admin_channel.keep(transaction, channel, datetime.now(UTC))
    store.close()


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
