"""URLs of databases: which are allowed, which are the same, and how they are shown without passwords."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql", "postgresql+psycopg2", "postgres")
_MYSQL = ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")
_MYSQL_TLS = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_check_hostname", "ssl_cipher", "ssl_key")
_MYSQL_OPTIONS = (*_MYSQL_TLS, "unix_socket", "charset")  # charset is common in such URLs, and ours whatever it says
# Stricter than SQLAlchemy: one @ at most, so that no piece of a password passes for a host or a path.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+]*)://"
    r"(?:(?P<user>[^:/?@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/?@\[\]]*)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?P<database>[^?@]*))?(?:\?(?P<query>[^=&@%]+=[^&@]*(?:&[^=&@%]+=[^&@]*)*))?"
)


def hide_password(url: str) -> str:
    """Return the URL with *** for its passwords, or *** alone where they cannot be recognised."""
    if not url.startswith(_SQLITE) and not _URL.fullmatch(url):
        return "***"
    url = re.sub(r"(://[^:/?@]*:)[^@]*@", r"\1***@", url)
    return re.sub(r"(?i)([?&][^=&]*pass[^=&]*=)[^&]*", r"\1***", url)


def location(url: str) -> tuple[str, ...]:
    """Return what tells one database from another, whoever logs in."""
    if url.startswith(_SQLITE):
        return (_SQLITE, os.path.realpath(url.removeprefix(_SQLITE).partition("?")[0].removeprefix("file:")))
    match = _URL.fullmatch(url)
    assert match is not None, "a setting is parsed before it is compared"
    parts = match.groupdict("")
    query = dict(parse_qsl(parts["query"]))
    host = query.get("host", parts["host"]).lower()
    database = query.get("dbname") or parts["database"] or unquote(parts["user"])
    port = query.get("port") or parts["port"] or ("3306" if is_mysql(url) else "5432")
    return (host, port, database, query.get("options", ""))


def is_mysql(url: str) -> bool:
    """Return whether the URL is one of MySQL or MariaDB."""
    return url.partition("://")[0] in _MYSQL


def server(url: str, environ: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the hosts of a URL (none for SQLite), and its sslmode, as libpq finds them.

    For MySQL and MariaDB it is the sslmode that does what PyMySQL makes of the URL.
    """
    match = _URL.fullmatch(url)
    if url.startswith(_SQLITE) or match is None:
        return [], ""
    query = parse_qsl(match["query"] or "")
    if is_mysql(url):
        options = dict(query)
        demanded = "verify-full" if options.keys() & {"ssl_ca", "ssl_capath"} else "require"
        mode = demanded if options.keys() & set(_MYSQL_TLS) else "prefer"
        return [options.get("unix_socket") or match["host"] or ""], mode
    named = [value for key, value in query if key == "hostaddr"] or [value for key, value in query if key == "host"]
    hosts = ",".join(named) or match["host"] or environ.get("PGHOST", "")
    mode = dict(query).get("sslmode") or environ.get("PGSSLMODE") or "prefer"
    return [re.sub(r"^([^:]*):[0-9]*$", r"\1", host.strip()) for host in hosts.split(",")], mode


def lms_database_url(text: str) -> str:
    """Return the URL of an LMS, which may be in MySQL or MariaDB too. Raises ValueError, with a hint or nothing."""
    if not is_mysql(text):
        return database_url(text)
    match = _URL.fullmatch(text)
    if match is None or not text.isprintable():
        raise ValueError
    if not match["database"]:
        raise ValueError("; the database of MySQL or MariaDB must be named")
    options = [option for option, _ in parse_qsl(match["query"] or "", keep_blank_values=True)]
    if len(options) > len(set(options)) or not set(options) <= set(_MYSQL_OPTIONS):
        raise ValueError(f"; the options for MySQL and MariaDB are {', '.join(_MYSQL_OPTIONS)}")
    return f"mysql+pymysql{text[match.end('scheme') :]}"


def database_url(text: str) -> str:
    """Return the URL with its driver as SQLAlchemy wants it. Raises ValueError, with a hint or nothing."""
    if is_mysql(text):
        raise ValueError("; MySQL and MariaDB can be the LMS, but not keep the events")
    file = text.removeprefix(_SQLITE).partition("?")[0]
    if text in ("sqlite://", _SQLITE) or (text.startswith("sqlite:") and re.search(":memory:|mode=memory", text)):
        raise ValueError("; a database in memory could not be seen by other threads and processes")
    if text.startswith(_SQLITE) and file and text.isprintable():
        return text
    match = _URL.fullmatch(text)
    if match is None or match["scheme"] not in _POSTGRESQL or not text.isprintable():
        raise ValueError
    return f"postgresql+psycopg2{text[match.end('scheme') :]}"
