"""The tools on standard input and output: one program asks, with one token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
from mcp.server.stdio import stdio_server

from lms_bot.config.settings import Settings
from lms_bot.errors import LmsBotError
from lms_bot.store.session import Store
from lms_bot.web.callers import Caller, recognize, take_turn
from lms_bot.web.context import Context
from lms_bot.web.mcp.protocol import server
from lms_bot.web.problems import Problem


def serve(store: Store, settings: Settings, token: str) -> None:
    """Answer until standard input ends. Raises LmsBotError for a token that does not count."""
    context = Context(store, settings)

    def identify(asked: Any = None) -> Caller:
        caller = recognize(context, token, datetime.now(UTC))
        take_turn(caller)
        return caller

    try:
        identify()
    except Problem as problem:
        raise LmsBotError(problem.detail) from None
    context.diary.start()
    try:
        anyio.run(_run, server(context, identify))
    finally:
        context.diary.stop()


async def _run(answering: Any) -> None:
    async with stdio_server() as (read, write):
        await answering.run(read, write, answering.create_initialization_options())
