"""Opens a MySQL or MariaDB server so that our connections can only read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from lms_bot.errors import ConfigError

NETWORK_TIMEOUT = 10  # seconds to connect, and for an answer beyond the limit that the server keeps
_READ_ONLY = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Each server reads the comment that is meant for it: MariaDB counts in seconds, MySQL in milliseconds.
_LIMITS = "SET time_zone = '+00:00' /*M!100101 , max_statement_time = {s} */ /*!50708 , max_execution_time = {s}000 */"
_BEGIN = "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT"


def mysql_engine(url: str, statement_timeout: int) -> sa.Engine:
    """Return an engine whose transactions only read and see one state of the database.

    The server ends a statement after `statement_timeout` seconds. Raises ConfigError where PyMySQL is not installed.
    """
    try:
        import pymysql
    except ModuleNotFoundError as error:
        raise ConfigError(
            "lms_database_url is of MySQL or MariaDB, but PyMySQL is not installed: pip install 'lms_bot[mysql]'."
        ) from error
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=2,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": NETWORK_TIMEOUT,
            "read_timeout": statement_timeout + NETWORK_TIMEOUT,
            "write_timeout": NETWORK_TIMEOUT,
            "use_unicode": False,  # so that our converters, which no value can stop, get the bytes
            "conv": _converters(),
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        try:
            return dialect.connect(*arguments, **options)
        except (OSError, RuntimeError) as error:  # a certificate, or a library for a way to log in, that is not there
            raise pymysql.OperationalError(f"cannot prepare a connection: {error}") from error

    @event.listens_for(engine, "connect")
    def restrict(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_READ_ONLY)
            cursor.execute(_LIMITS.format(s=statement_timeout))

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(_BEGIN)

    return engine


def _converters() -> dict[Any, Any]:
    """Return how values are read: numbers as numbers, all else as text, also times, of which 0000-00-00 is none."""
    from pymysql.constants import FIELD_TYPE as types
    from pymysql.converters import encoders

    return {
        **encoders,
        **{number: _text for name, number in vars(types).items() if name.isupper()},
        **dict.fromkeys((types.TINY, types.SHORT, types.INT24, types.LONG, types.LONGLONG, types.YEAR), int),
        **dict.fromkeys((types.FLOAT, types.DOUBLE), float),
        **dict.fromkeys((types.DECIMAL, types.NEWDECIMAL), lambda sent: Decimal(_text(sent))),
        types.BIT: lambda sent: int.from_bytes(sent, "big"),
        types.TIMESTAMP: lambda sent: f"{_text(sent)}+00:00",  # in the zone of the session
    }


def _text(sent: bytes) -> str:
    return sent.decode("utf-8", "replace")
