"""The hand-over of events to a program that analyses them: each is given until it is marked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.events import EventType
from lms_bot.core.reports.feed import Filter
from lms_bot.core.web.tokens import Scope
from lms_bot.pipeline.actions import handover
from lms_bot.reports.web import activity
from lms_bot.web.answers import answered, as_seen, problems
from lms_bot.web.callers import Caller, caller_with
from lms_bot.web.shapes import MOST_ID, Events, Json, Marked, Processed

router = APIRouter(prefix="/api/v1/events", tags=["events"])

_KINDS = "|".join(EventType)
Analyst = Annotated[Caller, Depends(caller_with(Scope.EVENTS))]


class Asked(BaseModel):
    """Which events are asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1_000, description="How many at most.")
    after: int = Field(0, ge=0, le=MOST_ID, description="`next` of the page before: the number of its last event.")
    type: str | None = Field(None, pattern=f"^({_KINDS})(,({_KINDS}))*$", max_length=1_000, description="By commas.")


@router.get(
    "/unprocessed", summary="Events that nobody marked yet, oldest first", response_model=Events, responses=problems()
)
def unprocessed(request: Request, caller: Analyst, asked: Annotated[Asked, Query()]) -> Response:
    """Return a page of the events that are not marked as processed, in the order of recording."""
    types = frozenset(map(EventType, asked.type.split(","))) if asked.type else frozenset[EventType]()
    with caller.context.store.reading() as transaction:
        found = activity.unprocessed(
            transaction, caller.principal, Filter(types=types), most=asked.limit + 1, after=asked.after
        )
    shown = found[: asked.limit]
    content = {
        "items": [as_seen(event, caller.token, sees_names=caller.sees_names) for event in shown],
        "next": str(shown[-1].event_id) if len(found) > asked.limit else None,
    }
    return answered(request, caller, content)


@router.post("/processed", summary="Mark events as processed", response_model=Marked, responses=problems(413))
def processed(caller: Analyst, done: Processed) -> Response:
    """Mark exactly these events; what may not be read, or is not there, is left out."""
    with caller.context.store.writing() as transaction:
        marked = handover.mark_processed(transaction, caller.principal, done.event_ids)
    return Json({"marked": marked, **caller.context.stamp()})
