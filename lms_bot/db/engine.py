"""Engines for the two databases, and times that are always aware UTC."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.types import TypeDecorator

from lms_bot.db.mysql_engine import mysql_engine
from lms_bot.errors import LmsMisfit, LmsUnavailable

LMS_STATEMENT_TIMEOUT = 30  # seconds; a page by primary key takes milliseconds
CHECKPOINT_PAGES = 4_000  # of 4 KiB, four times SQLite's own: in a burst pages are written once, not in every page
STORE_LOCK_TIMEOUT = 30  # seconds that a writer waits for the other thread or process
_BEYOND = (("10000-01-01", "9999-12-31", 1), ("0001-12-31", "0001-01-02", -2))  # days that only other zones have


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: refuses naive datetimes, stores UTC, gives aware UTC, on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the store")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def lms_engine(url: str) -> sa.Engine:
    """Return an engine whose connections can only read.

    PostgreSQL: every transaction is REPEATABLE READ READ ONLY, with a statement timeout and an application name.
    MySQL and MariaDB: every transaction is READ ONLY with one snapshot, with a time limit for statements.
    SQLite: the file is opened read-only. Times arrive as text on all of them, so that no value a database can hold
    (infinity, a year before Christ, a month 0, a word) can stop a poll at the driver.

    Raises ConfigError where the driver is not installed.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return _lms_sqlite(url)
    if backend == "mysql":
        return mysql_engine(url, LMS_STATEMENT_TIMEOUT)
    engine = sa.create_engine(
        url,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,  # errors are logged, and parameters are names and scores
        pool_pre_ping=True,
        pool_size=2,
        connect_args={"application_name": "lms_bot", "connect_timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def restrict(connection: Any, _record: Any) -> None:
        from psycopg2 import extensions

        times_as_text = extensions.new_type((1082, 1114, 1184), "TIME_AS_TEXT", extensions.UNICODE)
        extensions.register_type(times_as_text, connection)
        connection.set_session(readonly=True)  # said with each BEGIN

    # Nothing is set in a session, which a pooler may give to somebody else.
    limits = f"SET LOCAL statement_timeout = '{LMS_STATEMENT_TIMEOUT}s'; SET LOCAL TIME ZONE 'UTC'"
    engine.dialect.do_ping = _ping  # type: ignore[assignment, method-assign] # the driver's own way sets the session's defaults

    @event.listens_for(engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(limits)

    return engine


def _lms_sqlite(url: str) -> sa.Engine:
    import sqlite3

    # A new connection each time: the file may be replaced by a newer copy under the same name.
    path = Path(make_url(url).database or "").absolute()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=LMS_STATEMENT_TIMEOUT,
            check_same_thread=False,
            isolation_level=None,
        )
        connection.text_factory = methodcaller("decode", "utf-8", "replace")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def store_engine(url: str) -> sa.Engine:
    """Return an engine for the event store: WAL and a busy timeout on SQLite, checked connections on PostgreSQL."""
    if make_url(url).get_backend_name() != "sqlite":
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            json_serializer=to_json,
            executemany_mode="values_plus_batch",
            connect_args={"application_name": "lms_bot store", "connect_timeout": 10},
        )
        event.listens_for(engine, "connect")(_read_every_moment)
        return engine
    engine = sa.create_engine(
        url,
        connect_args={"timeout": STORE_LOCK_TIMEOUT},
        json_serializer=to_json,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def create_private(*_: Any) -> None:
        make_private(engine.url.database or "")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is removed is gone from the file

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine


def _read_every_moment(connection: Any, _record: Any) -> None:
    """Read moments whatever the session's time zone, in which the first and the last may be in no datetime's year."""
    from psycopg2 import extensions

    def moment(text: Any, cursor: Any) -> Any:
        try:
            return extensions.PYDATETIMETZ(text, cursor)
        except (ValueError, OverflowError):
            beyond, within, days = next(one for one in _BEYOND if text.startswith(one[0]))
            inside = text.replace(beyond, within).removesuffix(" BC")
            return extensions.PYDATETIMETZ(inside, cursor).astimezone(UTC) + timedelta(days=days)

    extensions.register_type(extensions.new_type((1184,), "MOMENT", moment), connection)


def make_private(path: str | Path) -> None:
    """Make an empty file that only its owner may read, unless there is one; SQLite gives its -wal and -shm the same."""
    with suppress(OSError):  # whatever keeps us from it, SQLite says when it opens the file
        os.close(os.open(str(path).removeprefix("file:"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _use_wal(connection: Any) -> None:
    """Ask for the write-ahead log; SQLite does not wait by itself while others turn the same new file to it."""
    import sqlite3

    until = time.monotonic() + STORE_LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _ping(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.rollback()
    return True


@contextmanager
def writing(engine: sa.Engine, *, durable: bool = True) -> Iterator[sa.Connection]:
    """Open a transaction that may write; on SQLite it takes the write lock at once, so that it never has to be broken.

    What is committed without `durable` outlives the process, but maybe not a machine that loses its power at that
    moment: the commit does not wait for the disk.
    """
    on_sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(sqlite_begin="BEGIN IMMEDIATE") as connection:
        is_relaxed = on_sqlite and not durable
        synchronous = _pragma(connection, "synchronous", "NORMAL", "FULL") if is_relaxed else nullcontext()
        with synchronous, connection.begin():
            if not on_sqlite and not durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection


@contextmanager
def changing_schema(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that may make tables anew; SQLite checks what refers to them when it ends.

    Raises sqlalchemy.exc.DatabaseError where something refers to what is not there.
    """
    on_sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(sqlite_begin="BEGIN IMMEDIATE") as connection:
        foreign_keys = _pragma(connection, "foreign_keys", "OFF", "ON") if on_sqlite else nullcontext()
        with foreign_keys, connection.begin():
            yield connection
            if on_sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise sa.exc.DatabaseError(f"a row of {lost[0]} refers to nothing", None, ValueError(lost[0]))


@contextmanager
def _pragma(connection: sa.Connection, name: str, value: str, afterwards: str) -> Iterator[None]:
    """Set how a SQLite connection works around a transaction; between two of them, so it goes past SQLAlchemy's."""
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.execute(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        driver_connection.execute(f"PRAGMA {name} = {afterwards}")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that only reads and sees one state of the database."""
    with engine.connect() as connection, connection.begin():
        yield connection


def reason(error: sa.exc.SQLAlchemyError) -> str:
    """Return the first line of what the driver said: no statement, no parameters, no password."""
    cause = getattr(error, "orig", None) or error
    said = cause.args[1] if len(cause.args) == 2 else cause  # PyMySQL has a number before it
    return (str(said).strip() or type(cause).__name__).splitlines()[0]


def refusal(error: sa.exc.SQLAlchemyError, what: str) -> LmsUnavailable:
    """Return that `what` cannot be read, and why; a LmsMisfit where the server does not take the statement itself."""
    kind = LmsMisfit if isinstance(error, sa.exc.ProgrammingError | sa.exc.DataError) else LmsUnavailable
    return kind(f"{what} cannot be read: {reason(error)}")


def to_json(value: Any) -> str:
    """Return JSON as the store keeps it; NaN and infinity become null. Raises TypeError for other types."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
