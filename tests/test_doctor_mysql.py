"""The doctor finds what is wrong with an LMS in MySQL or MariaDB."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.doctor_scenario import examine, levels, pin
from tests.mariadb import PASSWORD, MariaLms
from tests.shell import DONE, FAILED, Shell, shell

__all__ = ["shell"]

pytestmark = pytest.mark.services

READ = (
    *("attempts", "content_attempts", "students", "mentors", "_MentorToStudent"),
    *("exams", "courses", "chapters", "ChapterContent", "student_activity_dates"),
    *("user_videos", "videos", "certifications"),
)


@pytest.fixture
def well(shell: Shell, maria_lms: MariaLms) -> Shell:
    """A school in which everything is as it should be, now that its LMS has moved to MariaDB."""
    shell.counts("--once")
    pin(shell)
    shell.lms_url = maria_lms.reader(*(f"SELECT ON {table}" for table in READ))
    return shell


def test_all_is_well(well: Shell) -> None:
    found = examine(well)
    assert levels(found) == {}
    told = {check: message for check, (_, message, _) in found.items()}
    assert told["lms"].startswith("answers: MariaDB 1")
    assert told["lms writes"] == "our connection refuses to write"
    assert told["lms role"].endswith("can write to no table")
    assert told["lms limit"] == "the server ends a statement of ours after 30 s"
    assert told["lms tables"] == "12 of 12 tables are as expected"
    assert told["lms indexes"] == "every row is found by its id"
    assert told["lms network"] == "does not leave this machine"
    assert "clock mode" in told["lms sweep"]
    assert "longest_transaction" in told["lms sweep"]
    assert "agrees" in told["lms clock"]
    assert "students" in told["lms people"]


def test_times_without_a_zone_are_named_and_timestamps_have_one(well: Shell, maria_lms: MariaLms) -> None:
    level, message, _ = examine(well, settings="timezone = Asia/Tashkent")["lms times"]
    assert level == "ok"
    assert message == ("attempts.date, attempts.last_started_time have no zone, and are read as times in Asia/Tashkent")
    maria_lms.execute("ALTER TABLE attempts MODIFY date text, MODIFY last_started_time text")
    assert examine(well)["lms times"][1] == "every time has its zone"


def test_a_role_that_could_write_is_a_warning_with_its_remedy(well: Shell, maria_lms: MariaLms) -> None:
    well.lms_url = maria_lms.reader("SELECT ON *.*", "UPDATE (score) ON attempts", "DELETE ON students")
    level, message, advice = examine(well)["lms role"]
    assert level == "warning"
    assert "attempts, students" in message
    assert "mysql-lms-role.sql" in advice


def test_a_superuser_is_a_warning(well: Shell, maria_lms: MariaLms) -> None:
    well.lms_url = maria_lms.reader("ALL ON *.*")
    found = examine(well)
    assert levels(found) == {"lms role": "warning"}
    assert "superuser" in found["lms role"][1]
    assert found["lms writes"][0] == "ok"


def test_a_table_or_column_that_is_not_shown_to_us_fails(well: Shell, maria_lms: MariaLms) -> None:
    granted = [f"SELECT ON {table}" for table in READ if table not in ("students", "mentors")]
    well.lms_url = maria_lms.reader(*granted, "SELECT (id, username) ON students")
    told = well.run("doctor", code=FAILED).stdout
    assert "mentors is not there, or not for us" in told
    assert "students has no column email" in told
    assert "or not for us -> is this the right database? deploy/mysql-lms-role.sql" in told


@pytest.mark.parametrize(
    ("declared", "level"),
    [("varchar(20)", "failed"), ("decimal(10)", "failed"), ("bigint(10) unsigned", "ok"), ("mediumint(9)", "ok")],
)
def test_ids_must_be_integers(well: Shell, maria_lms: MariaLms, declared: str, level: str) -> None:
    maria_lms.execute(f"ALTER TABLE attempts MODIFY exam_id {declared}")
    assert examine(well, FAILED if level == "failed" else DONE)["lms tables"][0] == level


def test_a_missing_index_is_a_warning_with_its_remedy(well: Shell, maria_lms: MariaLms) -> None:
    maria_lms.execute("ALTER TABLE content_attempts DROP PRIMARY KEY")
    level, message, advice = examine(well)["lms indexes"]
    assert level == "warning"
    assert "content_attempts" in message
    maria_lms.execute(advice.partition("run: ")[2])
    assert examine(well)["lms indexes"][0] == "ok"


def test_a_server_that_cannot_be_reached_fails_without_its_password(well: Shell) -> None:
    well.lms_url = sa.make_url(well.lms_url).set(port=1).render_as_string(hide_password=False)
    done = well.run("doctor", code=FAILED)
    assert "cannot be reached: Can't connect to MySQL server on '127.0.0.1'" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
