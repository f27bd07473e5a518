"""Errors as problem details (RFC 9457), the same form for all of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from lms_bot.errors import NotFound, StoreUnavailable, UserError
from lms_bot.web.context import Context, context_of
from lms_bot.web.pages import documents
from lms_bot.web.shapes import to_bytes

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5  # seconds, while the store is away
NOT_THERE = "There is no such thing, or it is not yours."
_UNAUTHORIZED = {"WWW-Authenticate": 'Bearer realm="lms_bot"'}


class Problem(Exception):
    """What went wrong with a request, as it is answered."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def unauthorized(detail: str) -> Problem:
    """Return the problem of a request without a token that counts."""
    return Problem(401, detail, _UNAUTHORIZED)


def forbidden(*scopes: str) -> Problem:
    """Return the problem of a token that lacks a scope, any of which would do."""
    first = scopes[0]
    named = {"WWW-Authenticate": f'{_UNAUTHORIZED["WWW-Authenticate"]}, error="insufficient_scope", scope="{first}"'}
    return Problem(403, f"The token does not have the scope {' or '.join(scopes)}.", named)


def too_many(detail: str, seconds: float) -> Problem:
    """Return the problem of too many requests."""
    return Problem(429, detail, {"Retry-After": str(max(1, round(seconds)))})


def unprocessable(where: str, reason: str) -> Problem:
    """Return the problem of a value that cannot be used."""
    return Problem(422, f"{where}: {reason}", errors=[{"where": where, "reason": reason}])


def problem_of(context: Context, error: Exception) -> Problem:
    """Return what is answered after an error; one that nobody foresaw is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreUnavailable):
        return _of_store(context)
    return _of_user(error) if isinstance(error, UserError) else _of_fault(error)


def install(app: FastAPI) -> None:
    """Have every error answered in this form."""
    app.add_exception_handler(HTTPException, lambda request, error: _answer(request, _of_http(error)))
    app.add_exception_handler(RequestValidationError, lambda request, error: _answer(request, _of_values(error)))
    for kind in (Problem, StoreUnavailable, UserError, Exception):
        app.add_exception_handler(kind, lambda request, error: _answer(request, problem_of(context_of(request), error)))


def answer(context: Context, problem: Problem) -> Response:
    """Return the answer that says what went wrong."""
    status = problem.status
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": problem.detail}
    content = to_bytes({**body, **problem.more, **context.stamp()})
    return Response(content, status, {**problem.headers, "Cache-Control": "no-store"}, media_type=MEDIA_TYPE)


def _answer(request: Request, problem: Any) -> Response:
    if documents.wants_page(request):
        return documents.error_page(request, problem.status, problem.detail, problem.headers)
    return answer(context_of(request), problem)


def _of_http(error: Any) -> Problem:
    if error.status_code == 400:  # FastAPI's, of a body that is not even text
        return unprocessable("body", "it is no JSON")
    detail = NOT_THERE if error.status_code == 404 else f"{error.detail}."
    return Problem(error.status_code, detail, error.headers)


def _of_values(error: Any) -> Problem:
    errors = [{"where": _where(one["loc"]), "reason": str(one["msg"])} for one in error.errors()]
    return Problem(422, "; ".join(f"{one['where']}: {one['reason']}" for one in errors), errors=errors)


def _where(location: Sequence[Any]) -> str:
    return ".".join(map(str, location[1:])) or str(location[0])


def _of_store(context: Context) -> Problem:
    age = context.age_of_data()
    known = "" if age is None else f" The LMS was last read {age} seconds ago, as far as this process knows."
    detail = f"The event store does not answer just now.{known}"
    return Problem(503, detail, {"Retry-After": str(RETRY_AFTER)}, data_age=age)


def _of_user(error: Any) -> Problem:
    return Problem(404, NOT_THERE) if isinstance(error, NotFound) else Problem(422, str(error))


def _of_fault(error: Exception) -> Problem:
    log.error("a request failed: %s", type(error).__name__)
    return Problem(500, "Something is wrong here; the log says what.")
