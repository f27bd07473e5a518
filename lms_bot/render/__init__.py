"""Turns events into Zulip Markdown and makes foreign text harmless inside it."""

from lms_bot.render.events import EMOJI, TITLES, event_line, event_text, numbered_line
from lms_bot.render.fitting import MESSAGE_LIMIT, ROOM_FOR_LINES, WRITE_MORE, Shown, counted, fitted, lines_within
from lms_bot.render.notifications import INTRODUCTION, notification_text
from lms_bot.render.quoting import NOTHING, moment, number, percent, person, quote, student_name

__all__ = [
    "EMOJI",
    "INTRODUCTION",
    "MESSAGE_LIMIT",
    "NOTHING",
    "ROOM_FOR_LINES",
    "TITLES",
    "WRITE_MORE",
    "Shown",
    "counted",
    "event_line",
    "event_text",
    "fitted",
    "lines_within",
    "moment",
    "notification_text",
    "number",
    "numbered_line",
    "percent",
    "person",
    "quote",
    "student_name",
]
