"""What strangers and broken programs send to `lms-bot serve`: it refuses that, says why, and goes on for the others."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lms_bot.config import settings
from lms_bot.core.web.tokens import Scope
from lms_bot.store.session import Store, open_store
from lms_bot.web import guard
from lms_bot.web.application import application
from lms_bot.web.context import Context
from lms_bot.web.rate_limit import RateLimit
from tests.bot_process import PATIENCE, wait_for
from tests.databases import store_in_file
from tests.web_process import GULNORA, JANE, MARY, WebProcess, free_port, make_token, people_the_store, record, serving

STREAMS = 1_000


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, WebProcess]]:
    folder = tmp_path_factory.mktemp("attacked")
    url = store_in_file(folder / "store.db")
    store = open_store(url)
    people_the_store(store)
    record(store, JANE, 3)
    record(store, GULNORA, 3)
    with serving(url, folder, "web_url = https://bot.example.org") as web:
        yield store, web
    store.close()


def address(web: WebProcess) -> tuple[str, int]:
    host, port = web.url.removeprefix("http://").split(":")
    return host, int(port)


def answer_to(web: WebProcess, request: str) -> str:
    """The first line that is answered to bytes as they are; nothing where the connection is closed."""
    with socket.create_connection(address(web), timeout=PATIENCE) as connection:
        connection.sendall(request.encode("latin-1"))
        return connection.makefile("rb").readline().decode("latin-1").strip()


def status_of(web: WebProcess, target: str, *headers: str) -> str:
    lines = "\r\n".join([f"GET {target} HTTP/1.1", *(headers or ("Host: localhost",)), "Connection: close", "", ""])
    return answer_to(web, lines).removeprefix("HTTP/1.1 ")[:3]


@pytest.mark.parametrize(
    "headers",
    [
        ["Host: evil.example.org"],
        ["Host: bot.example.org.evil.example"],
        ["Host: bot.example.org@evil.example"],
        ["Host: evil.example.org", "X-Forwarded-Host: bot.example.org"],
        ["Host: evil.example.org", "Forwarded: host=bot.example.org"],
        ["Host: localhost", "Host: evil.example.org"],
        ["Host: [::1", "X: y"],
        ["Host: 127.0.0.1.evil.example"],
        ["Host:"],
        ["X: y"],
    ],
)
def test_no_trick_with_hosts_is_answered(attacked: tuple[Store, WebProcess], headers: list[str]) -> None:
    assert status_of(attacked[1], "/healthz", *headers) in {"400", "421"}


def test_no_trick_with_paths_leads_anywhere(attacked: tuple[Store, WebProcess]) -> None:
    store, web = attacked
    bearer = f"Authorization: Bearer {make_token(store, 'tricks', Scope.EVENTS, mentor=MARY)}"
    for path in (
        "//api/v1/activity/",
        "/api/v1//activity/",
        "/api/v1/events/../activity/",
        "/api/v1/events/%2e%2e/activity/",
        "/api/v1/events/unprocessed/..;/",
        "/api/v1/activity/%00",
        "/API/V1/ACTIVITY/",
        "/api/v1/activity",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/" + "a" * 8_000,
        "/docs",
        "/redoc",
    ):
        assert status_of(web, path, "Host: localhost", bearer) == "404", path
    assert status_of(web, "http://evil.example.org/api/v1/events/unprocessed", "Host: localhost") in {"401", "404"}
    assert status_of(web, "/" + "a" * 20_000, "Host: localhost") in {"400", "404", "414", "431"}


@pytest.mark.parametrize(
    "request_text",
    [
        "POST /api/v1/signals HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/signals HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET /healthz\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 40 + "\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(attacked: tuple[Store, WebProcess], request_text: str) -> None:
    assert answer_to(attacked[1], request_text)[9:12] in {"400", "505", ""}
    assert status_of(attacked[1], "/healthz") == "200"


@pytest.fixture
def inside(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., httpx.Response]:
    """Asks the application without a process, so that its limits can be small."""
    monkeypatch.setattr(guard, "SLOWEST_BODY", 0.1)
    people_the_store(store)
    context = Context(store, settings.load(None, {"LMS_DATABASE_URL": "sqlite:///never_opened.db"}))
    context.rate_limit = RateLimit(at_once=3, per_second=0.001)
    transport = httpx.ASGITransport(application(context))

    async def ask(method: str, path: str, **given: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **given)

    return lambda *given, **named: asyncio.run(ask(*given, **named))


def test_a_program_that_asks_too_often_is_told_when_to_come_again(
    store: Store, inside: Callable[..., httpx.Response]
) -> None:
    hasty, other = ({"Authorization": f"Bearer {make_token(store, name)}"} for name in ("hasty", "other"))
    answers = [inside("GET", "/api/v1/activity/", headers=hasty) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 900 <= int(answers[-1].headers["Retry-After"]) <= 1_000
    assert answers[-1].headers["Content-Type"] == "application/problem+json"
    assert inside("GET", "/api/v1/activity/", headers=other).status_code == 200


def test_a_body_that_comes_too_slowly_is_not_waited_for(store: Store, inside: Callable[..., httpx.Response]) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    bearer = {"Authorization": f"Bearer {make_token(store, 'slow')}"}
    answer = inside("POST", "/api/v1/events/processed", headers=bearer, content=endless())
    assert (answer.status_code, answer.headers["Connection"]) == (408, "close")


@contextmanager
def many_files() -> Iterator[None]:
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def asking(token: str, more: str = "") -> bytes:
    head = f"GET /api/v1/activity/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}{more}\r\n".encode()


def test_a_thousand_streams_end_with_a_restart_and_go_on_after_it(tmp_path: Path) -> None:
    url, port = store_in_file(tmp_path / "store.db"), free_port()
    store = open_store(url)
    people_the_store(store)
    tokens = [make_token(store, f"listener-{number}", Scope.ACTIVITY) for number in range(5)]
    with many_files(), ExitStack() as stack:
        with serving(url, tmp_path, port=port) as web:
            streams = [stack.enter_context(socket.create_connection(address(web), PATIENCE)) for _ in range(STREAMS)]
            for number, stream in enumerate(streams):
                stream.sendall(asking(tokens[number % len(tokens)]))
            files = [stack.enter_context(stream.makefile("rb")) for stream in streams]
            for file in files:
                assert b"200 OK" in file.readline()
                while b"retry: 2000" not in file.readline():
                    continue
            (first,) = record(store, JANE)
            for file in files:
                while b"id: %d" % first not in file.readline():
                    continue
            assert web.end(signal.SIGTERM) == 0
            assert all(file.read().endswith(b"0\r\n\r\n") for file in files)
        (second,) = record(store, JANE)
        with serving(url, tmp_path, port=port) as web:
            for _ in range(20):
                stream = stack.enter_context(socket.create_connection(address(web), PATIENCE))
                stream.sendall(asking(tokens[0], f"Last-Event-ID: {first}\r\n"))
                file = stack.enter_context(stream.makefile("rb"))
                wait_for(lambda file=file: b"id: %d" % second in file.readline())  # type: ignore[misc]
    store.close()
