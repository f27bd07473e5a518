"""URLs of databases: which are allowed, which are the same, and how they are shown without passwords."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql", "postgresql+psycopg2", "postgres")
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
    return (host, query.get("port") or parts["port"] or "5432", database, query.get("options", ""))


def server(url: str, environ: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the hosts of a PostgreSQL URL (none for SQLite), and its sslmode, as libpq finds them."""
    match = _URL.fullmatch(url)
    if url.startswith(_SQLITE) or match is None:
        return [], ""
    query = parse_qsl(match["query"] or "")
    named = [value for key, value in query if key == "hostaddr"] or [value for key, value in query if key == "host"]
    hosts = ",".join(named) or match["host"] or environ.get("PGHOST", "")
    mode = dict(query).get("sslmode") or environ.get("PGSSLMODE") or "prefer"
    return [re.sub(r"^([^:]*):[0-9]*$", r"\1", host.strip()) for host in hosts.split(",")], mode


def database_url(text: str) -> str:
    """Return the URL with its driver as SQLAlchemy wants it. Raises ValueError, with a hint or nothing."""
    file = text.removeprefix(_SQLITE).partition("?")[0]
    if text in ("sqlite://", _SQLITE) or (text.startswith("sqlite:") and re.search(":memory:|mode=memory", text)):
        raise ValueError("; a database in memory could not be seen by other threads and processes")
    if text.startswith(_SQLITE) and file and text.isprintable():
        return text
    match = _URL.fullmatch(text)
    if match is None or match["scheme"] not in _POSTGRESQL or not text.isprintable():
        raise ValueError
    return f"postgresql+psycopg2{text[match.end('scheme') :]}"
