"""AI agents that ask: the SDK's own client over HTTP and on standard input and output, and calls without it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent, Tool
from starlette.testclient import TestClient

from lms_bot.core.alerts import Key, Opening, Rule, Verdict
from lms_bot.core.sync.studies import Academics
from lms_bot.store.academics.studies import keep_studies
from lms_bot.store.alerts import alerts
from lms_bot.store.session import Store, open_store
from tests.bot_process import BIN
from tests.databases import make_store, on_server, store_in_file
from tests.web_process import (
    GULNORA,
    JANE,
    MARY,
    OBRIEN,
    OF,
    RAVI,
    READ_AT,
    WebProcess,
    make_token,
    people_the_store,
    record,
    serving,
)

Call = tuple[str, dict[str, Any]]
Era = Literal["auto", "legacy"]
TOOLS = (
    "find_students",
    "student_profile",
    "student_performance",
    "learning_patterns",
    "mentor_overview",
    "open_alerts",
    "recent_activity",
    "definitions",
)

EVERY_CALL: dict[str, dict[str, Any]] = {
    "find_students": {"name": "jane"},
    "student_profile": {"student_id": JANE},
    "student_performance": {"student_id": JANE, "limit": 2},
    "learning_patterns": {"student_id": JANE},
    "mentor_overview": {"mentor_id": MARY},
    "open_alerts": {"mentor_id": MARY, "limit": 1},
    "recent_activity": {"student_id": JANE, "type": "exam_failed"},
    "definitions": {"about": "average_score"},
}


@dataclass
class Scene:
    """A store with students and open alerts, a process that answers from it, and one that may ask for everything."""

    store: Store
    url: str
    web: WebProcess
    folder: Path
    asker: httpx.Client


@contextmanager
def scene_on(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Scene]:
    """A scene on SQLite or PostgreSQL, served until it is left."""
    with ExitStack() as stack:
        url = store_in_file(folder / "store.db")
        if kind == "postgresql":
            url = stack.enter_context(on_server(request.getfixturevalue("postgresql_server"), make_store))
        store = open_store(url)
        stack.callback(store.close)
        fill(store)
        web = stack.enter_context(serving(url, folder))
        yield Scene(store, url, web, folder, web.client(make_token(store, "asker")))


def fill(store: Store) -> None:
    """Everybody takes exams, Jane and Gulnora a course, and each mentor has an alert about each of their students."""
    people_the_store(store)
    for student in (JANE, RAVI, GULNORA, OBRIEN, None):
        record(store, student, 3, activity_id=student, percentage=85.0)
        record(store, student, event_type="exam_failed", activity_metadata={"percentage": 30}, percentage=30.0)
    python = frozenset({(1, JANE), (1, GULNORA)})
    with store.writing() as transaction:
        keep_studies(transaction, Academics(courses={1: "Python 101", 2: "Рисование"}, course_students=python))
        found = [
            Opening(Key(mentor, student, Rule.FAILED_TWICE, 7), _verdict(student), None)
            for mentor, theirs in OF.items()
            for student in sorted(theirs)
        ]
        alerts.open_new(transaction, found, READ_AT)


def _verdict(student: int) -> Verdict:
    return Verdict(Rule.FAILED_TWICE, READ_AT, 2, 7, "Python Quiz", None, {"fails": 2, "scores": [student - 1_000]})


def over_http(url: str, token: str, *calls: Call, era: Era = "auto") -> tuple[list[Tool], list[CallToolResult]]:
    """The tools that an agent is told of, and what it is answered, by the SDK's client over HTTP."""

    async def ask() -> tuple[list[Tool], list[CallToolResult]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=era) as client,
        ):
            return await _answers(client, calls)

    return asyncio.run(ask())


def on_stdio(
    folder: Path, *calls: Call, era: Era = "auto", options: tuple[str, ...] = (), **environment: str
) -> tuple[list[Tool], list[CallToolResult]]:
    """The same of a real `lms-bot mcp` with the settings of a served folder."""

    async def ask() -> tuple[list[Tool], list[CallToolResult]]:
        async with Client(_program(folder, *options, **environment), mode=era) as client:
            return await _answers(client, calls)

    return asyncio.run(ask())


@contextmanager
def agent_on_stdio(folder: Path, token: str) -> Iterator[Callable[[str, dict[str, Any]], CallToolResult]]:
    """What asks a real `lms-bot mcp` that lives until this is left."""
    with start_blocking_portal() as portal:
        client = Client(_program(folder, LMS_BOT_TOKEN=token))
        with portal.wrap_async_context_manager(client):
            yield lambda tool, arguments: portal.call(client.call_tool, tool, arguments)


def _program(folder: Path, *options: str, **environment: str) -> StdioServerParameters:
    arguments = ["--bot-config-file", str(folder / "web.conf"), "mcp", *options]
    return StdioServerParameters(command=str(BIN / "lms-bot"), args=arguments, env=environment, cwd=folder)


@contextmanager
def away(server: str, url: str) -> Iterator[None]:
    """A database of a server to which nobody comes until this is left."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = sa.make_url(url).database
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.exec_driver_sql(end, (name,))
        yield
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def _answers(client: Client, calls: tuple[Call, ...]) -> tuple[list[Tool], list[CallToolResult]]:
    tools = (await client.list_tools()).tools
    return tools, [await client.call_tool(name, arguments) for name, arguments in calls]


def called(client: httpx.Client | TestClient, tool: str, arguments: Any = None) -> dict[str, Any]:
    """The result of a call without the SDK, which lets anything through."""
    params = {"name": tool, "arguments": {} if arguments is None else arguments}
    answer = posted(client, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def posted(client: httpx.Client | TestClient, body: Any, **headers: str) -> Any:
    """The answer to any body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    accepted = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    return client.post("/mcp", content=content, headers={**accepted, **headers})


def content_of(result: dict[str, Any]) -> dict[str, Any]:
    """What a tool answered, which is the same twice; AssertionError for an error."""
    assert not result.get("isError"), result
    (text,) = result["content"]
    structured: dict[str, Any] = result["structuredContent"]
    assert json.loads(text["text"]) == structured
    return structured


def error_of(result: dict[str, Any]) -> str:
    """The sentence that says why a tool did not answer."""
    assert result["isError"], result
    (text,) = result["content"]
    assert "structuredContent" not in result
    return str(text["text"])


def text_of(result: CallToolResult) -> str:
    """The text of an answer to the SDK's client."""
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


def without_moment(content: Any) -> dict[str, Any]:
    """What a tool answered, but for what says when."""
    return {name: value for name, value in content.items() if name not in ("as_of", "changes")}
