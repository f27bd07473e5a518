"""Puts the paths together into one application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from lms_bot.web import problems
from lms_bot.web.api import academics, activity, events, health, lessons, orders
from lms_bot.web.context import Context
from lms_bot.web.guard import Guard
from lms_bot.web.mcp.http import Agents
from lms_bot.web.mcp.protocol import PATH
from lms_bot.web.pages import documents, entry, feed, overview, preferences, school, student
from lms_bot.web.tracking import script

VERSION = "1"
OPENAPI = "/api/v1/openapi.json"
THREADS = 12  # that read the store at once: fewer than it has connections
_SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": "webhook-signature",
    "description": "Signed with `signal_secret` as Standard Webhooks say: webhook-id, webhook-timestamp, the body.",
}


def application(context: Context) -> FastAPI:
    """Return the application of one process."""

    agents = Agents(context)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        context.diary.start()
        looking = asyncio.create_task(context.streams.run())
        async with agents.living():
            yield
        looking.cancel()
        await asyncio.to_thread(context.diary.stop)

    app = FastAPI(
        title="lms_bot",
        version=VERSION,
        lifespan=living,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    app.state.reports = school.Reports()
    paths = (health, academics, activity, events, orders, lessons, script)
    of_pages = (documents, entry, overview, feed, student, preferences, school)
    for router in (module.router for module in (*paths, *of_pages)):
        app.include_router(router)
    app.router.routes.append(Route(PATH, agents, methods=["POST"]))
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(Guard, context=context)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign] # FastAPI's own way to extend it
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schema["components"].setdefault("securitySchemes", {})["signature"] = _SIGNATURE
        app.openapi_schema = schema
    return app.openapi_schema
