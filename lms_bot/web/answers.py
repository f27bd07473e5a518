"""Puts answers together: events as a token may see them, and what stands in every answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from lms_bot.core.web.tokens import Token, pseudonym
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.web.callers import Caller
from lms_bot.web.problems import MEDIA_TYPE
from lms_bot.web.shapes import Json, ProblemDetails, to_bytes

_SAYS = {
    401: "No token, or none that counts",
    403: "The token lacks the scope",
    404: "There is no such thing, or it is not yours",
    409: "The settings turn polling off",
    413: "The body is too large",
    422: "A value cannot be used",
    429: "The token asks too often",
    503: "The event store is away",
}
_EVERYWHERE = (401, 403, 422, 429, 503)


def problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors of a path."""
    return {
        status: {
            "model": ProblemDetails,
            "description": _SAYS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in sorted({*_EVERYWHERE, *more})
    }


def answered(request: Request, caller: Caller, content: Mapping[str, Any]) -> Response:
    """Return the answer of a GET, or that it is still the same; its ETag is of all but the moment of the answer."""
    stamp = caller.context.stamp()
    digest = hashlib.sha256(to_bytes([content, stamp["lms_read_at"]])).hexdigest()[:32]
    headers = {"ETag": f'W/"{digest}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if f'"{digest}"' in known:
        return Response(status_code=304, headers=headers)
    return Json({**content, **stamp}, headers=headers)


def student_as_seen(student: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Return who a student is as a caller sees it: without the scope `names` by the pseudonym that events have."""
    if caller.sees_names:
        return student
    name = pseudonym(caller.token, "student", student["student_id"])
    return {**student, "username": name, "name": name}


def as_seen(event: RecordedEvent, token: Token, *, sees_names: bool) -> dict[str, Any]:
    """Return the columns of an event as a token sees them.

    Without the scope `names` people have pseudonyms and no accounts. A token of one mentor reads of no other mentor.
    """
    columns = event._asdict()
    if token.mentor_id is not None and event.mentor_id != token.mentor_id:
        columns |= {"mentor_id": None, "mentor_username": None}
    if not sees_names:
        columns["zulip_user_id"] = None
        for who in ("student", "mentor"):
            name = columns[f"{who}_username"]
            if name is not None:
                key = columns[f"{who}_id"]
                columns[f"{who}_username"] = pseudonym(token, who, name if key is None else key)
    return columns
