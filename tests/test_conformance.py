"""The conformance kit finds where a declaration and its database do not fit, and nothing where they do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.events import EventType
from lms_bot.core.reports.findings import Finding, Level
from lms_bot.db.engine import lms_engine
from lms_bot.lms import conformance
from lms_bot.lms.conformance import plans
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.links import LinkFiles, choose_links
from lms_bot.lms.schemas import classic, lessons, moodle, moodle_academics
from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import Schema, columns_of
from tests.bot_process import BOTH
from tests.doctor_scenario import POSTGRESQL, change_lms, log_in
from tests.lms_rows import DAY, JANE, NOW, QUIZ_CONTENT, LmsRows
from tests.mariadb import MariaLms, maria_lms, mariadb
from tests.shell import FAILED, Shell, shell

__all__ = ["maria_lms", "mariadb", "shell"]

CLASSIC = classic.declare()
WITHOUT_REFERENCES = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT conrelid\\:\\:regclass AS of_table, conname FROM pg_constraint WHERE contype = 'f' LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of_table, one.conname);
  END LOOP;
END $$
"""
Found = list[Finding]


def examine(url: str, schema: Schema = CLASSIC, *without: str) -> Found:
    """All findings about a declaration and a database, without those of some checks."""
    installation = Installation(lms_engine(url), schema, LinkFiles([]), UTC, 10_000, timedelta(minutes=15))
    checks = conformance.checks(installation, NOW)
    found = [finding for name, look in checks if name not in without for finding in look()]
    installation.engine.dispose()
    assert all(bool(one.advice) == (one.level is not Level.OK) for one in found), "a finding says what to do"
    return found


def worse(found: Found, what: str = "") -> list[tuple[str, str]]:
    """What is not well: level and message."""
    return [(f.level.value, f.message) for f in found if f.level is not Level.OK and what in f.check]


def told(found: Found, what: str) -> str:
    """All that is said of one thing."""
    return "\n".join(finding.message for finding in found if finding.check == what)


def with_source(schema: Schema, of_name: str, /, **changes: Any) -> Schema:
    """The declaration with a source that is declared otherwise."""
    sources = tuple(replace(one, **changes) if one.name == of_name else one for one in schema.sources)
    return replace(schema, sources=sources)


@pytest.fixture
def rows(lms_url: str) -> LmsRows:
    """The classic LMS without references, in which all have mentors, and Jane has begun two exams and passed one."""
    lms = LmsRows(lms_url)
    if lms_url.startswith("postgresql"):
        lms.run(WITHOUT_REFERENCES)
    linked = 'SELECT "B" FROM "_MentorToStudent"'
    lms.run(f'INSERT INTO "_MentorToStudent" ("A", "B") SELECT 1, id FROM students WHERE id NOT IN ({linked})')
    for attempt_id in (1, 2):
        lms.insert_attempt(attempt_id, date=NOW - DAY)
    lms.insert_finished(3, 3)
    return lms


# All is well


def test_nothing_is_wrong_with_the_classic_lms(rows: LmsRows) -> None:
    found = examine(rows.url)
    assert worse(found) == []
    assert told(found, "schema states").startswith("attempts: started 2, completed 1\n")
    assert "the newest 3 rows have students, titles and times" in told(found, "schema rows")
    is_sqlite = rows.url.startswith("sqlite")
    assert ("SQLite has one writer" if is_sqlite else "by transaction ids") in told(found, "schema mode")


def test_it_writes_nothing_and_reads_no_more_than_the_newest_rows(rows: LmsRows) -> None:
    rows.insert_finished(10, 9_999)
    rows.insert_attempt(5, state="of old")
    found = examine(rows.url)
    assert worse(found) == []
    assert "attempts: completed 3000" in told(found, "schema states")
    assert rows.value("SELECT count(*) FROM attempts") == 9_994


# It reads what it says


