"""The last lines of replies: how old the data is that they are made of."""

from __future__ import annotations

from lms_bot.core.reports.overview import Freshness
from lms_bot.handlers.request import Request
from lms_bot.render import moment
from lms_bot.reports.freshness import freshness


def note_of_age(request: Request) -> str:
    """Return a last line that says how old the data is; "" where it is fresh."""
    return _age(freshness(request.transaction, request.principal, request.settings, request.now))


def note_of_absence(request: Request) -> str:
    """Return the same, after a line that says when the data is too old to say who is absent."""
    found = freshness(request.transaction, request.principal, request.settings, request.now)
    if not found.is_blind:
        return _age(found)
    return "\n\n🙈 There is no fresh data of the LMS: nothing is said of who is absent until there is." + _age(found)


def _age(found: Freshness) -> str:
    if found.read_at is None:
        return "\n\n⏳ I have not read the LMS yet."
    if not found.is_old:
        return ""
    return f"\n\n⏳ The LMS could last be read at {moment(found.read_at)}: newer events are missing here."
