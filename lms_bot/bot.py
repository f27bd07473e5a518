"""The interactive bot: answers in the main thread, works in the background."""

from __future__ import annotations

import argparse
import atexit
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn

from zulip_bots.lib import ExternalBotHandler

from lms_bot.app import Parts
from lms_bot.chat import Bot, Chat, Incoming, RateLimiter
from lms_bot.config.settings import load
from lms_bot.errors import ConfigError, LmsBotError, SendError, StoreUnavailable
from lms_bot.handlers import dispatch
from lms_bot.handlers.request import Reply
from lms_bot.render import quote
from lms_bot.worker import shutdown
from lms_bot.worker.accounts import follow_organisation
from lms_bot.worker.admin_channel import AdminChannelWatch
from lms_bot.worker.events import EventListener
from lms_bot.worker.questions import Questions
from lms_bot.worker.scheduler import Worker

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds between two tries while the bot starts
FIRST_CALLS = 60  # calls a minute then


class LmsBotHandler:
    """The handler that zulip-run-bot runs."""

    META = {  # noqa: RUF012 - zulip_bots reads a plain dict
        "name": "LMS",
        "description": "Tells mentors what matters about their own students.",
    }

    def usage(self) -> str:
        return dispatch.usage()

    def initialize(self, bot_handler: Any) -> None:
        """Read the settings, open the store, start the worker; ends the process with one sentence if that fails."""
        self._in_zulip = isinstance(bot_handler, ExternalBotHandler)
        if self._in_zulip and threading.current_thread() is threading.main_thread():
            shutdown.end_on_signals()
        try:
            settings = load(getattr(bot_handler, "bot_config_file", None), os.environ)
            self._parts = Parts.assemble(settings, _zuliprc())
        except ConfigError as error:
            _give_up(error, 2)
        except StoreUnavailable as error:
            _give_up(error, 1)
        self._me = Bot(getattr(bot_handler, "user_id", 0), getattr(bot_handler, "full_name", ""), 0)
        chat = Chat(_zuliprc(), self._parts.rate_limiter, meter=self._parts.meter)
        self._admin_channel = AdminChannelWatch(self._parts.store, chat, settings)
        self._questions = Questions(self._parts, self._me, chat, self._admin_channel)
        if self._in_zulip:
            self._follow_organisation(chat)
            self._start_worker()

    def handle_message(self, message: Mapping[str, Any], bot_handler: Any) -> None:
        """Answer one question; never raises."""
        try:
            incoming = self._questions.parse(message)
            if self._in_zulip and incoming.message_id is not None:
                self._questions.answer(incoming)
            else:
                self._answer_through(bot_handler, message, incoming)
        except Exception:
            # The outermost line of the main thread: an exception that left here would end the process.
            log.exception("a question could not be answered")

    def _answer_through(self, bot_handler: Any, message: Mapping[str, Any], incoming: Incoming) -> None:
        """Answer where there is no Zulip: zulip-bot-shell and tests with zulip_bots' StubBotHandler."""
        try:
            with self._parts.store.writing() as transaction:
                reply = dispatch.reply_to(transaction, incoming, self._parts.settings, datetime.now(UTC), None)
        except StoreUnavailable as error:
            log.warning("a question could not be answered: %s", error)
            reply = Reply(dispatch.NO_STORE)
        text = reply.text
        if reply.attachment:
            name, content = reply.attachment
            uri = bot_handler.upload_file(io.BytesIO(content))["uri"]
            text += f"\n\n[{quote(name)}]({uri})"
        bot_handler.send_reply(message, text)

    def _follow_organisation(self, chat: Chat) -> None:
        """Drop what was of another organisation before the first question is answered."""
        try:
            follow_organisation(self._parts.store, chat, datetime.now(UTC))
        except (SendError, StoreUnavailable) as error:
            log.warning("Zulip does not say which organisation this is: %s", error)

    def _start_worker(self) -> None:
        parts = self._parts
        worker = Worker(parts, catch_up=lambda: by_worker.catch_up())
        by_worker = Questions(parts, self._me, parts.chat, worker.admin_channel)
        chat = Chat(_zuliprc(), parts.rate_limiter, meter=parts.meter)
        watch = AdminChannelWatch(parts.store, chat, parts.settings)

        def expire() -> None:
            for one in (self._admin_channel, worker.admin_channel, watch):
                one.expire()

        listener = EventListener(chat, Questions(parts, self._me, chat, watch), expire, worker.note_users_changed)
        atexit.register(parts.close)
        atexit.register(worker.stop, shutdown.FINISH)
        atexit.register(listener.stop)
        worker.start()
        listener.start()


@cache
def wait_for_zulip() -> None:
    """Return once Zulip knows us as a bot; say once what keeps it from that, and end the process if it never changes.

    zulip_bots connects before it calls `initialize`, and would end with a traceback.
    """
    chat = Chat(_zuliprc(), RateLimiter(FIRST_CALLS))
    said, wait = "", FIRST_WAIT
    while True:
        try:
            chat.bot()
        except ConfigError as error:
            _give_up(error, 2)
        except SendError as error:
            if str(error) != said:
                print(f"lms_bot: {error}; trying again until Zulip answers", file=sys.stderr, flush=True)
            said = str(error)
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            return


def _zuliprc() -> str | None:
    """Return the zuliprc that zulip-run-bot was given; it hands on only its own client, which repeats sends."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config-file", "-c")
    known, _ = parser.parse_known_args()
    path: str | None = known.config_file
    return path


def _give_up(error: LmsBotError, code: int) -> NoReturn:
    print(f"lms_bot: {error}", file=sys.stderr)
    raise SystemExit(code)


handler_class = LmsBotHandler
