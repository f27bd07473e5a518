"""A tool that says what figures and rules mean, in the words of docs/definitions.md, which the package carries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, Field

from lms_bot.web.mcp import arguments
from lms_bot.web.mcp.calls import Call, Document
from lms_bot.web.shapes import Answer

MOST = 30  # that are answered at once


class Definition(BaseModel):
    """What something means."""

    section: str
    term: str = Field(description="Empty for what is said of the section as a whole.")
    meaning: str


class DefinitionsFound(Answer):
    """What was found, the best first, at most thirty of `total`; `sections` are all headings."""

    definitions: list[Definition]
    total: int
    sections: list[str]


def definitions(call: Call, asked: arguments.Definitions) -> Document:
    """Say what figures, rules and words mean and how they are reckoned, as `average_score` or `usual gap`."""
    known = every_definition()
    wanted = re.findall(r"\w+", asked.about.casefold().replace("_", " "))
    scores = ((_score(one, wanted), one) for one in known)
    found = [one for score, one in sorted(scores, key=lambda pair: -pair[0]) if score > 0]
    return {
        "definitions": found[:MOST],
        "total": len(found),
        "sections": list(dict.fromkeys(one.section for one in known)),
    }


@cache
def every_definition() -> tuple[Definition, ...]:
    """Return each row of a table and each paragraph of the page, in its order."""
    page = files(__package__).joinpath("definitions.md").read_text("utf-8")
    found, section = [], ""
    for block in re.split(r"\n\s*\n|\n(?=\* |## |\|)", page):
        if block.startswith("#"):
            section, _, block = block.lstrip("# ").partition("\n")
        if text := " ".join(block.removeprefix("* ").split()):
            found.append(_of_row(section, text) if text.startswith("|") else _of_paragraph(section, text))
    return tuple(one for one in found if one is not None)


def _of_paragraph(section: str, text: str) -> Definition:
    return Definition(section=section, term="", meaning=text)


def _of_row(section: str, text: str) -> Definition | None:
    """Return what a row of a table says; None for the line below its head."""
    term, *cells = (cell.strip() for cell in text.strip("|").split(" | "))
    return Definition(section=section, term=term, meaning="; ".join(cells)) if cells else None


def _score(one: Definition, wanted: Sequence[str]) -> int:
    """Return how well a definition fits the words: what they name counts more than where they stand."""
    term, text = one.term.casefold(), f"{one.section} {one.meaning}".casefold()
    return sum(3 * (word in term) + (word in text) for word in wanted)
