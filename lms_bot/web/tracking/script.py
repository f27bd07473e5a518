"""Serves the script that the LMS's pages load."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request, Response

router = APIRouter()

PATH = "/tracker.js"


@router.get(PATH, include_in_schema=False)
def tracker(request: Request) -> Response:
    """Return the script, or that it is still the same; browsers ask again after an hour."""
    script, tag = _script()
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag.removeprefix("W/") in known:
        return Response(status_code=304, headers=headers)
    return Response(script, headers=headers, media_type="text/javascript")


@cache
def _script() -> tuple[bytes, str]:
    """Return the script and its ETag, a weak one since it is sent compressed or not."""
    script = resources.files("lms_bot.web.tracking").joinpath("tracker.js").read_bytes()
    return script, f'W/"{hashlib.sha256(script).hexdigest()[:32]}"'
