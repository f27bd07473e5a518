"""The words that people read are those of Zulip and of the product."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lms_bot
from lms_bot.config.settings import SETTINGS

ROOT = Path(__file__).parent.parent
PACKAGE = Path(lms_bot.__file__).parent
DOCUMENTS = sorted(
    [*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "lms_bot.conf.example"]
)
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
NAMES = {name for setting in SETTINGS for name in (setting.key, setting.environment) if "stream" in name.lower()}
NAMES |= {
    "api/v1/activity/stream",
    "/feed/stream",
    "`streams`",
    "lms_bot_web_open_streams",
}  # words of the contract, and a module
OF_THE_WEB = (ROOT / "docs" / "api.md", PACKAGE / "web")  # where a stream is one of server-sent events
SAYS_STREAM = re.compile(r"\bstreams?\b", re.IGNORECASE)


def without_names(text: str) -> str:
    for name in sorted(NAMES, key=len, reverse=True):
        text = re.sub(re.escape(name), "", text, flags=re.IGNORECASE)
    return text


def sentences(path: Path) -> Iterator[str]:
    """The texts in a source that people may read: those of more than one word."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_d17_documents_say_channel_and_not_stream(document: Path) -> None:
    said = SAYS_STREAM.findall(without_names(document.read_text("utf-8")))
    assert said == [] or document in OF_THE_WEB


def test_d17_no_text_of_the_program_says_stream() -> None:
    said = [
        (path.name, text)
        for path in SOURCES
        if not path.is_relative_to(OF_THE_WEB[1])
        for text in sentences(path)
        if SAYS_STREAM.search(without_names(text))
    ]
    assert said == []
