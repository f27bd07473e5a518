"""Whether the process lives, whether its store answers, and its metrics; without a token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from lms_bot.web.answers import problems
from lms_bot.web.context import context_of
from lms_bot.web.shapes import Health, Json

router = APIRouter(tags=["health"])
_AWAY: dict[int | str, dict[str, Any]] = {503: problems()[503]}


@router.get("/healthz", summary="Say that the process lives", response_model=Health)
def healthz(request: Request) -> Response:
    """Ask nothing of the store."""
    return Json({"status": "ok", **context_of(request).stamp()})


@router.get("/readyz", summary="Say that the store answers", response_model=Health, responses=_AWAY)
def readyz(request: Request) -> Response:
    """Answer 503 while the store is away."""
    context = context_of(request)
    with context.store.reading() as transaction:
        context.look(transaction, datetime.now(UTC))
    return Json({"status": "ok", **context.stamp()})


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Return what Prometheus reads."""
    return Response(context_of(request).metrics.page(), media_type="text/plain; version=0.0.4")
