"""An LMS in MySQL or MariaDB can only be read, in one state for each transaction, whatever its values are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.people import Student
from lms_bot.db.engine import lms_engine
from lms_bot.db.lists import in_list
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import Lms
from lms_bot.lms.inspection import Kind, can_read
from lms_bot.lms.schemas import CLASSIC
from lms_bot.lms.values import moment
from tests.lms_rows import GULNORA, JANE, MARY, NOW, RAVI, classic_lms
from tests.mariadb import PASSWORD, MariaLms
from tests.roles import grant_on_mariadb

pytestmark = pytest.mark.services

WITHIN = timedelta(minutes=1)
attempts = CLASSIC.source("attempts").table


@pytest.fixture
def lms(maria_lms: MariaLms) -> Iterator[Lms]:
    """The LMS as a login sees it that may do more than read."""
    opened = classic_lms(maria_lms.reader(f"ALL ON {maria_lms.database}.*"))
    yield opened
    opened.close()


def refusal(engine: sa.Engine, statement: str) -> tuple[int, str]:
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as raised:
        connection.exec_driver_sql(statement)
    assert raised.value.orig
    number, text = raised.value.orig.args
    return number, text


# Reading only


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO attempts (id) VALUES (1)",
        "UPDATE students SET username = username",
        "DELETE FROM attempts",
        "CREATE TABLE mine (id integer)",
        "DROP TABLE certifications",
    ],
)
def test_a_write_is_refused_by_the_connection_itself(lms: Lms, maria_lms: MariaLms, statement: str) -> None:
    maria_lms.execute("INSERT INTO attempts (id) VALUES (7)")
    for _ in range(3):
        number, text = refusal(lms.engine, statement)
        assert (number, "READ ONLY" in text) == (1792, True)
    with lms.engine.connect() as connection:
        assert connection.scalar(sa.select(attempts.c.id)) == 7


def test_a_transaction_sees_one_state_and_the_next_one_the_new_one(lms: Lms, maria_lms: MariaLms) -> None:
    counted = sa.select(sa.func.count()).select_from(attempts)
    with lms.engine.connect() as connection:
        with connection.begin():
            maria_lms.execute("INSERT INTO attempts (id) VALUES (1)")  # nothing was read yet
            assert connection.scalar(counted) == 0
            maria_lms.execute("INSERT INTO attempts (id) VALUES (2)")
            assert connection.scalar(counted) == 0
        with connection.begin():
            assert connection.scalar(counted) == 2


def test_a_server_that_reads_what_is_committed_gives_one_state_too(maria_lms: MariaLms, lms: Lms) -> None:
    maria_lms.execute("SET GLOBAL tx_isolation = 'READ-COMMITTED'")
    try:
        test_a_transaction_sees_one_state_and_the_next_one_the_new_one(lms, maria_lms)
    finally:
        maria_lms.execute("SET GLOBAL tx_isolation = 'REPEATABLE-READ'")


def test_a_statement_that_takes_too_long_is_ended(maria_lms: MariaLms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms_bot.db.engine.LMS_STATEMENT_TIMEOUT", 1)
    engine = lms_engine(maria_lms.reader(f"SELECT ON {maria_lms.database}.*"))
    number, text = refusal(engine, "SELECT sleep(3600)")
    assert (number, "max_statement_time" in text) == (1969, True)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == 0
    engine.dispose()


# Values


def test_times_that_are_none_stop_nothing(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute(
        "SET sql_mode = ''",
        "INSERT INTO attempts (id, date, last_started_time, last_answer_updated_time)"
        " VALUES (1, '0000-00-00', '2026-00-00 12:00', '0000-00-00'),"
        " (2, '2026-03-02 12:00', '2026-03-02 12:00:00.25', '2026-03-02 12:00')",
    )
    times = (attempts.c.date, attempts.c.last_started_time, attempts.c.last_answer_updated_time)
    with lms.engine.connect() as connection:
        first, second = connection.execute(sa.select(*times).order_by(attempts.c.id)).all()
    assert [moment(value, UTC) for value in first] == [None, None, None]
    assert second == ("2026-03-02 12:00:00", "2026-03-02 12:00:00.250000", "2026-03-02 12:00:00+00:00")


def test_a_timestamp_is_the_same_moment_whatever_the_zone_of_the_server(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute("SET GLOBAL time_zone = '+05:00'")
    try:
        maria_lms.execute("INSERT INTO attempts (id, last_answer_updated_time) VALUES (1, '2026-03-02 17:00')")
        with lms.engine.connect() as connection:
            told = connection.scalar(sa.select(attempts.c.last_answer_updated_time))
    finally:
        maria_lms.execute("SET GLOBAL time_zone = 'SYSTEM'")
    assert moment(told, UTC) == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_broken_bytes_stop_nothing(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute(
        "ALTER TABLE attempts MODIFY username varbinary(20)",
        "INSERT INTO attempts (id, username, state) VALUES (1, x'6afffe', 'Ы🎉')",
    )
    with lms.engine.connect() as connection:
        (row,) = connection.execute(sa.select(attempts.c.username, attempts.c.state))
    assert row == ("j\ufffd\ufffd", "Ы🎉")


def test_rows_are_found_by_their_ids(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute("INSERT INTO attempts (id) VALUES (-5), (1), (2), (3000000000)")
    for ids in ([-5, 2, 3_000_000_000, 9], range(2, 2_000), []):
        query = sa.select(attempts.c.id).where(in_list(attempts.c.id, ids, "mysql"))
        with lms.engine.connect() as connection:
            assert set(connection.scalars(query)) == {-5, 1, 2, 3_000_000_000} & set(ids)


def test_people_and_what_is_there_beside_them_are_read(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute(
        f"UPDATE students SET is_active = 0, last_active_date = '2026-03-02 12:00' WHERE id = {RAVI}",
        f"INSERT INTO student_activity_dates VALUES (1, '{JANE}', '2026-03-02')",
    )
    people = lms.read_people(NOW)
    students: dict[int, Student] = {student.student_id: student for student in people.students}
    assert students[JANE].username == "jane_smith"
    assert students[GULNORA].display_name == "Гульнора Каримова"
    assert (students[JANE].is_active, students[RAVI].is_active) == (True, False)
    assert (MARY, JANE) in people.links == lms.read_links(NOW)
    presence = lms.read_presence(0)
    assert presence.days == ((JANE, datetime(2026, 3, 2).date()),)  # noqa: DTZ001 - a day
    assert (RAVI, datetime(2026, 3, 2, 12, tzinfo=UTC)) in presence.moments
    assert lms.read_enrolment().minutes
    assert lms.missing_extras() == []


# What is not there, or not for us


def test_a_server_that_is_not_there_is_told_plainly(maria_lms: MariaLms) -> None:
    right = sa.make_url(maria_lms.reader(f"SELECT ON {maria_lms.database}.*"))
    for url, said in (
        (right.set(port=1), "read: Can't connect to MySQL server on '127.0.0.1'"),
        (right.set(password="another"), "read: Access denied"),
        (right.set(database="elsewhere"), "read: Access denied"),
        (right.set(query={"ssl_ca": "/nowhere/ca.pem"}), "cannot prepare a connection"),
        (right.set(query={"ssl_check_hostname": "false"}), "SSL is required"),
    ):
        lms = classic_lms(url.render_as_string(hide_password=False))
        with pytest.raises(LmsUnavailable) as raised:
            lms.read_people(NOW)
        lms.close()
        assert said in str(raised.value)
        assert not any(part in str(raised.value) for part in ("\n", PASSWORD, "://", "SELECT"))


def test_a_connection_that_the_server_closed_is_made_anew(lms: Lms, maria_lms: MariaLms) -> None:
    lms.read_people(NOW)
    with lms.engine.connect() as connection:
        number = connection.scalar(sa.text("SELECT connection_id()"))
    maria_lms.execute(f"KILL {number}")
    assert lms.read_people(NOW).students
    assert refusal(lms.engine, "DELETE FROM attempts")[0] == 1792


def test_a_role_sees_the_columns_that_were_granted_to_it(maria_lms: MariaLms) -> None:
    granted_to = ("SELECT (id, title) ON exams", "SELECT ON courses", "INSERT (id, name) ON chapters")
    lms = classic_lms(maria_lms.reader(*granted_to))
    found = lms.tables()
    assert found.keys() == {"exams", "courses", "chapters"}
    assert found["exams"].columns.keys() == {"id", "title"}
    assert not found["chapters"].columns["name"].is_readable
    assert lms.missing_extras() == [
        "student_activity_dates.activity_date",
        "students.last_active_date",
        "students.created",
        "exams.duration",
        "mentors.students_count",
        "exams.end_date",
        "ChapterContent.title",
    ]
    with lms.engine.connect() as connection:
        readable = {name: can_read(connection, query) for name, (query,) in CLASSIC.catalogue.items()}
    assert [name for name, is_readable in readable.items() if is_readable] == ["exams", "courses"]
    lms.close()


def test_tables_are_described(lms: Lms, maria_lms: MariaLms) -> None:
    maria_lms.execute(
        "RENAME TABLE content_attempts TO behind",
        "CREATE VIEW content_attempts AS SELECT * FROM behind",
        "ALTER TABLE exams DROP PRIMARY KEY, ADD KEY later (title(9), id), DROP duration, ADD duration time",
    )
    found = lms.tables()
    assert [(found[name].is_view, found[name].has_index) for name in ("attempts", "content_attempts", "exams")] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    kinds = {name: column.kind for name, column in found["attempts"].columns.items()}
    assert kinds["id"] is Kind.INTEGER
    assert kinds["percentage"] is Kind.NUMBER
    assert kinds["state"] is Kind.TEXT
    assert kinds["date"] is kinds["last_answer_updated_time"] is Kind.TIME
    assert found["attempts"].columns["last_started_time"].declared == "datetime(6)"
    assert found["students"].columns["is_active"].kind is Kind.NUMBER
    assert found["exams"].columns["duration"].kind is Kind.OTHER


def test_the_server_is_described(maria_lms: MariaLms) -> None:
    lms = classic_lms(maria_lms.reader(f"SELECT ON {maria_lms.database}.*"))
    server = lms.server()
    assert server.product.startswith("MariaDB 1")
    assert "-" not in server.product
    assert server.role.startswith("reader_")
    assert (server.is_mysql, server.version, server.is_read_only) == (True, 0, True)
    assert (server.is_superuser, server.writable, server.is_standby) == (False, (), False)
    assert server.time_limit == timedelta(seconds=30)
    assert server.ahead is not None
    assert -WITHIN < server.ahead < WITHIN
    lms.close()


def test_a_replica_says_that_it_is_one(maria_lms: MariaLms) -> None:
    lms = classic_lms(maria_lms.reader("SELECT ON attempts"))
    maria_lms.execute("SET GLOBAL read_only = 1")
    try:
        assert lms.server().is_standby
    finally:
        maria_lms.execute("SET GLOBAL read_only = 0")
    lms.close()


@pytest.mark.parametrize(
    ("grant", "writable"),
    [
        ("UPDATE (score) ON attempts", {"attempts"}),
        ("INSERT (id) ON attempts", {"attempts"}),
        ("DELETE ON attempts", {"attempts"}),
        ("DROP ON attempts", {"attempts"}),
        ("DELETE ON {database}.*", None),
        ("DELETE ON `lms\\_%`.*", None),
        ("DELETE ON *.*", None),
        ("DELETE ON `else%`.*", set()),
        ("SELECT ON *.*", set()),
    ],
)
def test_what_a_role_could_write_to_is_named(maria_lms: MariaLms, grant: str, writable: set[str] | None) -> None:
    lms = classic_lms(maria_lms.reader("SELECT ON attempts", grant.format(database=maria_lms.database)))
    found = set(lms.server().writable)
    if writable is None:
        assert {"attempts", "students", "exams"} <= found
    else:
        assert found == writable
    lms.close()


def test_the_rights_of_others_are_not_ours(maria_lms: MariaLms) -> None:
    maria_lms.reader("DELETE ON attempts")
    lms = classic_lms(maria_lms.reader("SELECT ON *.*"))
    assert lms.server().writable == ()
    lms.close()


# The login of deploy/


@pytest.fixture
def installed(maria_lms: MariaLms) -> Iterator[str]:
    """The LMS with the login of deploy/, which has its password."""
    grant_on_mariadb(maria_lms.server, maria_lms.database, "classic")
    maria_lms.execute(f"ALTER USER lms_bot_reader@'%' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK")
    yield maria_lms.server.login("lms_bot_reader", maria_lms.database)
    maria_lms.execute("DROP USER lms_bot_reader@'%'")


def test_the_reader_may_neither_write_nor_read_what_is_not_told(installed: str) -> None:
    lms = classic_lms(installed)
    server = lms.server()
    assert (server.is_superuser, server.writable, server.is_read_only) == (False, (), True)
    assert lms.missing_extras() == []
    assert lms.read_people(NOW).links
    lms.close()
    engine = sa.create_engine(installed, poolclass=sa.NullPool)
    for statement in ("SELECT * FROM mentors", "SELECT * FROM videos", "UPDATE attempts SET score = 1"):
        assert refusal(engine, statement)[0] in (1142, 1143)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT @@max_statement_time")) == 30


def test_nobody_logs_in_before_there_is_a_password(maria_lms: MariaLms) -> None:
    grant_on_mariadb(maria_lms.server, maria_lms.database, "classic")
    lms = classic_lms(maria_lms.server.login("lms_bot_reader", maria_lms.database, ""))
    with pytest.raises(LmsUnavailable, match="account is locked"):
        lms.read_people(NOW)
    lms.close()
    maria_lms.execute("DROP USER lms_bot_reader@'%'")
