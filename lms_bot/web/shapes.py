"""The forms of requests and answers, as OpenAPI describes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from lms_bot.core.events import EventType

MOST_ID = 2**53 - 1  # what every reader of JSON takes for a whole number
Id = Annotated[int, Field(ge=1, le=MOST_ID)]


class Answer(BaseModel):
    """What stands in every answer."""

    model_config = ConfigDict(extra="forbid")

    as_of: datetime = Field(description="The moment of this answer.")
    lms_read_at: datetime | None = Field(description="When the LMS was last read, as far as is known.")


class Event(BaseModel):
    """A recorded event: the columns of lms_activity_events; names as pseudonyms without the scope `names`."""

    model_config = ConfigDict(extra="forbid")

    event_id: int
    event_type: EventType
    student_id: int | None
    student_username: str | None
    mentor_id: int | None
    mentor_username: str | None
    activity_id: int | None
    activity_title: str | None
    activity_metadata: dict[str, Any]
    timestamp: datetime
    created_at: datetime
    processed_for_ai: bool
    zulip_user_id: int | None
    source_table: str
    source_id: int
    is_current: bool
    episode: int


class Events(Answer):
    """A page of events; `next` is what `after` takes for the next one, null on the last."""

    items: list[Event]
    next: str | None


class Marked(Answer):
    """How many events were not marked as processed before."""

    marked: int


class Ordered(Answer):
    """An order to the worker is written down; `look_at` is where its effect can be seen."""

    status: Literal["ordered"]
    look_at: str


class Received(Answer):
    """A signal was taken; whether anything changed, only the LMS itself can say."""

    status: Literal["received"]


class Health(Answer):
    """The process, or the process and its store, answer."""

    status: Literal["ok"]


class Mistake(BaseModel):
    """A value that cannot be used."""

    where: str
    reason: str


class ProblemDetails(Answer):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] | None = None
    data_age: int | None = Field(None, description="Seconds since the LMS was last read, where that is known.")


class Processed(BaseModel):
    """The events to mark as processed."""

    model_config = ConfigDict(extra="forbid")

    event_ids: Annotated[list[Id], Field(min_length=1, max_length=1_000)]


def to_bytes(content: Any) -> bytes:
    """Return JSON; moments are written in UTC, and numbers that JSON does not have as null."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_bytes(content)
