"""A tool that shows what students did, newest first."""

from __future__ import annotations

from lms_bot.web.api.activity import page_of
from lms_bot.web.mcp import arguments
from lms_bot.web.mcp.calls import Call, Document
from lms_bot.web.shapes import Answer, Event


class Activity(Answer):
    """A page of events; `next` is what `after` takes for the next one, null on the last."""

    items: list[Event]
    next: str | None


def recent_activity(call: Call, asked: arguments.RecentActivity) -> Document:
    """Show what students did, newest first: exams, content, streaks and certificates, of one student or of all."""
    return page_of(call.transaction, call.caller, asked)
