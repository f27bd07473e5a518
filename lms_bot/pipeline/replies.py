"""Answers on their way to the asker: a file is uploaded, the text is sent, the outcome is settled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.notifications import Message
from lms_bot.errors import OutcomeUnknown, Refused, SendError
from lms_bot.render import quote
from lms_bot.store.notifications import outbox
from lms_bot.store.session import Store

log = logging.getLogger(__name__)

UPLOAD_TRIES = 6  # after so many the text goes without the file


def send(store: Store, chat: Chat, message: Message, clock: Callable[[], datetime]) -> None:
    """Send a frozen answer and settle it; what cannot be settled now is the worker's. Raises StoreUnavailable.

    No transaction is open while Zulip is called.
    """
    try:
        linked = with_link(store, chat, message, clock)
        if linked is None:
            return
        message = linked
        sent = chat.send(message.recipient, message.content)
    except SendError as error:
        state = outbox.REFUSED if isinstance(error, Refused) else outbox.UNKNOWN
        with store.writing() as transaction:
            outbox.put_off(transaction, message, state, str(error), clock())
        log.warning("reply %d is %s: %s", message.message_id, state, error)
        return
    with store.writing() as transaction:
        outbox.settle_sent(transaction, message, sent, clock())


def with_link(store: Store, chat: Chat, message: Message, clock: Callable[[], datetime]) -> Message | None:
    """The message as it can be sent: a file that belongs to it is uploaded, and its link committed to, before.

    None if somebody else has taken it over. Raises SendError and StoreUnavailable. A kill in between uploads the file
    once more, which nobody sees: only a link that was committed is ever sent.
    """
    if message.attachment is None:
        return message
    with store.reading() as transaction:
        content = outbox.content(transaction, message)
    if content is None:
        return None
    line = _line(chat, message.attachment, content, is_last_try=message.attempts + 1 >= UPLOAD_TRIES)
    with store.writing() as transaction:
        return outbox.link(transaction, message, line, clock())


def _line(chat: Chat, name: str, content: bytes, *, is_last_try: bool) -> str:
    try:
        return f"[{quote(name, 100)}]({chat.upload(name, content)})"
    except Refused as error:
        if not error.permanent:
            raise
        log.warning("a file cannot be uploaded: %s", error)
    except OutcomeUnknown as error:
        if not is_last_try:
            raise
        log.warning("a file could not be uploaded: %s", error)
    return "(A file belongs here, but Zulip did not take it. Please ask again later.)"
