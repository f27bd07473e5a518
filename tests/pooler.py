"""A pooler in front of PostgreSQL that gives each transaction another session, as PgBouncer can."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from queue import Queue

import sqlalchemy as sa

SESSIONS = 3
REFUSALS = (80877103, 80877104)  # requests for TLS and for Kerberos
Message = tuple[bytes, bytes]


@contextmanager
def transaction_pooler(url: str) -> Iterator[str]:
    """Yield the URL of the same database behind a pooler."""
    target = sa.make_url(url)
    sessions: Queue[Stream] = Queue()
    greeting: list[Message] = []
    for _ in range(SESSIONS):
        session = Stream(_dial(target))
        greeting = session.log_in(target.username or "postgres", target.database or "")
        sessions.put(session)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_accept, args=(server, sessions, greeting), daemon=True).start()
        behind = target.set(host="127.0.0.1", port=server.getsockname()[1], password=None, query={})
        yield behind.render_as_string(hide_password=False)
    while not sessions.empty():
        sessions.get().close()


class Stream:
    """One side's messages: a letter and what follows its length."""

    def __init__(self, connection: socket.socket) -> None:
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the messages of an answer are short
        self._connection = connection
        self._file = connection.makefile("rb")

    def log_in(self, user: str, database: str) -> list[Message]:
        """Begin a session, and return what the server says to greet."""
        words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database))
        body = struct.pack("!i", 196608) + words + b"\0"
        self._connection.sendall(struct.pack("!i", len(body) + 4) + body)
        greeting = [self.read()]
        while greeting[-1][0] != b"Z":
            assert greeting[-1][0] != b"E", greeting[-1]
            greeting.append(self.read())
        return greeting

    def welcome(self, greeting: list[Message]) -> None:
        """Answer what a client begins with."""
        while True:
            (length,) = struct.unpack("!i", self._file.read(4))
            (code,) = struct.unpack("!i", self._file.read(length - 4)[:4])
            if code not in REFUSALS:
                break
            self._connection.sendall(b"N")
        for message in greeting:
            self.write(message)

    def read(self) -> Message:
        kind = self._file.read(1)
        if not kind:
            raise ConnectionError
        (length,) = struct.unpack("!i", self._file.read(4))
        return kind, self._file.read(length - 4)

    def write(self, message: Message) -> None:
        kind, body = message
        self._connection.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def close(self) -> None:
        self._file.close()
        self._connection.close()


def _dial(target: sa.URL) -> socket.socket:
    host, port = str(target.query.get("host") or target.host), target.port or 5432
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{host}/.s.PGSQL.{port}")
    return connection


def _accept(server: socket.socket, sessions: Queue[Stream], greeting: list[Message]) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(Stream(client), sessions, greeting), daemon=True).start()


def _serve(client: Stream, sessions: Queue[Stream], greeting: list[Message]) -> None:
    with suppress(OSError, struct.error), closing(client):
        client.welcome(greeting)
        while True:
            message = client.read()
            if message[0] == b"X":
                return
            session = sessions.get()  # the one that rested longest
            try:
                _transact(client, session, message)
            finally:
                sessions.put(session)


def _transact(client: Stream, session: Stream, message: Message) -> None:
    """Hand on what is said until no transaction is open."""
    try:
        while _statement(client, session, message) != b"I":
            message = client.read()
            if message[0] == b"X":
                raise ConnectionError
    except ConnectionError:
        session.write((b"Q", b"ROLLBACK\0"))
        while session.read()[0] != b"Z":
            pass
        raise


def _statement(client: Stream, session: Stream, message: Message) -> bytes:
    """Hand on one statement and its answer, and return the state of the transaction then."""
    session.write(message)
    while True:
        kind, body = session.read()
        client.write((kind, body))
        if kind == b"Z":
            return body
        if kind == b"G":  # COPY FROM STDIN
            while (message := client.read())[0] not in (b"c", b"f"):
                session.write(message)
            session.write(message)
