"""A question becomes an answer: who asks, which command, one store transaction, no exception."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lms_bot.chat import Incoming
from lms_bot.config import Settings
from lms_bot.domain import Message
from lms_bot.errors import UserError
from lms_bot.handlers import admin, mentor
from lms_bot.handlers.registry import REGISTRY, Audience, Request
from lms_bot.render import MESSAGE_LIMIT
from lms_bot.store import Store, Transaction, claims, outbox, people

__all__ = ["Reply", "answer", "reply_to", "usage"]

log = logging.getLogger(__name__)

STRANGER = "I answer mentors, and I do not know you as one. Please ask your school's LMS administrators."
IN_PRIVATE = "I answered you in private."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a personal one goes to the asker alone, wherever the question was asked."""

    text: str
    is_personal: bool = True


def answer(
    store: Store, incoming: Incoming, settings: Settings, now: datetime, admin_stream_id: int | None
) -> Sequence[Message]:
    """Claim a question and commit the messages that answer it; none if it was taken before. Raises StoreUnavailable."""
    if incoming.message_id is None:
        raise ValueError("a question without a message id cannot be claimed")
    try:
        with store.writing() as transaction:
            if not claims.claim(transaction, incoming.message_id, now):
                return ()
            reply = reply_to(transaction, incoming, settings, now, admin_stream_id)
            return _freeze(transaction, incoming, reply, now)
    except Exception as error:  # noqa: BLE001 - one question that fails must not end the process; it is logged
        reply = _failed(error)
    with store.writing() as transaction:
        if not claims.claim(transaction, incoming.message_id, now):
            return ()
        return _freeze(transaction, incoming, reply, now)


def reply_to(
    transaction: Transaction,
    incoming: Incoming,
    settings: Settings,
    now: datetime,
    admin_stream_id: int | None,
) -> Reply:
    """The answer to a question, as far as the asker may know it."""
    is_admin_stream = admin_stream_id is not None and incoming.stream_id == admin_stream_id
    request = _request(transaction, incoming, settings, now, is_admin_stream)
    if not request.audiences:
        return Reply(STRANGER)
    word, rest = (*incoming.text.split(maxsplit=1), "", "")[:2]
    try:
        command = REGISTRY.find(word.strip("\"'`“”*") or "help", request.audiences)
    except UserError as error:
        return Reply(str(error), is_personal=not is_admin_stream)
    is_personal = command.audience is not Audience.ADMIN
    try:
        return Reply(command.run(request, rest.strip()), is_personal)
    except UserError as error:
        return Reply(str(error), is_personal)


def is_known(store: Store, incoming: Incoming) -> bool:
    """Whether the asker's account was there when the accounts were last read. Raises StoreUnavailable."""
    with store.reading() as transaction:
        return incoming.sender_id is not None and people.zulip_user(transaction, incoming.sender_id) is not None


def usage() -> str:
    """What `zulip-run-bot` shows when it starts."""
    lines = [f"    {command.usage:<20} {command.summary}" for command in REGISTRY.among([Audience.MENTOR])]
    return "\n".join(["Tells mentors what matters about their own students. Mentors can ask:", *lines])


def _request(
    transaction: Transaction, incoming: Incoming, settings: Settings, now: datetime, is_admin_stream: bool
) -> Request:
    audiences: set[Audience] = set()
    mentors = []
    user = people.zulip_user(transaction, incoming.sender_id) if incoming.sender_id is not None else None
    if user is not None and user.is_active and not user.is_bot:
        mentors = people.mentors_of_account(transaction, user.user_id)
        if mentors:
            audiences.add(Audience.MENTOR)
        if is_admin_stream and not user.is_guest:
            audiences.add(Audience.ADMIN)
    return Request(transaction, now, settings, mentors, frozenset(audiences))


def _freeze(transaction: Transaction, incoming: Incoming, reply: Reply, now: datetime) -> list[Message]:
    text = reply.text.strip()[:MESSAGE_LIMIT]
    if not reply.is_personal:
        return [outbox.freeze(transaction, incoming.reply_to, text, now)]
    frozen = [outbox.freeze(transaction, incoming.sender, text, now)]
    if incoming.is_group or not incoming.is_direct:
        frozen.append(outbox.freeze(transaction, incoming.reply_to, IN_PRIVATE, now))
    return frozen


def _failed(error: Exception) -> Reply:
    reference = secrets.token_hex(4)
    log.error("reference %s", reference, exc_info=error)
    return Reply(f"Something went wrong, and I wrote it down as {reference}. Please tell the LMS administrators.")


_ = (admin, mentor)  # imported for the commands that they register