@pytest.mark.parametrize(
    ("change", "level", "message"),
    [
        (
            "ALTER TABLE content_attempts RENAME TO gone",
            "failed",
            "the source content_attempts cannot be read: no table",
        ),
        (
            "ALTER TABLE attempts RENAME speed TO pace",
            "failed",
            "the source attempts cannot be read: no column attempts.sp",
        ),
        ("ALTER TABLE mentors RENAME email TO address", "failed", "mentors cannot be read: no column mentors.email"),
        ("ALTER TABLE courses RENAME TO gone", "warning", "the catalogue 'courses' has no texts: no table courses"),
        ("ALTER TABLE certifications RENAME TO gone", "ok", "the source certifications: done without what is optional"),
        ("ALTER TABLE exams RENAME duration TO takes", "ok", "durations of exams: done without what is optional"),
        ("ALTER TABLE student_activity_dates RENAME TO gone", "ok", "days of presence: done without what is optional"),
    ],
)
def test_what_is_missing_is_named_as_badly_as_it_is_needed(
    rows: LmsRows, change: str, level: str, message: str
) -> None:
    rows.run(change)
    said = [(one.level, one.message) for one in examine(rows.url, CLASSIC, "schema people")]
    assert [of for of, text in said if text.startswith(message)] == [level]


def test_a_query_that_the_server_refuses_is_named(rows: LmsRows) -> None:
    exams = Tables(classic._TABLES).exams.c
    catalogue = {**CLASSIC.catalogue, "exams": (sa.select(exams.id, sa.func.no_such_function(exams.title)),)}
    found = examine(rows.url, replace(CLASSIC, catalogue=catalogue), "schema rows")
    ((level, message),) = worse(found)
    assert level == "failed"
    assert message.startswith("the catalogue 'exams' cannot be read: ")
    assert "no_such_function" in message


# States


def test_unknown_states_and_results_are_counted(rows: LmsRows) -> None:
    for attempt_id, state in ((11, "expired"), (12, "expired"), (13, "x" * 60), (14, None)):
        rows.insert_attempt(attempt_id, state=state, date=NOW - DAY)
    for attempt_id, result in ((15, "absent"), (16, " PASSED "), (17, None)):
        rows.insert_attempt(attempt_id, state="Finished", result=result, date=NOW - DAY)
    assert worse(examine(rows.url)) == [
        ("warning", f"attempts: unknown states expired 2, (none) 1, {'x' * 40}… 1"),
        ("warning", "attempts: unknown results absent 1"),
    ]


def test_states_of_which_none_is_known_fail(rows: LmsRows) -> None:
    broken = with_source(CLASSIC, "attempts", states={"begun": EventType.EXAM_STARTED})
    assert worse(examine(rows.url, broken)) == [("failed", "attempts: unknown states started 2, completed 1")]


# Rows


def test_rows_that_make_no_sense_are_counted(rows: LmsRows) -> None:
    rows.insert_attempt(11, user_id=999_999, username=None, date=NOW - DAY)
    rows.insert_attempt(12, user_id=None, username="jane_smith", date=NOW - DAY)
    rows.insert_attempt(13, exam_id=999_999, date=NOW - DAY)
    rows.insert_attempt(14, date=None)
    rows.insert_attempt(15, date=NOW + DAY)
    rows.insert_attempt(16, percentage=140, date=NOW - DAY)
    rows.insert_attempt(17, percentage=-3, date=NOW - DAY)
    assert worse(examine(rows.url)) == [
        ("warning", "attempts: 1 of the newest 10 rows have a student who is not read"),
        ("warning", "attempts: 1 of the newest 10 rows have no title"),
        ("warning", "attempts: 1 of the newest 10 rows have no time"),
        ("warning", "attempts: 1 of the newest 10 rows have a time in the future"),
        ("warning", "attempts: 2 of 3 percentages are none from 0 to 100"),
    ]


def test_a_wrong_column_of_students_fails(rows: LmsRows) -> None:
    broken = with_source(CLASSIC, "attempts", student="exam_id")
    assert ("failed", "attempts: 3 of the newest 3 rows have a student who is not read") in worse(
        examine(rows.url, broken)
    )


