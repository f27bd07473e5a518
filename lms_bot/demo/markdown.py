"""Renders Zulip Markdown, as far as the bot writes it, for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lms_bot.chat.incoming import INVISIBLE

SPOILER = "```spoiler "
_TOKEN = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|<time:(?P<time>[^>]+)>|\[(?P<name>[^\]]+)\]\((?P<target>[^)]+)\)"
)
_RULE_OF_TABLE = re.compile(r"[|\s:-]+")


def rendered(text: str, now: datetime) -> Group:
    """Return a message as it is read: spoilers open, tables, times in the reader's own zone, nothing invisible."""
    shown: list[RenderableType] = []
    indent = 0
    lines = INVISIBLE.sub("", text).splitlines()
    for place, line in enumerate(lines):
        if line.startswith("|"):
            if place == 0 or not lines[place - 1].startswith("|"):
                rows = list(takewhile(lambda row: row.startswith("|"), lines[place:]))
                shown.append(Padding(_table(rows, now), (0, 0, 0, indent)))
        elif line.startswith(SPOILER):
            shown.append(Text(f"▾ {line.removeprefix(SPOILER)}", style="bold"))
            indent = 2
        elif line == "```":
            indent = 0
        else:
            shown.append(Padding(_line(line, now), (0, 0, 0, indent)))
    return Group(*shown)


def friendly(when: datetime, now: datetime) -> str:
    """Return a time as people say it, in the zone of this computer."""
    local, today = when.astimezone(), now.astimezone().date()
    if local.date() == today:
        return f"{local:%H:%M} today"
    if local.date() == today - timedelta(days=1):
        return f"{local:%H:%M} yesterday"
    return f"{local:%H:%M on %a} {local.day} {local:%b}"


def _line(line: str, now: datetime) -> RenderableType:
    if line == "---":
        return Rule(style="dim")
    if not line.startswith("* "):
        return _inline(line, now)
    item = Table.grid(padding=(0, 1, 0, 0))
    item.add_row("•", _inline(line[2:], now))
    return item


def _table(lines: Sequence[str], now: datetime) -> Table:
    """Return a table, whose first line is its head."""
    head, *rows = [
        [_inline(cell.strip(), now) for cell in line.strip().strip("|").split("|")]
        for line in lines
        if not _RULE_OF_TABLE.fullmatch(line)
    ]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for cell in head:
        table.add_column(cell)
    for row in rows:
        table.add_row(*row[: len(head)])
    return table


def _inline(line: str, now: datetime) -> Text:
    text = Text()
    end = 0
    for token in _TOKEN.finditer(line):
        text.append(line[end : token.start()])
        if token["time"]:
            text.append(friendly(datetime.fromisoformat(token["time"]), now), style="cyan")
        elif token["target"] and "://" in token["target"]:
            text.append(token["name"].strip("*"), style=f"bold link {token['target']}")
        elif token["target"]:
            text.append(f"📎 {token['target']}", style=f"underline link file://{token['target']}")
        else:
            text.append(token["bold"] or token["code"], style="bold" if token["bold"] else "yellow")
        end = token.end()
    return text.append(line[end:])
