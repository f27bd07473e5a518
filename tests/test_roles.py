"""The logins of deploy/ may read what each LMS is declared to have, on each server, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.lms import Lms, schemas
from tests.databases import on_server
from tests.declared_tables import execute, make_tables, read_columns
from tests.lms_rows import NOW
from tests.mariadb import PASSWORD, MariaDb
from tests.roles import FILES, READER, grant_on_mariadb, grant_on_postgresql
from tests.shell import shell

__all__ = ["shell"]

LINKS = "mentor_students"
SCHEMAS = pytest.mark.parametrize("name", FILES)
OPTIONAL = {
    "classic": ("user_videos", "certifications", "videos", "student_activity_dates", "batches", "subject_stats"),
    "moodle": ("mdl_badge", "mdl_badge_issued", "mdl_page", "mdl_bigbluebuttonbn"),
    "lessons": ("core_dailyactivity",),
}


def of_everything(name: str, url: str, prefix: str = "of the schema") -> Lms:
    settings = {"LMS_DATABASE_URL": url, "LMS_SCHEMA": name, "LMS_TABLE_PREFIX": prefix}
    return Lms.of(load(None, settings | ({"LMS_MENTORS": f"table:{LINKS}"} if name == "lessons" else {})))


def read_everything(name: str, url: str, prefix: str = "of the schema") -> set[str]:
    """Read all that is ever read, and return the names of tables that are followed by transaction ids."""
    lms = of_everything(name, url, prefix)
    lms.read_people(NOW)
    lms.read_presence(0)
    lms.read_enrolment()
    lms.read_academics(NOW)
    assert lms.missing_extras() == lms.missing_academics() == []
    assert [watch.name for watch in lms.watched_details(NOW)] == [watch.name for watch in lms.schema.detail_watches]
    assert [watch.name for watch in lms.watched(NOW)] == [watch.name for watch in lms.schema.watches]
    watches = (*lms.watched(NOW), *lms.watched_details(NOW))
    cursors = [(watch, lms.changes.mark_baseline(watch, NOW)) for watch in watches]
    for watch, cursor in cursors:
        lms.changes.history(watch, cursor, NOW)
    lms.close()
    return {str(watch.table.name) for watch, cursor in cursors if cursor.baseline_snapshot}


# PostgreSQL


@pytest.fixture
def database(postgresql_server: str) -> Iterator[str]:
    """An empty database, in which the login of deploy/ may be made."""
    with on_server(postgresql_server) as url:
        yield url
        execute(url, f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


def as_reader(url: str) -> str:
    return sa.make_url(url).set(username=READER).render_as_string(hide_password=False)


def granted(url: str, view: str, columns: str) -> set[tuple[str, ...]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    query = f"SELECT {columns} FROM information_schema.{view} WHERE grantee LIKE '%lms_bot_reader%'"
    with engine.connect() as connection:
        return {tuple(map(str, row)) for row in connection.exec_driver_sql(query.replace("%", "%%"))}


def columns_granted(url: str) -> set[tuple[str, ...]]:
    rows = granted(url, "column_privileges", "table_name, column_name, privilege_type")
    assert {right for _, _, right in rows} == {"SELECT"}
    return {row[:2] for row in rows}


def tables_granted(url: str) -> set[str]:
    rows = granted(url, "table_privileges", "table_name, privilege_type")
    assert {right for _, right in rows} <= {"SELECT"}
    return {name for name, _ in rows}


def add_links(url: str, name: str, role: str) -> None:
    """Make the table of links that the lessons LMS has not, and grant it as the end of its file says."""
    if name == "lessons":
        execute(
            url,
            f"CREATE TABLE {LINKS} (mentor_id bigint, student_id bigint, secret bigint)",
            f"GRANT SELECT (mentor_id, student_id) ON {LINKS} TO {role}",
        )


@SCHEMAS
@pytest.mark.parametrize("prefix", [None, "School_"])
def test_the_reader_on_postgresql_may_read_what_is_declared(name: str, prefix: str | None, database: str) -> None:
    schema = schemas.load(name, prefix)
    make_tables(database, name, prefix)
    grant_on_postgresql(database, name, *([] if prefix is None else ["-v", f"prefix={prefix}"]))
    watched = {str(watch.table.name) for watch in (*schema.watches, *schema.detail_watches)}
    assert tables_granted(database) == watched
    in_part = {pair for pair in columns_granted(database) if pair[0] not in watched}
    assert in_part == {pair for pair in read_columns(schema) if pair[0] not in watched}
    add_links(database, name, READER)
    assert read_everything(name, as_reader(database), prefix or "of the schema") == watched


@SCHEMAS
def test_the_role_may_be_made_again_on_postgresql_when_the_lms_has_more(name: str, database: str) -> None:
    make_tables(database, name, without=OPTIONAL[name])
    grant_on_postgresql(database, name)
    assert {table for table, _ in read_columns(schemas.load(name, None)) - columns_granted(database)} == {
        *OPTIONAL[name]
    }
    make_tables(database, name)
    grant_on_postgresql(database, name)
    assert read_columns(schemas.load(name, None)) <= columns_granted(database)


@SCHEMAS
def test_in_the_wrong_database_the_file_for_postgresql_says_what_is_missing(name: str, database: str) -> None:
    first = schemas.load(name, None).sources[0].table.name
    make_tables(database, name, without={first})
    done = grant_on_postgresql(database, name, code=3)
    assert f'relation "{first}" does not exist' in done.stderr


def test_a_column_that_the_lms_gets_later_is_granted_then_on_postgresql(database: str) -> None:
    make_tables(database, "classic")
    execute(database, "ALTER TABLE students DROP COLUMN created")
    grant_on_postgresql(database, "classic")
    assert of_everything("classic", as_reader(database)).missing_extras() == ["students.created"]
    execute(database, "ALTER TABLE students ADD COLUMN created timestamp")
    grant_on_postgresql(database, "classic")
    assert of_everything("classic", as_reader(database)).missing_extras() == []


# MySQL and MariaDB


@pytest.fixture
def maria_database(mariadb: MariaDb) -> Iterator[str]:
    """An empty database, in which the login of deploy/ may be made."""
    name = f"roles_{os.getpid()}"
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    mariadb.execute(f"DROP DATABASE {name}", f"DROP USER IF EXISTS {READER}@'%'")


def maria_reader(server: MariaDb, database: str) -> str:
    server.execute(f"ALTER USER {READER}@'%' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK")
    return server.login(READER, database)


@pytest.mark.services
@SCHEMAS
@pytest.mark.parametrize("prefix", [None, "School_"])
def test_the_reader_on_mariadb_may_read_what_is_declared(
    name: str, prefix: str | None, mariadb: MariaDb, maria_database: str
) -> None:
    url, schema = mariadb.owner(maria_database), schemas.load(name, prefix)
    make_tables(url, name, prefix)
    options = [] if prefix is None else [f"--init-command=SET @prefix = '{prefix}'"]
    grant_on_mariadb(mariadb, maria_database, name, *options)
    assert columns_granted(url) == read_columns(schema)
    assert tables_granted(url) == set()
    add_links(url, name, f"{READER}@'%'")
    read_everything(name, maria_reader(mariadb, maria_database), prefix or "of the schema")


@pytest.mark.services
@SCHEMAS
def test_the_role_may_be_made_again_on_mariadb_when_the_lms_has_more(
    name: str, mariadb: MariaDb, maria_database: str
) -> None:
    url, declared = mariadb.owner(maria_database), read_columns(schemas.load(name, None))
    make_tables(url, name, without=OPTIONAL[name])
    grant_on_mariadb(mariadb, maria_database, name)
    assert {table for table, _ in declared - columns_granted(url)} == {*OPTIONAL[name]}
    make_tables(url, name)
    grant_on_mariadb(mariadb, maria_database, name)
    assert columns_granted(url) == declared


@pytest.mark.services
@SCHEMAS
def test_in_the_wrong_database_the_file_for_mariadb_says_what_is_missing(
    name: str, mariadb: MariaDb, maria_database: str
) -> None:
    first = schemas.load(name, None).sources[0].table.name
    make_tables(mariadb.owner(maria_database), name, without={first})
    done = grant_on_mariadb(mariadb, maria_database, name, code=1)
    assert f"{maria_database}.{first}' doesn't exist" in done.stderr


@pytest.mark.services
def test_a_column_that_the_lms_gets_later_is_granted_then_on_mariadb(mariadb: MariaDb, maria_database: str) -> None:
    url = mariadb.owner(maria_database)
    make_tables(url, "classic")
    execute(url, "ALTER TABLE students DROP COLUMN created")
    grant_on_mariadb(mariadb, maria_database, "classic")
    reader = maria_reader(mariadb, maria_database)
    assert of_everything("classic", reader).missing_extras() == ["students.created"]
    execute(url, "ALTER TABLE students ADD COLUMN created timestamp NULL")
    grant_on_mariadb(mariadb, maria_database, "classic")
    assert of_everything("classic", reader).missing_extras() == []
