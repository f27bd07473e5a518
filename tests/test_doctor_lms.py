"""The doctor finds what is wrong with the LMS, judged by its catalog alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.reports.findings import Level
from lms_bot.doctor import lms as doctor_lms
from lms_bot.lms.inspection import Server
from lms_bot.lms.schemas import CLASSIC
from tests.bot_process import BOTH
from tests.doctor_scenario import POSTGRESQL, change_lms, examine, levels, well
from tests.shell import DONE, FAILED, Shell, shell

__all__ = ["shell", "well"]


# The LMS


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


@BOTH
def test_what_is_not_there_for_presence_and_alerts_is_named(well: Shell) -> None:
    assert "exams.duration" not in examine(well)["lms extras"][1]
    change_lms(
        well, "ALTER TABLE exams RENAME COLUMN duration TO takes", "ALTER TABLE student_activity_dates RENAME TO gone"
    )
    level, message, _ = examine(well)["lms extras"]
    assert level == "ok"
    assert "without student_activity_dates.activity_date, exams.duration, which" in message


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
def test_times_without_a_zone_are_named_with_the_zone_they_are_read_in(well: Shell) -> None:
    assert examine(well)["lms times"][1] == "every time has its zone"
    change_lms(well, "ALTER TABLE attempts ALTER COLUMN date TYPE timestamp")
    level, message, _ = examine(well, settings="timezone = Asia/Tashkent")["lms times"]
    assert level == "ok"
    assert message == "attempts.date have no zone, and are read as times in Asia/Tashkent"


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
    (before,) = doctor_lms.sweep(server(130_014), CLASSIC, {})
    (after,) = doctor_lms.sweep(server(140_000), CLASSIC, {})
    assert "PostgreSQL 14" in before.message
    assert "transaction ids" in after.message


def test_a_hot_standby_is_a_warning_and_read_in_clock_mode() -> None:
    (found,) = doctor_lms.sweep(replace(server(180_001), is_standby=True), CLASSIC, {})
    assert found.level is Level.WARNING
    assert "hot standby" in found.message
    assert "clock mode" in found.message
    assert "primary" in found.advice


def test_a_server_without_a_limit_for_statements_is_a_warning() -> None:
    (found,) = doctor_lms.limit(replace(server(0), product="MySQL 5.6.51"))
    assert found.level is Level.WARNING
    assert "MySQL 5.7.8" in found.advice
    assert list(doctor_lms.limit(replace(server(0), product="SQLite 3.45.1"))) == []


def server(version: int) -> Server:
    return Server(f"PostgreSQL {version // 10_000}", version, "reader", True, False, (), timedelta())


@pytest.mark.parametrize(("seconds", "level"), [(0, "ok"), (-29, "ok"), (31, "warning"), (-86_400, "warning")])
def test_a_wrong_clock_is_a_warning(seconds: int, level: str) -> None:
    (found,) = doctor_lms.clock("lms clock", "the LMS", timedelta(seconds=seconds))
    assert found.level == level
    assert ("behind" in found.message) == (level == "warning" and seconds < 0)