def test_rows_that_cannot_be_computed_are_named(rows: LmsRows) -> None:
    facts = {"pace": sa.func.no_such_function(CLASSIC.source("attempts").table.c.speed)}
    broken = with_source(CLASSIC, "attempts", facts=facts)
    ((level, message),) = worse(examine(rows.url, broken, "schema polls"), "schema rows")
    assert level == "failed"
    assert message.startswith("attempts: the newest rows cannot be read: ")
    assert "no_such_function" in message


def test_mirrors_that_find_no_row_are_counted(rows: LmsRows) -> None:
    about_exam = {"content_type": "exam", "created": NOW - DAY}
    rows.insert_content_attempt(1, assessment_id=3, chapter_content_id=QUIZ_CONTENT, **about_exam)
    rows.insert_content_attempt(2, assessment_id=None, chapter_content_id=QUIZ_CONTENT, **about_exam)
    found = examine(rows.url)
    assert worse(found) == []
    assert "2 rows mirror rows that are there" in told(found, "schema mirrors")
    rows.insert_content_attempt(3, assessment_id=999, chapter_content_id=QUIZ_CONTENT, **about_exam)
    rows.insert_content_attempt(4, assessment_id=None, **about_exam)
    assert worse(examine(rows.url)) == [("warning", "content_attempts: 2 of 4 rows that mirror another find none")]


# Nothing is doubled


def test_a_join_that_doubles_rows_fails(rows: LmsRows) -> None:
    t = Tables(classic._TABLES)
    joins: Any = {t.ChapterContent: t.ChapterContent.c.course_id > t.attempts.c.id - t.attempts.c.id}
    source = replace(classic._attempts(t), joins=joins)
    broken = replace(CLASSIC, sources=(source, *CLASSIC.sources[1:]))
    assert ("failed", "attempts: 3 of 3 keys are read several times") in worse(examine(rows.url, broken))


def test_a_declaration_with_faults_is_compared_with_no_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    sources = (
        *CLASSIC.sources[:2],
        replace(CLASSIC.source("user_videos"), name="attempts", letter="c", progress="seen"),
    )
    found = examine(f"sqlite:///{tmp_path / 'empty.db'}", replace(CLASSIC, sources=sources))
    assert worse(found) == [
        ("failed", "two sources are named attempts"),
        ("failed", "two sources have the letter 'c'"),
        ("failed", "source attempts: there is no column seen"),
        ("failed", "items name no source user_videos"),
    ]
    assert [finding.check for finding in found] == ["lms", "schema", "schema", "schema", "schema"]


# People


def test_people_who_do_not_fit_together_are_counted_without_names(rows: LmsRows) -> None:
    rows.run("UPDATE mentors SET email = ' ' WHERE id = 1")
    rows.run("UPDATE mentors SET email = 'Both@school.example' WHERE id = 2")
    rows.run("UPDATE mentors SET email = 'both@School.example ' WHERE id = 3")
    people = replace(CLASSIC.people, links={"links": CLASSIC.people.links["links"], "strange": _strange_links()})
    found = examine(rows.url, replace(CLASSIC, people=people))
    (counts,) = (one.message for one in found if one.check == "schema people" and one.level is Level.OK)
    links = int(counts.split(", ")[-1].split()[0])
    assert worse(found) == [
        ("warning", f"1 of {links} links have a mentor who is not read"),
        ("warning", f"2 of {links} links have a student who is not read"),
        ("warning", "1 of 3 mentors have no e-mail address"),
        ("warning", "1 e-mail addresses belong to several mentors"),
    ]


def _strange_links() -> Any:
    pairs = sa.union(sa.select(sa.literal(1), sa.literal(777)), sa.select(sa.literal(888), sa.literal(778))).subquery()
    return sa.select(*pairs.c)


