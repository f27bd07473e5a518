"""Sends replies: freezes the text, uploads a file that belongs to it, sends both, and settles the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from lms_bot.chat import Chat
from lms_bot.core.notifications import AskedBy, Message, Recipient
from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Principal
from lms_bot.errors import OutcomeUnknown, Refused, SendError
from lms_bot.render import quote
from lms_bot.reports.access import principal_of
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import admin_channel
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store, Transaction

log = logging.getLogger(__name__)

STREAM_RETRY = timedelta(seconds=10)
WITHHELD = "🔒 I could not answer you in time, and what you may see has changed since. Please ask me again."
UPLOAD_TRIES = 6  # after so many the text goes without the file


def freeze(
    transaction: Transaction,
    recipient: Recipient,
    text: str,
    now: datetime,
    attachment: tuple[str, bytes] | None = None,
    asked_by: AskedBy | None = None,
) -> Message:
    """Commit to a reply before it is sent; an `attachment` is (name, content).

    With `asked_by` it is sent late only if whoever asked may still see what they might see then.
    """
    return outbox.freeze(transaction, outbox.Draft(recipient, text, attachment=attachment, asked_by=asked_by), now)


def asked_by(
    transaction: Transaction, account: ZulipUser, principal: Principal, admin_stream_id: int | None
) -> AskedBy:
    """Return who asks, with what they may see now; `admin_stream_id` is the admin channel, if they ask there."""
    own = people.students_by_mentor(transaction, principal.mentor_ids)
    seen = [
        principal.is_admin,
        sorted(principal.student_ids),
        [(mentor_id, sorted(own.get(mentor_id, ()))) for mentor_id in sorted(principal.mentor_ids)],
    ]
    rights = sha256(repr(seen).encode()).hexdigest()
    return AskedBy(account.user_id, admin_stream_id if principal.is_admin else None, rights)


def prepare_again(store: Store, chat: Chat, message: Message, clock: Callable[[], datetime]) -> Message | None:
    """Commit to sending a reply again that Zulip certainly does not have, and return it as it may be sent now.

    Whoever asked may have lost what they might see then, and is told that instead. None if another process has taken
    the message over, or Zulip does not say whether the admin channel is still private: then it is looked at again.
    """
    try:
        is_admin_stream = _is_admin_stream(store, chat, message)
    except SendError as error:
        log.warning("reply %d waits: %s", message.message_id, error)
        with store.writing() as transaction:
            outbox.postpone_lookup(transaction, message, clock() + STREAM_RETRY)
        return None
    with store.writing() as transaction:
        is_withheld = message.asked_by is not None and not _may_still_see(
            transaction, message.asked_by, is_admin_stream=is_admin_stream
        )
        if is_withheld:
            outbox.replace_content(transaction, message, WITHHELD)
        again = outbox.retry(transaction, message, clock())
    has_been_linked = message.attachment and not again.attachment and not is_withheld
    return None if has_been_linked else again


def _is_admin_stream(store: Store, chat: Chat, message: Message) -> bool:
    """Return whether an answer to an admin was asked for in what is still the private admin channel."""
    if message.asked_by is None or message.asked_by.admin_stream_id is None:
        return False
    with store.reading() as transaction:
        channel = admin_channel.pinned(transaction)
    if channel is None or channel.stream_id != message.asked_by.admin_stream_id:
        return False
    stream = chat.stream(channel.stream_id)
    return stream is not None and stream.is_private


def _may_still_see(transaction: Transaction, before: AskedBy, *, is_admin_stream: bool) -> bool:
    account = accounts.zulip_user(transaction, before.zulip_user_id)
    if account is None or not account.is_active:
        return False
    principal = principal_of(transaction, account, is_admin=is_admin_stream and not account.is_guest)
    return asked_by(transaction, account, principal, before.admin_stream_id) == before


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
        if isinstance(error, Refused) and error.permanent and _is_dropped(store, chat, message):
            return
        state = outbox.REFUSED if isinstance(error, Refused) else outbox.UNKNOWN
        with store.writing() as transaction:
            outbox.postpone(transaction, message, state, str(error), clock())
        log.warning("reply %d is %s: %s", message.message_id, state, error)
        return
    with store.writing() as transaction:
        outbox.settle_sent(transaction, message, sent, clock())


def drop_unwelcome(store: Store, chat: Chat, message: Message) -> bool:
    """Drop a message that was refused in a channel that we are not in; return whether it is one.

    Zulip brings us a mention in any private channel, and takes no answer there. Raises SendError and StoreUnavailable.
    """
    stream_id = message.recipient.stream_id
    if stream_id is None or chat.is_subscribed(stream_id):
        return False
    with store.writing() as transaction:
        outbox.discard(transaction, message)
    log.info("message %d is dropped: we are not in channel %d", message.message_id, stream_id)
    return True


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


def _is_dropped(store: Store, chat: Chat, message: Message) -> bool:
    try:
        return drop_unwelcome(store, chat, message)
    except SendError as error:
        log.warning("the channels that we are in cannot be read: %s", error)
        return False


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
