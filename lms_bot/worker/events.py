"""Listens to what changes in Zulip besides messages: people, channels, our own name, and questions that are edited."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from lms_bot.chat import Chat
from lms_bot.errors import LmsBotError, Refused
from lms_bot.worker.questions import Questions

log = logging.getLogger(__name__)

TYPES = ("message", "update_message", "realm_user", "stream", "subscription")
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two tries while Zulip does not answer
ABOUT_CHANNELS = ("stream", "subscription")


class EventListener:
    """Waits for events in a thread of its own; what is lost with a queue is found by the jobs that look regularly."""

    def __init__(self, chat: Chat, questions: Questions, on_channels: Callable[[], None], on_users: Callable[[], None]):
        self._chat = chat
        self._questions = questions
        self._on_channels = on_channels
        self._on_users = on_users
        self._stopping = threading.Event()
        self._failures = 0

    def start(self) -> None:
        """Listen in a daemon thread: it waits for Zulip most of the time, and never keeps the process alive."""
        threading.Thread(target=self.run, name="lms_bot events", daemon=True).start()

    def stop(self) -> None:
        """Take no further event."""
        self._stopping.set()

    def run(self) -> None:
        """Listen until stopped; a queue that is lost is registered anew."""
        while not self._stopping.is_set():
            try:
                self._listen()
                wait = FIRST_WAIT
            except LmsBotError as error:
                if not self._failures:
                    log.warning("the events of Zulip cannot be read: %s; trying again", error)
                self._failures += 1
                wait = min(FIRST_WAIT * 2.0 ** min(self._failures, 10), LONGEST_WAIT)
            except Exception:
                # The outermost line of the thread: without it, nobody would listen any more.
                log.exception("the events of Zulip could not be read; trying again")
                wait = LONGEST_WAIT
            self._stopping.wait(wait)

    def _listen(self) -> None:
        """Take the events of a new queue until it is gone. Raises SendError."""
        queue_id, last_event_id = self._chat.register(TYPES)
        self._failures = 0
        self._on_channels()
        self._on_users()  # both may have changed while there was no queue
        while not self._stopping.is_set():
            try:
                events = self._chat.events(queue_id, last_event_id)
            except Refused as error:
                if error.permanent:
                    return
                raise
            for event in events:
                last_event_id = max(last_event_id, event["id"])
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        """Do what an event asks for; whatever one of them raises, the next is taken."""
        if self._stopping.is_set():
            return
        try:
            if event["type"] == "message" and "mentioned" in event.get("flags", ()):
                self._questions.take_mention(event["message"])
            elif event["type"] == "update_message" and "content" in event:
                self._questions.take_edited(event)
            elif event["type"] == "realm_user":
                self._on_users()
            elif event["type"] in ABOUT_CHANNELS:
                self._on_channels()
        except Exception:
            # The outermost line of the thread: the jobs that look regularly find what this event said.
            log.exception("an event of Zulip could not be taken")
