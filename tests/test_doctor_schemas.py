"""The doctor examines a Moodle as its login sees it, and recognises an LMS that settings call by another name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.databases import on_server
from tests.declared_tables import add_rows, execute, make_tables
from tests.doctor_scenario import examine, levels, pin
from tests.roles import READER, grant_on_postgresql
from tests.shell import FAILED, Shell, shell

__all__ = ["shell"]

MOODLE = "lms_schema = moodle"
JANE, COURSE, QUIZ, MARY = 1, 5, 7, 11
SITE: dict[str, list[dict[str, Any]]] = {
    "mdl_user": [
        {"id": JANE, "username": "jane_smith", "email": "jane@example.org", "deleted": 0, "suspended": 0},
        {"id": MARY, "username": "mary", "email": "mary@example.org", "deleted": 0, "suspended": 0},
    ],
    "mdl_course": [{"id": COURSE, "fullname": "Algebra"}],
    "mdl_enrol": [{"id": 1, "courseid": COURSE, "status": 0}],
    "mdl_user_enrolments": [
        {"id": 1, "enrolid": 1, "userid": JANE, "status": 0, "timestart": 0, "timeend": 0, "timecreated": 1}
    ],
    "mdl_role": [{"id": 1, "archetype": "student"}, {"id": 2, "archetype": ""}],
    "mdl_context": [
        {"id": 1, "contextlevel": 50, "instanceid": COURSE},
        {"id": 2, "contextlevel": 30, "instanceid": JANE},
    ],
    "mdl_role_assignments": [
        {"id": 1, "roleid": 1, "contextid": 1, "userid": JANE},
        {"id": 2, "roleid": 2, "contextid": 2, "userid": MARY},
    ],
    "mdl_modules": [{"id": 1, "name": "quiz"}],
    "mdl_quiz": [{"id": QUIZ, "course": COURSE, "name": "Equations", "sumgrades": 10, "grade": 10}],
    "mdl_course_modules": [{"id": 70, "course": COURSE, "module": 1, "instance": QUIZ, "section": 1, "visible": 1}],
}


class Moodle:
    """A Moodle on PostgreSQL in which Mary mentors Jane, and the bot with the login of deploy/."""

    def __init__(self, shell: Shell, owner: str) -> None:
        self.shell = shell
        self.owner = owner
        shell.lms_url = sa.make_url(owner).set(username=READER).render_as_string(hide_password=False)

    def change(self, *statements: str) -> None:
        execute(self.owner, *statements)

    def examine(self, code: int = 0, settings: str = MOODLE) -> dict[str, tuple[str, str, str]]:
        return examine(self.shell, code, settings=settings)


@pytest.fixture
def moodle(shell: Shell, postgresql_server: str) -> Iterator[Moodle]:
    with on_server(postgresql_server) as url:
        make_tables(url, "moodle")
        add_rows(url, **SITE)
        grant_on_postgresql(url, "moodle")
        site = Moodle(shell, url)
        pin(shell)
        shell.counts("--once", settings=MOODLE)
        yield site
        execute(url, f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


def test_the_bot_works_in_a_moodle_with_its_login_and_the_doctor_is_content(moodle: Moodle) -> None:
    now = int(time.time())
    attempt = {"id": 1, "quiz": QUIZ, "userid": JANE, "preview": 0, "state": "finished"}
    marks = {"timestart": now - 60, "timefinish": now, "sumgrades": 8}
    add_rows(moodle.owner, mdl_quiz_attempts=[attempt | marks])
    assert moodle.shell.counts("--once", settings=MOODLE)["delivered"] == 1
    (text,) = moodle.shell.told(moodle.shell.people.mary)
    assert "Equations" in text
    found = moodle.examine()
    assert levels(found) == {}
    assert "transaction ids" in found["lms sweep"][1]
    assert found["lms links"][1] == "who mentors whom is taken from: role, group"
    assert found["lms people"][1] == "1 students, 1 mentors, 1 links"
    chosen = moodle.examine(settings=f"{MOODLE}\nlms_mentors = role")
    assert chosen["lms links"][1] == "who mentors whom is taken from: role"


def test_what_a_moodle_does_not_have_installed_is_named_at_most(moodle: Moodle) -> None:
    moodle.change("DROP TABLE mdl_badge_issued, mdl_badge, mdl_page, mdl_bigbluebuttonbn")
    found = moodle.examine()
    assert levels(found) == {}
    assert found["lms sources"][1].endswith(
        "are read; badge_issued left out, which this LMS does not have, or not for us"
    )


@pytest.mark.parametrize("right", ["SELECT (courseid) ON mdl_badge", "SELECT ON mdl_badge_issued"])
def test_a_source_that_is_there_but_not_ours_to_read_is_a_warning(moodle: Moodle, right: str) -> None:
    moodle.change(f"REVOKE {right} FROM {READER}")
    found = moodle.examine()
    assert levels(found) == {"lms sources": "warning"}
    assert found["lms sources"][1].startswith("badge_issued is left out")
    assert "deploy/postgresql-moodle-role.sql" in found["lms sources"][2]


def test_titles_of_which_none_are_there_are_a_warning(moodle: Moodle) -> None:
    moodle.change("DROP TABLE mdl_course")
    found = moodle.examine()
    assert levels(found) == {"lms tables": "warning"}
    assert "not there, or not for us: mdl_course; titles" in found["lms tables"][1]


def test_of_all_titles_that_are_missing_there_is_one_warning(moodle: Moodle) -> None:
    moodle.change("DROP TABLE mdl_course")
    moodle.change("DROP TABLE mdl_course_sections")
    found = moodle.examine()
    assert levels(found) == {"lms tables": "warning"}
    assert "mdl_course, mdl_course_sections" in found["lms tables"][1]
    assert "deploy/postgresql-moodle-role.sql" in found["lms tables"][2]


def test_what_a_moodle_shows_us_less_is_named(moodle: Moodle) -> None:
    moodle.change(
        f"REVOKE SELECT ON mdl_user_lastaccess, mdl_user_enrolments FROM {READER}",
        f"GRANT SELECT (userid, enrolid, status, timestart, timeend, timecreated) ON mdl_user_enrolments TO {READER}",
        "ALTER TABLE mdl_quiz DROP COLUMN timelimit",
    )
    found = moodle.examine()
    assert levels(found) == {}
    assert "without mdl_user_lastaccess.timeaccess, mdl_quiz.timelimit, which" in found["lms extras"][1]


def test_a_watched_table_of_which_we_may_read_columns_only_is_a_warning(moodle: Moodle) -> None:
    read = "id, userid, course, timecompleted"
    moodle.change(
        f"REVOKE SELECT ON mdl_course_completions FROM {READER}",
        f"GRANT SELECT ({read}) ON mdl_course_completions TO {READER}",
    )
    found = moodle.examine()
    assert levels(found) == {"lms sweep": "warning"}
    _, message, advice = found["lms sweep"]
    assert message.startswith("of mdl_course_completions we may read columns only: changes are found in clock mode")
    assert "deploy/postgresql-moodle-role.sql" in advice


@pytest.mark.parametrize(
    ("settings", "says", "advice"),
    [
        ("", "tables of moodle", "set lms_schema = moodle"),
        (
            "lms_table_prefix = m_",
            "tables of moodle with the prefix mdl_",
            "set lms_schema = moodle and lms_table_prefix = mdl_",
        ),
        (f"{MOODLE}\nlms_table_prefix = m_", "tables of moodle with the prefix mdl_", "set lms_table_prefix = mdl_"),
        (f"{MOODLE}\nlms_table_prefix = none", "tables of moodle with the prefix mdl_", "set lms_table_prefix = mdl_"),
    ],
)
def test_a_moodle_that_settings_call_otherwise_is_recognised(
    moodle: Moodle, settings: str, says: str, advice: str
) -> None:
    found = moodle.examine(FAILED, settings)
    level, message, told = found["lms tables"]
    assert level == "failed"
    assert message.endswith(f"these look like the {says}")
    assert told == advice


def test_a_table_of_links_that_is_not_ours_to_read_is_named(moodle: Moodle) -> None:
    moodle.change("CREATE TABLE mentor_students (mentor_id bigint, student_id bigint)")
    found = moodle.examine(FAILED, f"{MOODLE}\nlms_mentors = role, table:mentor_students")
    _, message, advice = found["lms tables"]
    assert message == "mentor_students: we may not read mentor_id, student_id"
    assert advice == "grant SELECT on mentor_students, which lms_mentors names"


# Other declarations, in SQLite


@pytest.mark.parametrize(
    ("name", "prefix", "settings", "says", "advice"),
    [
        ("moodle", "m_", MOODLE, "moodle with the prefix m_", "lms_table_prefix = m_"),
        ("moodle", "", MOODLE, "moodle without a prefix", "lms_table_prefix = none"),
        ("moodle", "m_", "", "moodle with the prefix m_", "lms_schema = moodle and lms_table_prefix = m_"),
        ("lessons", None, "", "lessons", "lms_schema = lessons"),
        ("lessons", "app_", "", "lessons with the prefix app_", "lms_schema = lessons and lms_table_prefix = app_"),
        ("classic", None, MOODLE, "classic", "lms_schema = classic"),
        ("classic", "old_", "", "classic with the prefix old_", "lms_table_prefix = old_"),
    ],
)
def test_tables_are_recognised(
    shell: Shell, name: str, prefix: str | None, settings: str, says: str, advice: str
) -> None:
    shell.lms_url = f"sqlite:///{shell.folder}/another.db"
    make_tables(shell.lms_url, name, prefix)
    found = examine(shell, FAILED, settings=settings)
    assert found["lms tables"][1].endswith(f"is there, or none for us: these look like the tables of {says}")
    assert found["lms tables"][2] == f"set {advice}"


def test_tables_of_nobody_are_not_recognised(shell: Shell) -> None:
    shell.lms_url = f"sqlite:///{shell.folder}/another.db"
    execute(shell.lms_url, "CREATE TABLE mdl_quiz_attempts (id int)", "CREATE TABLE assign_submission (id int)")
    found = examine(shell, FAILED, settings=MOODLE.replace("moodle", "classic"))
    assert found["lms tables"][1] == "none of the tables of classic is there, or none for us"
    assert found["lms tables"][2] == "is this the right database? lms_database_url names it"
