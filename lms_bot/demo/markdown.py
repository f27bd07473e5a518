"""Renders Zulip Markdown, as far as the bot writes it, for a terminal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lms_bot.chat.incoming import INVISIBLE

SPOILER = "```spoiler "
_TOKEN = re.compile(r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|<time:(?P<time>[^>]+)>")


def rendered(text: str, now: datetime) -> Group:
    """Return a message as it is read: spoilers open, times in the reader's own zone, nothing invisible."""
    shown: list[RenderableType] = []
    indent = 0
    for line in INVISIBLE.sub("", text).splitlines():
        if line.startswith(SPOILER):
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


def _inline(line: str, now: datetime) -> Text:
    text = Text()
    end = 0
    for token in _TOKEN.finditer(line):
        text.append(line[end : token.start()])
        if token["time"]:
            text.append(friendly(datetime.fromisoformat(token["time"]), now), style="cyan")
        else:
            text.append(token["bold"] or token["code"], style="bold" if token["bold"] else "yellow")
        end = token.end()
    return text.append(line[end:])
