"""Lets people in with the link that they were sent, and out again."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from lms_bot.core.web.sessions import SESSION_LASTS
from lms_bot.pipeline.actions import sessions
from lms_bot.web.context import context_of
from lms_bot.web.pages import origin
from lms_bot.web.pages.documents import page, see_other
from lms_bot.web.pages.visitors import Sending, cookie_name, require_own_form
from lms_bot.web.problems import Problem

router = APIRouter(include_in_schema=False)

USELESS = (
    "This link is of no use: it was used before, or is older than ten minutes. Write `dashboard` to the bot again."
)


@router.get("/enter/{secret}")
def enter(request: Request, secret: str) -> Response:
    """Show one button; nothing is asked of the store, so that who looks at links ahead of people spends none."""
    return page(request, "enter.html")


@router.post("/enter/{secret}")
def redeem(request: Request, secret: str) -> Response:
    """Use up the link, and begin a session with a secret of its own."""
    require_own_form(request)
    context, name = context_of(request), cookie_name(request)
    with context.store.writing() as transaction:
        begun = sessions.sign_in(transaction, secret, request.cookies.get(name, ""), datetime.now(UTC))
    if begun is None:
        raise Problem(404, USELESS)
    answer = see_other(request, "/")
    answer.set_cookie(
        name,
        begun,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=origin.is_https(request),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/leave")
def leave(request: Request, visitor: Sending) -> Response:
    """End this session, or all of the visitor's with `everywhere`."""
    with visitor.context.store.writing() as transaction:
        if request.query_params.get("everywhere"):
            sessions.end_all(transaction, visitor.session.zulip_user_id, visitor.now)
        else:
            sessions.sign_out(transaction, request.cookies.get(cookie_name(request), ""), visitor.now)
    answer = page(request, "left.html")
    answer.delete_cookie(cookie_name(request), path="/", secure=origin.is_https(request), httponly=True, samesite="lax")
    return answer
