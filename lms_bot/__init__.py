"""A Zulip bot that tells mentors what matters about their own students."""

from __future__ import annotations

from typing import Any

__version__ = "1.0.0"


def __getattr__(name: str) -> Any:
    """Import the handler only when zulip-run-bot asks for it, so that a real ImportError keeps its traceback."""
    if name == "handler_class":
        from lms_bot.worker import shutdown

        is_run = shutdown.is_in_main_thread_of("zulip-run-bot")  # which connects to Zulip before it calls initialize
        if is_run:
            shutdown.end_on_signals()
        from lms_bot.bot import LmsBotHandler, wait_for_zulip

        if is_run:
            wait_for_zulip()
        return LmsBotHandler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
