"""What wakes the worker: a program that wants the LMS read now, and signals of the LMS itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool

from lms_bot.core.web.tokens import Scope
from lms_bot.pipeline.actions import control
from lms_bot.web.answers import problems
from lms_bot.web.callers import Caller, Credentials, caller_with, identify
from lms_bot.web.context import Context, context_of
from lms_bot.web.problems import Problem, unauthorized
from lms_bot.web.shapes import Json, Ordered, Received

router = APIRouter(prefix="/api/v1", tags=["orders"])

LOOK_AT = "/readyz"
Syncer = Annotated[Caller, Depends(caller_with(Scope.SYNC))]
_BODY: dict[str, Any] = {
    "requestBody": {"content": {"application/json": {"schema": {}}}, "required": False},
    "security": [{"token": []}, {"signature": []}],
}


@router.post(
    "/lms/sync/students/",
    summary="Have the LMS read now",
    status_code=202,
    response_model=Ordered,
    responses=problems(409),
)
def sync(caller: Syncer) -> Response:
    """Order a sync and a poll, and return where to look: `lms_read_at` there moves when both are done."""
    if not caller.context.settings.monitor_enabled:
        raise Problem(409, "Polling is turned off in the settings (monitor_enabled).")
    with caller.context.store.writing() as transaction:
        control.sync(transaction, datetime.now(UTC))
    content = {"status": "ordered", "look_at": LOOK_AT, **caller.context.stamp()}
    return Json(content, 202, headers={"Location": LOOK_AT})


@router.post(
    "/signals",
    summary="Say that something changed in the LMS",
    status_code=202,
    response_model=Received,
    responses=problems(413),
    openapi_extra=_BODY,
)
async def signals(
    request: Request,
    credentials: Credentials,
    webhook_id: Annotated[str | None, Header(max_length=256, description="As Standard Webhooks say.")] = None,
) -> Response:
    """Take a signal, signed as Standard Webhooks are or with a token.

    It wakes the worker's poll and is never believed: what it says is not read.
    """
    context, body = context_of(request), await request.body()
    if request.headers.get("Authorization") is not None:
        await run_in_threadpool(identify, request, credentials, Scope.SIGNALS)
    elif not context.signals.is_signed(body, request.headers):
        context.metrics.signalled("refused")
        raise unauthorized("The signal is not signed, or not by the LMS, or was signed over five minutes ago.")
    if webhook_id is not None and not context.signals.is_new(webhook_id):
        context.metrics.signalled("repeated")
    else:
        context.metrics.signalled("received")
        if context.settings.monitor_enabled:
            await run_in_threadpool(_wake, context)
    return Json({"status": "received", **context.stamp()}, 202)


def _wake(context: Context) -> None:
    with context.store.writing(durable=False) as transaction:
        control.wake(transaction, datetime.now(UTC))
