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
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NoReturn

from zulip_bots.lib import ExternalBotHandler

from lms_bot.app import Parts
from lms_bot.chat import Bot, Chat, Incoming, RateLimiter
from lms_bot.chat.client import Stream
from lms_bot.config.settings import load
from lms_bot.errors import ConfigError, LmsBotError, SendError, StoreUnavailable
from lms_bot.handlers import dispatch
from lms_bot.pipeline import replies
from lms_bot.render import quote
from lms_bot.store import state
from lms_bot.store.questions.claims import CAUGHT_UP_TO, OVERLAP
from lms_bot.worker import shutdown
from lms_bot.worker.accounts import follow_organisation, refresh_users
from lms_bot.worker.scheduler import Worker

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds between two tries while the bot starts
FIRST_CALLS = 60  # calls a minute then
NEW_USER_AGE = timedelta(seconds=30)
STREAM_AGE = 60.0  # seconds until the admin stream is read again
NO_STORE = "I cannot reach my event store just now. Please ask again in a minute."


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
        self._chat = Chat(_zuliprc(), self._parts.rate_limiter, meter=self._parts.meter)
        self._admin_stream = AdminStream(self._chat, settings.admin_stream)
        if self._in_zulip:
            self._follow_organisation()
            self._start_worker()

    def handle_message(self, message: Mapping[str, Any], bot_handler: Any) -> None:
        """Answer one question; never raises."""
        try:
            incoming = Incoming.parse(message, self._me.user_id, self._me.full_name)
            if self._in_zulip and incoming.message_id is not None:
                self._answer(incoming, self._chat, self._admin_stream)
            else:
                self._answer_through(bot_handler, message, incoming)
        except Exception:
            # The outermost line of the main thread: an exception that left here would end the process.
            log.exception("a question could not be answered")

    def _answer(self, incoming: Incoming, chat: Chat, admin_stream: AdminStream) -> None:
        """Claim, answer and settle; the worker settles what stays open."""
        now, begun = datetime.now(UTC), time.monotonic()
        stream_id = admin_stream.private_id() if incoming.stream_id is not None else None
        try:
            self._find_account(incoming, chat)
            frozen = dispatch.answer(self._parts.store, incoming, self._parts.settings, now, stream_id)
        except StoreUnavailable as error:
            log.warning("a question could not be answered: %s", error)
            chat.send(incoming.sender, NO_STORE)
            return
        for message in frozen:
            replies.send(self._parts.store, chat, message, _now)
        if frozen:
            self._parts.meter.answered(time.monotonic() - begun)

    def _find_account(self, incoming: Incoming, chat: Chat) -> None:
        """Re-read the accounts of Zulip if the asker is unknown."""
        if dispatch.is_known(self._parts.store, incoming):
            return
        try:
            refresh_users(self._parts, chat, NEW_USER_AGE)
        except SendError as error:
            log.warning("the users of Zulip cannot be read: %s", error)

    def _answer_through(self, bot_handler: Any, message: Mapping[str, Any], incoming: Incoming) -> None:
        """Answer where there is no Zulip: zulip-bot-shell and tests with zulip_bots' StubBotHandler."""
        with self._parts.store.writing() as transaction:
            reply = dispatch.reply_to(transaction, incoming, self._parts.settings, datetime.now(UTC), None)
        text = reply.text
        if reply.attachment:
            name, content = reply.attachment
            uri = bot_handler.upload_file(io.BytesIO(content))["uri"]
            text += f"\n\n[{quote(name)}]({uri})"
        bot_handler.send_reply(message, text)

    def _follow_organisation(self) -> None:
        """Drop what was of another organisation before the first question is answered."""
        try:
            follow_organisation(self._parts.store, self._chat, _now())
        except (SendError, StoreUnavailable) as error:
            log.warning("Zulip does not say which organisation this is: %s", error)

    def _start_worker(self) -> None:
        stream = AdminStream(self._parts.chat, self._parts.settings.admin_stream)
        worker = Worker(self._parts, catch_up=lambda: self._catch_up(stream))
        atexit.register(self._parts.close)
        atexit.register(worker.stop, shutdown.FINISH)
        worker.start()

    def _catch_up(self, admin_stream: AdminStream) -> None:
        """Answer questions that the event queue did not bring: asked while it was lost, or while nobody ran."""
        store, chat = self._parts.store, self._parts.chat
        with store.reading() as transaction:
            position = state.value(transaction, CAUGHT_UP_TO)
        if position is None:
            # The very first start answers nothing old.
            newest = chat.profile().max_message_id
            self._keep_position(first=newest, newest=newest)
            return
        newest = position["newest"]
        for message in chat.questions(max(position["first"], newest - OVERLAP)):
            incoming = Incoming.parse(message, self._me.user_id, self._me.full_name)
            newest = max(newest, incoming.message_id or 0)
            if incoming.is_addressed and incoming.message_id is not None:
                self._answer(incoming, chat, admin_stream)
        if newest > position["newest"]:
            self._keep_position(first=position["first"], newest=newest)

    def _keep_position(self, **position: int) -> None:
        with self._parts.store.writing() as transaction:
            state.note(transaction, CAUGHT_UP_TO, position, datetime.now(UTC))


class AdminStream:
    """Finds the stream in which admins are answered, as long as it is private."""

    def __init__(self, chat: Chat, name: str) -> None:
        self._chat = chat
        self._name = name
        self._stream: Stream | None = None
        self._read_at = -STREAM_AGE

    def private_id(self) -> int | None:
        """Return its id if it is private, by what Zulip said at most a minute ago; None otherwise."""
        if time.monotonic() - self._read_at >= STREAM_AGE:
            try:
                self._stream = self._chat.stream(self._name)
                self._read_at = time.monotonic()
            except SendError as error:
                log.warning("the admin stream cannot be read: %s", error)
                return None
        return self._stream.stream_id if self._stream is not None and self._stream.is_private else None


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


def _now() -> datetime:
    return datetime.now(UTC)


def _give_up(error: LmsBotError, code: int) -> NoReturn:
    print(f"lms_bot: {error}", file=sys.stderr)
    raise SystemExit(code)


handler_class = LmsBotHandler
