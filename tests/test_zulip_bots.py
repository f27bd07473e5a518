"""The bot under zulip_bots' own tools: its test library and its shell, where there is no Zulip."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from zulip_bots.test_lib import StubBotHandler

from lms_bot.bot import LmsBotHandler
from lms_bot.core.principal import Role
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.dispatch import STRANGER
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.store.session import open_store
from tests.bot_process import PATIENCE
from tests.databases import store_in_file
from tests.questions import EVE, JANE, MARY, School

ROOT = Path(__file__).parents[1]
SHELL = Path(sys.executable).parent / "zulip-bot-shell"


@pytest.fixture
def store_url(tmp_path: Path) -> Iterator[str]:
    """A store that knows Mary and her students."""
    url = store_in_file(tmp_path / "store.db")
    store = open_store(url)
    School.open(store).happens(JANE, 3)
    yield url
    store.close()


@pytest.fixture
def bot(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LmsBotHandler]:
    """The handler as BotTestCase makes it, with its settings in the environment; nothing listens at its LMS."""
    monkeypatch.setenv("LMS_DATABASE_URL", "postgresql://lms_bot@127.0.0.1:1/lms")
    monkeypatch.setenv("LMS_STORE_DATABASE_URL", store_url)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    handler = LmsBotHandler()
    handler.initialize(StubBotHandler())
    yield handler
    handler._parts.close()


def ask(bot: LmsBotHandler, content: str, **message: Any) -> str:
    """The one reply to a message as the test library makes it."""
    stub = StubBotHandler()
    asked = {"display_recipient": "foo_stream", "sender_email": "foo@example.com", "sender_full_name": "Foo"}
    bot.handle_message({**asked, "content": content, **message}, stub)
    return str(stub.unique_reply()["content"])


def test_a_mentor_of_the_stub_is_answered(bot: LmsBotHandler) -> None:
    assert "`history @student" in ask(bot, "help", sender_id=str(MARY))
    assert "Task 3" in ask(bot, "history jane_smith", sender_id=str(MARY))


def test_a_dialogue_works_under_the_stub(bot: LmsBotHandler) -> None:
    assert "Answer with a number" in ask(bot, "history jan", sender_id=MARY)
    assert ask(bot, "1", sender_id=MARY).startswith("**Jane Smith**")


@pytest.mark.parametrize("content", ["", "help", "history jane_smith", "\x00\ud800", "1", "more"])
@pytest.mark.parametrize("sender", [{}, {"sender_id": "123"}, {"sender_id": str(EVE)}, {"sender_id": None}])
def test_a_stranger_of_the_stub_gets_one_sentence(bot: LmsBotHandler, content: str, sender: dict[str, Any]) -> None:
    assert ask(bot, content, **sender) == STRANGER


def test_a_file_goes_through_the_stub(bot: LmsBotHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REGISTRY, "_commands", dict(REGISTRY._commands))

    @REGISTRY.command("picture", Role.MENTOR)
    def picture(request: Request, arguments: Arguments) -> Reply:
        """Draw."""
        return Reply("Here it is.", attachment=("a.png", b"png"))

    assert ask(bot, "picture", sender_id=MARY).startswith("Here it is.\n\n[a.png](https://server/user_uploads/")


def test_usage_is_for_people(bot: LmsBotHandler) -> None:
    usage = bot.usage()
    assert all(command.name in usage for command in REGISTRY.of(Role.MENTOR))


def test_the_shell_answers(store_url: str, tmp_path: Path) -> None:
    config = tmp_path / "lms_bot.conf"
    config.write_text(
        f"[lms_bot]\nlms_database_url = postgresql://x:y%40z@127.0.0.1:1/lms\nstore_database_url = {store_url}\n"
    )
    done = subprocess.run(
        [str(SHELL), str(ROOT / "lms_bot/bot.py"), "-b", str(config)],
        input="help\nhistory jane_smith\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout.count(STRANGER) == 2, done.stderr
    assert "EOFError" in done.stderr.splitlines()[-1], "the shell itself ends so when its input does"
