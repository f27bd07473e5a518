"""Shows on a page, in HTML, what is said in chat in Zulip Markdown: the same sentences, by the same functions."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from markupsafe import Markup, escape

from lms_bot.render.quoting import plain
from lms_bot.web.pages.times import time

_TOKEN = re.compile(
    r"\[(?P<name>[^\]]+)\]\((?P<target>https?://[^)\s]+)\)"
    r"|\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|<time:(?P<time>[^>]+)>"
)


def inline(text: str, zone: tzinfo, now: datetime) -> Markup:
    """Return one line of Markdown as HTML, times in a zone; nothing else in it means anything."""
    shown, end = Markup(), 0
    for token in _TOKEN.finditer(text):
        shown += _plain(text[end : token.start()]) + _token(token, zone, now)
        end = token.end()
    return shown + _plain(text[end:])


def _token(token: re.Match[str], zone: tzinfo, now: datetime) -> Markup:
    if token["target"]:
        link = Markup('<a href="{}" rel="noreferrer">{}</a>')
        return link.format(token["target"], plain(token["name"].strip("*")))
    if token["bold"]:
        return Markup("<strong>{}</strong>").format(plain(token["bold"]))
    if token["code"]:
        return Markup("<code>{}</code>").format(plain(token["code"]))
    return time(datetime.fromisoformat(token["time"]), zone, now)


def _plain(text: str) -> Markup:
    """Return a piece of text without what cannot be seen, the spaces at its ends kept."""
    clean = plain(text)
    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    return escape(f"{before}{clean}{after}" if clean else before)
