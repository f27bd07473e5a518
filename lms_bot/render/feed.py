"""What students did, line by line, as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bot.core.events import Event
from lms_bot.render.events import numbered_line
from lms_bot.render.fitting import MESSAGE_LIMIT, WRITE_MORE, Shown, listed


def feed_text(events: Sequence[Event], most: int = 20, heading: str = "", limit: int = MESSAGE_LIMIT) -> Shown:
    """Return the first `most` events, a line each with its number, and that `more` shows more where there are more.

    Hand over one event more than is to be shown, if there is one.
    """
    start = f"{heading}\n\n" if heading else ""
    lines = (f"* {numbered_line(event)}" for event in events[:most])
    page = listed(lines, len(events), limit - len(start), lambda _: WRITE_MORE.removeprefix("\n"))
    return Shown(start + page.text, page.entries)
