"""What a mentor's students do: a list with filters, which grows while somebody looks at it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from lms_bot.core.calendar import DAY, start_of_day
from lms_bot.core.events import Event, EventType
from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.core.web import positions
from lms_bot.core.web.positions import Position
from lms_bot.reports import access
from lms_bot.reports import feed as reports
from lms_bot.reports.web import activity
from lms_bot.reports.web.activity import Recorded
from lms_bot.store.session import Transaction
from lms_bot.web import cursors
from lms_bot.web.pages import words
from lms_bot.web.pages.documents import fragment, page
from lms_bot.web.pages.visitors import Visiting, Visitor
from lms_bot.web.problems import too_many
from lms_bot.web.shapes import MOST_ID
from lms_bot.web.streams import PAGE, Stream

router = APIRouter(include_in_schema=False)

SHOWN = 50
LONGEST = 100  # characters of a text that is looked for
SEARCHED = timedelta(days=90)  # without a day to begin with: no index finds a part of a title
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor chose; what cannot be a choice of theirs is as if it was not there."""

    type: EventType | None
    student: int | None
    course: str
    search: str
    begin: date | None
    end: date | None

    def filter(self, visitor: Visitor) -> Filter:
        """Return which events these are; days are the visitor's."""
        since = start_of_day(self.begin, visitor.zone) if self.begin else None
        until = start_of_day(self.end + DAY, visitor.zone) if self.end else None
        if self.search and since is None:
            since = (until or visitor.now) - SEARCHED
        types = frozenset({self.type}) if self.type else frozenset[EventType]()
        return Filter(since, types, self.course, until, self.search)

    def address(self, **more: str) -> str:
        """Return these choices as the end of an address."""
        known = {
            "type": self.type,
            "student": self.student,
            "course": self.course,
            "search": self.search,
            "from": self.begin,
            "to": self.end,
            **more,
        }
        return urlencode({key: str(value) for key, value in known.items() if value})

    @property
    def is_anything(self) -> bool:
        return bool(self.address())


def _asked(
    type: str = "",
    student: str = "",
    course: str = "",
    search: str = "",
    begin: Annotated[str, Query(alias="from")] = "",
    end: Annotated[str, Query(alias="to")] = "",
) -> Asked:
    is_number = student.isascii() and student.isdigit() and len(student) < len(str(MOST_ID))
    return Asked(
        type=EventType(type) if type in words.SHOWN_TYPES else None,
        student=int(student) if is_number else None,
        course=_text(course),
        search=_text(search),
        begin=_date(begin),
        end=_date(end),
    )


Choices = Annotated[Asked, Depends(_asked)]


@router.get("/feed")
def feed(request: Request, visitor: Visiting, asked: Choices, after: str = "") -> Response:
    """Show what happened, newest first."""
    mentor, wanted = visitor.acting_as(Role.MENTOR), asked.filter(visitor)
    if re.fullmatch(cursors.PATTERN, after):
        wanted = replace(wanted, before=cursors.read(after))
    with visitor.context.store.reading() as transaction:
        students = access.students(transaction, mentor)
        reached = activity.reached(transaction)
        found = _events(transaction, visitor, mentor, asked, wanted, SHOWN + 1)
    shown = found[:SHOWN]
    ended_at = cursors.written((shown[-1].timestamp, shown[-1].event_id)) if len(found) > SHOWN else ""
    return page(
        request,
        "feed.html",
        visitor,
        asked=asked,
        students=sorted(students, key=lambda one: one.name.casefold()),
        found=shown,
        next=asked.address(after=ended_at) if ended_at else "",
        is_first=wanted.before is None,
        live=f"/feed/stream?{asked.address(after=str(reached))}",
    )


@router.get("/feed/stream")
async def stream(
    request: Request,
    visitor: Visiting,
    asked: Choices,
    after: Annotated[str | None, Query(pattern=positions.PATTERN)] = None,
    last_event_id: Annotated[str | None, Header(pattern=positions.PATTERN)] = None,
) -> Response:
    """Send what is recorded from now on, or after an event, as items of the list."""
    mentor = visitor.acting_as(Role.MENTOR)
    opened = Stream(visitor.session, mentor, frozenset({asked.type}) if asked.type else frozenset(), asked.student)
    streams = visitor.context.streams
    if not streams.has_room(visitor.session):
        raise too_many("Too many pages are open.", 30)
    resumed = last_event_id or after
    position = positions.read(resumed) if resumed else None
    read = partial(_recorded, visitor, mentor)
    sent = streams.sent(opened, position, read, partial(_written, request, visitor, mentor, asked))
    return StreamingResponse(sent, media_type="text/event-stream", headers=_HEADERS)


def _recorded(visitor: Visitor, mentor: Principal, position: Position, up_to: int) -> tuple[Position, list[Recorded]]:
    with visitor.context.store.reading() as transaction:
        reached, found = activity.recorded(transaction, position, most=PAGE, up_to=up_to)
        return reached, activity.readable(transaction, mentor, found)


def _written(
    request: Request, visitor: Visitor, mentor: Principal, asked: Asked, recorded: Sequence[Recorded]
) -> bytes:
    """Return the items of those events that the visitor's choices leave, by the same filter as the page's."""
    if not recorded:
        return b""
    wanted = replace(asked.filter(visitor), event_ids=frozenset(event.event_id for _, event in recorded))
    with visitor.context.store.reading() as transaction:
        found = {one.event_id: one for one in _events(transaction, visitor, mentor, asked, wanted, len(recorded))}
    items = (
        (position, fragment(request, "event", visitor, found[event.event_id]))
        for position, event in recorded
        if event.event_id in found
    )
    return b"".join(b"id: %b\ndata: %b\n\n" % (str(position).encode(), item.encode()) for position, item in items)


def _events(
    transaction: Transaction, visitor: Visitor, mentor: Principal, asked: Asked, wanted: Filter, most: int
) -> list[Event]:
    settings = visitor.context.settings
    if asked.student is None:
        return reports.feed(transaction, mentor, wanted, Page(most), settings)
    return reports.history(transaction, mentor, asked.student, wanted, Page(most), settings)


def _text(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:LONGEST]


def _date(text: str) -> date | None:
    """Return the date of an input of a form; None for none, and for what no calendar has room for."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, of whatever zone
    except ValueError:
        return None
    return found if 1990 <= found.year < 2200 else None
