"""Times as readers have them: in their own zone, in few words, with the exact moment beside."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from markupsafe import Markup

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.render.quoting import ago as short_ago

_TIME = Markup('<time datetime="{}" title="{}">{}</time>')
_WEEK = timedelta(days=6)


def time(when: datetime, zone: tzinfo, now: datetime) -> Markup:
    """Return a moment: today only by the clock, in the last days by the weekday too, before that by the date."""
    if when == UNKNOWN_TIME:
        return Markup("unknown time")
    local, today = when.astimezone(zone), now.astimezone(zone).date()
    return _TIME.format(when.isoformat(), f"{local:%A} {local.day} {local:%B %Y, %H:%M %Z}", _words(local, today))


def ago(when: datetime | None, zone: tzinfo, now: datetime) -> Markup:
    """Return how long ago a moment was, or that none is known."""
    if when is None or when == UNKNOWN_TIME:
        return Markup("not known")
    local = when.astimezone(zone)
    words = "just now" if now - when < timedelta(minutes=1) else f"{short_ago(when, now)} ago"
    return _TIME.format(when.isoformat(), f"{local:%A} {local.day} {local:%B %Y, %H:%M %Z}", words)


def day(when: date) -> str:
    """Return a date."""
    return f"{when.day} {when:%b %Y}"


def _words(local: datetime, today: date) -> str:
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock
    if local.date() == today - timedelta(days=1):
        return f"yesterday, {clock}"
    if timedelta() < today - local.date() <= _WEEK:
        return f"{local:%A}, {clock}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {clock}"