def test_students_without_a_mentor_are_counted(rows: LmsRows) -> None:
    rows.insert_crowd(3)
    ((level, message),) = worse(examine(rows.url))
    assert level == "warning"
    assert message.startswith("3 of ")
    assert message.endswith(" active students have no mentor")


def test_nobody_linked_fails(rows: LmsRows) -> None:
    rows.run('DELETE FROM "_MentorToStudent"')
    ((level, message),) = worse(examine(rows.url))
    assert level == "failed"
    assert message.endswith(" mentors, 0 links")


def test_people_who_are_read_several_times_fail(rows: LmsRows) -> None:
    t = Tables(classic._TABLES)
    people = classic._people(t)
    students = people.students.join(t.exams, t.exams.c.id > 0)
    found = examine(rows.url, replace(CLASSIC, people=replace(people, students=students)))
    assert [(level, message.partition(" ")[2]) for level, message in worse(found, "people")] == [
        ("failed", "ids are read for several students")
    ]


# What a poll reads

MANY = 6_000


def fill(rows: LmsRows) -> None:
    """Give a table more rows than may be read in every poll."""
    rows.insert_finished(100, 100 + MANY)


def test_a_watched_table_without_an_index_is_named(rows: LmsRows) -> None:
    fill(rows)
    assert worse(examine(rows.url), "polls") == []
    rows.run("ALTER TABLE attempts RENAME TO old")
    rows.run("CREATE TABLE attempts AS SELECT * FROM old")
    found = [one for one in examine(rows.url) if one.check == "schema polls" and one.level is Level.WARNING]
    by_blocks = "" if rows.url.startswith("postgresql") else ", the sweep"
    first = f"attempts: all of attempts, over 5,000 rows, is read for new rows, open rows{by_blocks}"
    assert found[0].message == first
    assert {one.message.split(":")[0] for one in found[1:]} <= {"subject_stats", "difficulty_level_stats"}
    assert {one.advice for one in found} == {"have the LMS make an index on attempts (id)"}


@pytest.mark.parametrize("alias", [False, True])
def test_a_joined_table_without_an_index_is_named(rows: LmsRows, alias: bool) -> None:
    rows.run("CREATE TABLE marks (attempt_id integer, mark integer)")
    rows.run(f"INSERT INTO marks SELECT s.id, 1 FROM ({rows._series(1, MANY)}) AS s")
    table = Tables("marks attempt_id mark:number").marks
    joined: Any = table.alias("of_attempt") if alias else table
    source = CLASSIC.source("attempts")
    joins = {joined: joined.c.attempt_id == source.table.c.id}
    wide = with_source(CLASSIC, "attempts", joins=joins, facts={**source.facts, "mark": joined.c.mark})
    (finding,) = (one for one in examine(rows.url, wide) if one.check == "schema polls" and one.level is Level.WARNING)
    assert "all of marks, over 5,000 rows, is read for new rows, open rows, the sweep" in finding.message
    assert finding.advice == "have the LMS make an index on marks (attempt_id)"
    rows.run("CREATE INDEX of_attempts ON marks (attempt_id)")
    assert worse(examine(rows.url, wide)) == []


def test_a_small_table_may_be_read_as_a_whole(rows: LmsRows) -> None:
    rows.run("ALTER TABLE attempts RENAME TO old")
    rows.run("CREATE TABLE attempts AS SELECT * FROM old")
    assert worse(examine(rows.url), "polls") == []


def test_plans_of_mysql_are_understood() -> None:
    scan = {"table_name": "quiz", "access_type": "ALL", "rows": 9_000}
    by_key = {"table_name": "attempts", "access_type": "range", "possible_keys": ["PRIMARY"], "key": "PRIMARY"}
    chosen = {"table_name": "people", "access_type": "ALL", "possible_keys": ["PRIMARY"]}
    nested = {
        "query_block": {"nested_loop": [{"table": by_key}, {"block-nl-join": {"table": scan}}, {"table": chosen}]}
    }
    assert list(plans.in_plan(nested)) == ["quiz"]


