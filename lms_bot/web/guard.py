"""Stands before all paths: refuses foreign hosts and bodies too large or too slow, and logs what is answered."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lms_bot.config.settings import Settings
from lms_bot.web.callers import path_of
from lms_bot.web.context import Context
from lms_bot.web.problems import Problem, answer

log = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024
SLOWEST_BODY: Final = 10.0  # seconds
_CLOSE: Final = {"Connection": "close"}
# Of every answer; what a page may load, send to and be part of, and what its links tell of where they stand.
_SECURE: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_ONLY_HTTPS: Final = ((b"strict-transport-security", b"max-age=31536000"),)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def hosts_of(settings: Settings) -> set[str]:
    """Return the names under which this process is asked: that of `web_url`, where it listens, and this machine."""
    named = urlsplit(settings.web_url).hostname if settings.web_url else None
    return {*([named] if named else []), settings.web_listen[0], *_LOOPBACK}


class Guard:
    """The first and last of each request."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        settings = context.settings
        self._secure = [*_SECURE, *(_ONLY_HTTPS if (settings.web_url or "").startswith("https://") else ())]
        self._hosts = hosts_of(settings) if settings.web_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, body, request = time.perf_counter(), _Body(receive), Request(scope)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._secure]
                self._note(request, message["status"], time.perf_counter() - began)
            await send(message)

        async def unless_refused(message: Message) -> None:
            if body.problem is None:  # FastAPI says of any body that it cannot read it
                await noted(message)

        try:
            self._look_at(request.headers)
            await self._app(scope, body.read, unless_refused)
        except Problem as problem:
            body.problem = problem
        if body.problem is not None:
            await answer(self._context, body.problem)(scope, receive, noted)

    def _look_at(self, headers: Headers) -> None:
        """Raise Problem for a request that goes no further."""
        if self._hosts and _host(headers) not in self._hosts:
            raise Problem(421, "No such host is served here.")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > MOST_BYTES:
            raise _too_large()

    def _note(self, request: Request, status: int, seconds: float) -> None:
        self._context.metrics.answered(request.method, status, seconds)
        log.info("%s %s %d %.0f ms", request.method, path_of(request), status, seconds * 1_000)


def _host(headers: Headers) -> str | None:
    """Return which host a request names; None where what it names is none, or several."""
    named = headers.getlist("host")
    try:
        return urlsplit(f"//{named[0]}").hostname if len(named) == 1 else None
    except ValueError:  # a bracket without its other half
        return None


class _Body:
    """The body of a request, up to a size and within a time; `problem` says which of them it missed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        self._is_whole = False
        self._until = time.monotonic() + SLOWEST_BODY
        self.problem: Problem | None = None

    async def read(self) -> Message:
        """Return the next part. Raises Problem."""
        if self._is_whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._until - time.monotonic()))
        except TimeoutError:
            self.problem = Problem(408, "The body came too slowly.", _CLOSE)
            raise self.problem from None
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._size > MOST_BYTES:
            self.problem = _too_large()
            raise self.problem
        return message


def _too_large() -> Problem:
    return Problem(413, f"A body has at most {MOST_BYTES:,} bytes.", _CLOSE)
