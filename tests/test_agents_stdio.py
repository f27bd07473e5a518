"""`lms-bot mcp` answers one program on standard input and output, as the same tools answer over HTTP."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lms_bot.core.web.tokens import Scope
from lms_bot.pipeline.actions import tokens as token_actions
from lms_bot.store.session import open_store
from tests import NOW
from tests.agents import (
    EVERY_CALL,
    TOOLS,
    Scene,
    agent_on_stdio,
    away,
    called,
    content_of,
    on_stdio,
    over_http,
    posted,
    scene_on,
    text_of,
    without_moment,
)
from tests.bot_process import BIN, PATIENCE, from_store, wait_for
from tests.databases import make_store, on_server
from tests.web_process import JANE, make_token, people_the_store, serving


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene_on("sqlite", request, tmp_path_factory.mktemp("agents")) as found:
        yield found


def test_standard_input_and_output_answer_the_same(scene: Scene) -> None:
    token = make_token(scene.store, "program")
    tools, answers = on_stdio(scene.folder, *EVERY_CALL.items(), era="legacy", LMS_BOT_TOKEN=token)
    _, over = over_http(scene.web.url, token, *EVERY_CALL.items())
    assert [tool.name for tool in tools] == [*TOOLS]
    for one, other in zip(answers, over, strict=True):
        assert without_moment(one.structured_content) == without_moment(other.structured_content)
    rows = "SELECT path, student_id FROM api_audit WHERE token = 'program' ORDER BY audit_id"
    wait_for(lambda: len(from_store(scene.url, rows)) == 2 * len(TOOLS))
    assert ("/mcp/student_profile", JANE) in from_store(scene.url, rows)


def test_while_the_store_is_away_both_ways_say_so(postgresql_server: str, tmp_path: Path) -> None:
    call: tuple[str, dict[str, Any]] = ("find_students", {})
    with on_server(postgresql_server, make_store) as url:
        store = open_store(url)
        people_the_store(store)
        token = make_token(store, "patient")
        store.close()
        with serving(url, tmp_path) as web, agent_on_stdio(tmp_path, token) as ask:
            client = web.client(token)
            assert content_of(called(client, *call))["total"] == ask(*call).structured_content["total"]
            with away(postgresql_server, url):
                answer = posted(client, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
                said = ask(*call)
                assert said.is_error
                assert text_of(said).startswith("The event store does not answer just now. The LMS was last")
            assert content_of(called(client, *call))["total"] == 4
            assert ask(*call).structured_content["total"] == 4


def test_a_program_on_stdio_is_refused_from_the_moment_its_token_ends(scene: Scene) -> None:
    with agent_on_stdio(scene.folder, make_token(scene.store, "ending", Scope.PROFILE)) as ask:
        assert ask("find_students", {}).structured_content["total"] == 4
        with scene.store.writing() as transaction:
            token_actions.revoke(transaction, "ending", NOW)
        said = ask("find_students", {})
        assert (said.is_error, text_of(said)) == (True, "The token is revoked.")


@pytest.mark.parametrize(
    ("environment", "options", "code", "said"),
    [
        ({}, [], 2, "mcp needs a token of `lms-bot token create`, in LMS_BOT_TOKEN or --token-file FILE."),
        ({"LMS_BOT_TOKEN": " "}, [], 2, "mcp needs a token of"),
        ({}, ["--token-file", "nowhere"], 2, "the token cannot be read from nowhere: "),
        ({"LMS_BOT_TOKEN_FILE": "/"}, [], 2, "the token cannot be read from /: "),
        ({"LMS_BOT_TOKEN": "lmsb_nonsense"}, [], 1, "There is no such token."),
    ],
)
def test_without_a_token_that_counts_it_says_what_to_do(
    scene: Scene, environment: dict[str, str], options: list[str], code: int, said: str
) -> None:
    command = [str(BIN / "lms-bot"), "--bot-config-file", str(scene.folder / "web.conf"), "mcp", *options]
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith(f"lms-bot: {said}")


def test_a_token_in_a_file_is_enough(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(make_token(scene.store, "filed", Scope.PROFILE) + "\n")
    _, (answer,) = on_stdio(scene.folder, ("find_students", {}), options=("--token-file", str(file)))
    assert answer.structured_content["total"] == 4
