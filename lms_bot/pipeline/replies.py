"""Sends replies: freezes the text, uploads a file that belongs to it, sends both, and settles the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.notifications import Message, Recipient
from lms_bot.errors import OutcomeUnknown, Refused, SendError
from lms_bot.render import quote
from lms_bot.store.notifications import outbox
from lms_bot.store.session import Store, Transaction

log = logging.getLogger(__name__)

UPLOAD_TRIES = 6  # after so many the text goes without the file


def freeze(
    transaction: Transaction,
    recipient: Recipient,
    text: str,
    now: datetime,
    attachment: tuple[str, bytes] | None = None,
) -> Message:
    """Commit to a reply before it is sent; an `attachment` is (name, content)."""
    return outbox.freeze(transaction, outbox.Draft(recipient, text, attachment=attachment), now)


def send(store: Store, chat: Chat, message: Message, clock: Callable[[], datetime]) -> None:
    """Send a frozen reply and settle it; the worker settles what cannot be settled now. Raises StoreUnavailable.

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
            outbox.postpone(transaction, message, state, str(error), clock())
        log.warning("reply %d is %s: %s", message.message_id, state, error)
        return
    with store.writing() as transaction:
        outbox.settle_sent(transaction, message, sent, clock())


def with_link(store: Store, chat: Chat, message: Message, clock: Callable[[], datetime]) -> Message | None:
    """Upload the file of a message, if it has one, and store its link; return the message as it can be sent.

    None if another process has taken it over. Raises SendError and StoreUnavailable. A kill in between uploads the file
    once more, which nobody sees: only a link that was committed is ever sent.
    """
    if message.attachment is None:
        return message
    with store.reading() as transaction:
        content = outbox.attachment(transaction, message)
    if content is None:
        return None
    line = _line(chat, message.attachment, content, is_last_try=message.attempts + 1 >= UPLOAD_TRIES)
    with store.writing() as transaction:
        # Zulip folds a long message and shows its beginning: a picture is seen only there.
        is_picture = message.attachment.endswith(".png") and line.startswith("[")
        return outbox.link_attachment(transaction, message, line, clock(), is_first=is_picture)


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
