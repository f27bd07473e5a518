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
NAMES |= {"api/v1/activity/stream"}  # a word of the contract
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
    assert SAYS_STREAM.findall(without_names(document.read_text("utf-8"))) == []


def test_d17_no_text_of_the_program_says_stream() -> None:
    said = [
        (path.name, text) for path in SOURCES for text in sentences(path) if SAYS_STREAM.search(without_names(text))
    ]
    assert said == []
