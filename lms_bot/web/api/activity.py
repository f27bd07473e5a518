"""What students did, newest first, and as it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from lms_bot.core.events import ALERTING, EventType
from lms_bot.core.reports.feed import Filter
from lms_bot.core.web import positions
from lms_bot.core.web.positions import Position
from lms_bot.core.web.tokens import Scope
from lms_bot.reports import access
from lms_bot.reports.web import activity
from lms_bot.reports.web.activity import Recorded
from lms_bot.store.session import Transaction
from lms_bot.web import cursors
from lms_bot.web.answers import answered, as_seen, problems
from lms_bot.web.callers import Caller, caller_with
from lms_bot.web.problems import too_many
from lms_bot.web.shapes import Events, Id, to_bytes
from lms_bot.web.streams import PAGE, Stream

router = APIRouter(prefix="/api/v1/activity", tags=["activity"])

_KINDS = "|".join(kind for kind in EventType if kind not in ALERTING)
TYPES = f"^({_KINDS})(,({_KINDS}))*$"
Reader = Annotated[Caller, Depends(caller_with(Scope.ACTIVITY))]


def _moment(text: str) -> datetime:
    """Return the moment of RFC 3339. Raises ValueError."""
    moment = datetime.fromisoformat(text.upper().replace(":60", ":59"))
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError("write a date, a time and a time zone, as 2026-01-31T08:00:00Z")
    return moment


Moment = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


def as_filter(since: Any, kinds: str | None, course: str | None) -> Filter:
    """Return which events are asked for; `since` is what `Moment` made of it, `kinds` are separated by commas."""
    types = frozenset(map(EventType, kinds.split(","))) if kinds else frozenset[EventType]()
    return Filter(since if isinstance(since, datetime) else None, types, course or "")


class Which(BaseModel):
    """Which events are asked for."""

    model_config = ConfigDict(extra="forbid")

    type: str | None = Field(None, pattern=TYPES, max_length=1_000, description="Only these kinds, by commas.")
    student: Id | None = Field(None, description="Only of this student, by the LMS's id.")

    @property
    def student_id(self) -> int | None:
        return self.student

    @property
    def types(self) -> frozenset[EventType]:
        return as_filter(None, self.type, None).types


class Asked(Which):
    """The same, as a page."""

    limit: int = Field(20, ge=1, le=100, description="How many at most.")
    after: str | None = Field(None, pattern=cursors.PATTERN, description="`next` of the page before.")
    since: Moment | None = Field(None, description="Only what happened at this moment or later.")
    course: str | None = Field(None, pattern="^[^\\x00]{1,100}$", description="A part of the course's title.")

    @property
    def filter(self) -> Filter:
        return as_filter(self.since, self.type, self.course)


class AskedFor(Protocol):
    """A page of events that somebody asks for."""

    @property
    def limit(self) -> int: ...
    @property
    def after(self) -> str | None: ...
    @property
    def student_id(self) -> int | None: ...
    @property
    def filter(self) -> Filter: ...


def page_of(transaction: Transaction, caller: Caller, asked: AskedFor) -> dict[str, Any]:
    """Return a page of events as the caller sees them, and where the next one begins. Raises NotFound."""
    page = activity.newest(
        transaction,
        caller.principal,
        asked.filter,
        most=asked.limit,
        before=cursors.read(asked.after) if asked.after else None,
        student_id=asked.student_id,
    )
    return {
        "items": [as_seen(event, caller.token, sees_names=caller.sees_names) for event in page.events],
        "next": cursors.written(page.next) if page.next else None,
    }


@router.get("/", summary="What students did, newest first", response_model=Events, responses=problems(404))
def newest(request: Request, caller: Reader, asked: Annotated[Asked, Query()]) -> Response:
    """Return a page of events; what is found meanwhile does not move the pages after it.

    A page of one kind or one course of all students looks at 10,000 events and may be short or empty: `next` says
    whether there may be more.
    """
    with caller.context.store.reading() as transaction:
        content = page_of(transaction, caller, asked)
    return answered(request, caller, content)


@router.get(
    "/stream",
    summary="The same events as they are recorded",
    responses={**problems(404), 200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    response_class=StreamingResponse,
)
async def stream(
    caller: Reader,
    which: Annotated[Which, Query()],
    last_event_id: Annotated[
        str | None, Header(pattern=positions.PATTERN, description="The `id:` of the last event that was read.")
    ] = None,
) -> Response:
    """Send server-sent events: `data:` is one JSON each, `id:` is where to resume."""
    if which.student is not None:
        await asyncio.to_thread(_look_for, caller, which.student)
    opened = Stream(caller.token, caller.principal, which.types, which.student)
    if not caller.context.streams.has_room(caller.token):
        raise too_many("Too many streams are open.", 30)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    after = positions.read(last_event_id) if last_event_id else None
    sent = caller.context.streams.sent(opened, after, partial(_page, caller), partial(_written, caller))
    return StreamingResponse(sent, media_type="text/event-stream", headers=headers)


def _look_for(caller: Caller, student_id: int) -> None:
    with caller.context.store.reading() as transaction:
        access.student(transaction, caller.principal, student_id)


def _page(caller: Caller, position: Position, up_to: int) -> tuple[Position, list[Recorded]]:
    with caller.context.store.reading() as transaction:
        reached, found = activity.recorded(transaction, position, most=PAGE, up_to=up_to)
        return reached, activity.readable(transaction, caller.principal, found)


def _written(caller: Caller, found: Sequence[Recorded]) -> bytes:
    return b"".join(
        b"id: %b\ndata: %b\n\n"
        % (str(position).encode(), to_bytes(as_seen(event, caller.token, sees_names=caller.sees_names)))
        for position, event in found
    )
