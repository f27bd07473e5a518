"""Who visits a page: finds the session of a request, and what its account may see now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from lms_bot.core.calendar import zone_named
from lms_bot.core.people import Mentor, Student
from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.overview import Freshness
from lms_bot.core.web.sessions import Session
from lms_bot.reports import freshness
from lms_bot.reports.preferences import time_zone
from lms_bot.reports.web import sessions
from lms_bot.store.session import Transaction
from lms_bot.web.context import Context, context_of
from lms_bot.web.pages import origin
from lms_bot.web.problems import Problem, too_many

SIGNED_OUT = "You are signed out. Write `dashboard` to the bot in Zulip, and open the link that it sends you."
FOREIGN = "This form was not sent from one of our pages. Open the page again, and try once more."
NOT_THERE = "There is no such page, or it is not yours."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in: who they are now, the zone of the times that they are shown, how old the data is."""

    context: Context
    session: Session
    name: str
    principal: Principal
    zone: ZoneInfo
    freshness: Freshness
    now: datetime

    def acting_as(self, *roles: Role) -> Principal:
        """Return the visitor with the rights of the first of these roles that they have. Raises Problem without."""
        for role in roles:
            if role in self.principal.roles:
                return self.principal.acting_as(role)
        raise Problem(404, NOT_THERE)


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie: over https one that no other host can set."""
    return "__Host-session" if origin.is_https(request) else "session"


def visitor(request: Request) -> Visitor:
    """Return who visits. Raises Problem and StoreUnavailable."""
    context, now = context_of(request), datetime.now(UTC)
    secret = request.cookies.get(cookie_name(request), "")
    with context.store.reading() as transaction:
        found = sessions.signed_in(transaction, secret, now)
        if found is None:
            raise Problem(401, SIGNED_OUT)
        context.look(transaction, now)
        age = freshness.freshness(transaction, found.principal, context.settings, now)
        zone = _zone(transaction, context, found)
    if wait := context.rate_limit.take(("session", found.session.session_id)):
        raise too_many("That was too fast.", wait)
    return Visitor(context, found.session, _name(found), found.principal, zone, age, now)


def require_own_form(request: Request) -> None:
    """Let only forms of our own pages go on. Raises Problem."""
    if not origin.is_own_form(request):
        raise Problem(403, FOREIGN)


def sender(request: Request) -> Visitor:
    """Return who sends a form of one of our pages. Raises Problem and StoreUnavailable."""
    require_own_form(request)
    return visitor(request)


Visiting = Annotated[Visitor, Depends(visitor)]
Sending = Annotated[Visitor, Depends(sender)]


def _name(found: sessions.SignedIn) -> str:
    people: list[Mentor | Student] = [*found.principal.mentors, *found.principal.students]
    return next((one.display_name for one in people if one.display_name), found.account.full_name)


def _zone(transaction: Transaction, context: Context, found: sessions.SignedIn) -> ZoneInfo:
    """Return the zone of a mentor's preferences; of anybody else's account in Zulip; or that of the settings."""
    if found.principal.mentors:
        return time_zone(transaction, found.principal, context.settings)
    return zone_named(found.account.timezone) or context.settings.timezone