@pytest.mark.services
def test_an_lms_in_mariadb_is_examined(maria_lms: MariaLms) -> None:
    url = maria_lms.reader(f"SELECT ON {maria_lms.database}.*")
    found = examine(url)
    assert worse(found, "schema reads") == worse(found, "polls") == []
    assert "this server does not tell which transactions are open" in told(found, "schema mode")
    maria_lms.execute(
        "CREATE TABLE marks (attempt_id bigint, mark bigint)",
        f"INSERT INTO marks SELECT seq, 1 FROM seq_1_to_{MANY}",
        f"INSERT INTO attempts (id, user_id, exam_id, state) SELECT seq, {JANE}, 501, 'started' FROM seq_1_to_{MANY}",
    )
    table, source = Tables("marks attempt_id mark:number").marks, CLASSIC.source("attempts")
    joins = {table: table.c.attempt_id == source.table.c.id}
    wide = with_source(CLASSIC, "attempts", joins=joins, facts={"mark": table.c.mark})
    ((level, message),) = worse(examine(url, wide), "polls")
    assert level == "warning"
    assert "all of marks, over 5,000 rows" in message


# How changes are found


@POSTGRESQL
@pytest.mark.parametrize(
    ("changes", "level", "why"),
    [
        ((), "ok", "found by transaction ids"),
        (
            ("ALTER TABLE attempts RENAME TO old", "CREATE VIEW attempts AS SELECT * FROM old"),
            "ok",
            "changes in attempts are found by the clock and slices of primary keys: it is a view",
        ),
        (
            ("REVOKE SELECT ON attempts FROM reader", "GRANT SELECT ({columns}) ON attempts TO reader"),
            "warning",
            "changes in attempts are found by the clock and slices of primary keys: our login may read columns of it",
        ),
    ],
)
def test_how_changes_are_found_is_said_with_the_reason(
    shell: Shell, changes: Sequence[str], level: str, why: str
) -> None:
    columns = ", ".join(f'"{column.name}"' for column in CLASSIC.source("attempts").table.c)
    log_in(shell, "reader", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    role = sa.make_url(shell.lms_url).username or ""
    change_lms(shell, *(change.format(columns=columns).replace("reader", role) for change in changes))
    change_lms(shell, *([f"GRANT SELECT ON attempts TO {role}"] if "VIEW" in str(changes) else []))
    said = [(one.level.value, one.message) for one in examine(shell.lms_url) if one.check == "schema mode"]
    assert [of for of, message in said if why in message] == [level]


# Other declarations


def make(tmp_path: Path, schema: Schema, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The URL of an LMS with the tables of a declaration, and these rows."""
    url = f"sqlite:///{tmp_path / 'lms.db'}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    tables = {column.table for column in schema.wanted().union(*map(columns_of, schema.extras))}
    with engine.begin() as connection:
        for table in tables:
            assert isinstance(table, sa.Table)
            table.create(connection)
            if table.name in rows:
                connection.execute(table.insert(), rows[table.name])
    return url


AT = int((NOW - DAY).timestamp())
MOODLE: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "mdl_user": [
        {"id": one, "username": name, "email": f"{name}@school.example", "deleted": 0, "suspended": 0}
        for one, name in ((1, "jane"), (2, "mary"))
    ],
    "mdl_course": [{"id": 9, "fullname": "Algebra", "visible": 1}],
    "mdl_quiz": [{"id": 3, "course": 9, "name": "Entrance test", "sumgrades": 10, "grade": 100, "timeclose": 0}],
    "mdl_modules": [{"id": 1, "name": "quiz"}],
    "mdl_course_modules": [{"id": 4, "course": 9, "module": 1, "instance": 3, "visible": 1}],
    "mdl_enrol": [{"id": 7, "courseid": 9, "status": 0}],
    "mdl_user_enrolments": [
        {"id": 1, "enrolid": 7, "userid": 1, "status": 0, "timestart": 0, "timeend": 0, "timecreated": 1}
    ],
    "mdl_role": [{"id": 5, "archetype": "student"}],
    "mdl_context": [
        {"id": 50, "contextlevel": moodle_academics.COURSE, "instanceid": 9},
        {"id": 30, "contextlevel": moodle.USER, "instanceid": 1},
    ],
    "mdl_role_assignments": [
        {"id": 1, "roleid": 5, "contextid": 50, "userid": 1},
        {"id": 2, "roleid": 6, "contextid": 30, "userid": 2},
    ],
    "mdl_quiz_attempts": [
        {
            "id": 1,
            "quiz": 3,
            "userid": 1,
            "preview": 0,
            "state": "finished",
            "timestart": AT,
            "timefinish": AT + 60,
            "sumgrades": 8,
        }
    ],
}


def test_a_moodle_is_as_it_is_declared_until_it_is_not(tmp_path: Path) -> None:
    schema = moodle.declare()
    url = make(tmp_path, schema, MOODLE)
    found = examine(url, schema)
    assert worse(found) == []
    assert "1 students, 1 mentors, 1 links" in told(found, "schema people")
    assert "quiz_attempts: finished 1" in told(found, "schema states")
    rows = LmsRows(url)
    rows.run("UPDATE mdl_quiz_attempts SET state = 'lost'")
    rows.run("DROP TABLE mdl_bigbluebuttonbn")
    found = examine(url, schema)
    assert worse(found) == [("failed", "quiz_attempts: unknown states lost 1")]
    assert "no table mdl_bigbluebuttonbn" in told(found, "schema reads")


def test_lessons_have_mentors_by_a_table_that_settings_name(tmp_path: Path) -> None:
    schema, _ = choose_links(lessons.declare(), ["table:mentoring"])
    at = (NOW - DAY).isoformat()
    staff = {"email": "", "is_superuser": 0, "is_active": 1}
    lesson = {"id": 1, "user_id": 1, "lesson_id": 2, "completed": 0, "started_at": at}
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = {
        "auth_user": [
            {"id": 1, "username": "jane", "is_staff": 0, **staff},
            {"id": 2, "username": "mary", "is_staff": 1, **staff},
        ],
        "mentoring": [{"mentor_id": 2, "student_id": 1}],
        "myApp_lesson": [{"id": 2, "course_id": 3, "title": "Fractions"}],
        "myApp_userprogress": [{**lesson, "status": "in_progress", "video_watch_percentage": 140}],
    }
    found = examine(make(tmp_path, schema, rows), schema)
    assert worse(found) == [
        ("warning", "1 of 1 mentors have no e-mail address"),
        ("warning", "user_progress: 1 of 1 percentages are none from 0 to 100"),
    ]


# The command


@BOTH
def test_the_doctor_says_it_with_schema(shell: Shell) -> None:
    change_lms(shell, "ALTER TABLE attempts RENAME COLUMN speed TO pace")
    lines = shell.run("doctor", "--schema", code=FAILED).stdout.splitlines()
    (line,) = (one for one in lines if one.startswith("failed"))
    assert "schema reads" in line
    assert "no column attempts.speed -> grant SELECT" in line
    assert lines[-1].endswith(", 1 failed")
    told_as_json = json.loads(shell.run("doctor", "--schema", "--json", code=FAILED).stdout)
    assert len(told_as_json["findings"]) == len(lines) - 1
    change_lms(shell, "ALTER TABLE attempts RENAME COLUMN pace TO speed")
    assert "0 failed" in shell.run("doctor", "--schema").stdout
    assert not shell.zulip.calls


def test_an_lms_that_is_away_is_one_finding(shell: Shell) -> None:
    shell.lms_url = "postgresql://reader:s3cr3t@127.0.0.1:1/lms"
    told = shell.run("doctor", "--schema", code=FAILED).stdout
    assert told.startswith("failed   lms              cannot be reached: ")
    assert told.endswith("0 ok, 0 warning, 1 failed\n")
    assert "s3cr3t" not in told
