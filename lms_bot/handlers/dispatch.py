"""Answers a question: who asks, which command, one store transaction, no exception."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lms_bot.chat import Incoming
from lms_bot.config.settings import Settings
from lms_bot.core.notifications import Message
from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Role
from lms_bot.errors import StoreUnavailable, UserError
from lms_bot.handlers import conversation, rate_limit
from lms_bot.handlers.commands import REGISTRY
from lms_bot.handlers.find_student import SeveralMatch
from lms_bot.handlers.rate_limit import Verdict
from lms_bot.handlers.registry import UnknownCommand
from lms_bot.handlers.request import Reply, Request
from lms_bot.pipeline import replies
from lms_bot.render import MESSAGE_LIMIT, fitted, moment, quote
from lms_bot.render.accounts import admin_channel_text
from lms_bot.reports import access
from lms_bot.store.questions import audit, claims, latest
from lms_bot.store.session import Store, Transaction, attempt

__all__ = ["Reply", "answer", "reply_to", "usage"]

log = logging.getLogger(__name__)

STRANGER = "I answer mentors, and I do not know you as one. Please ask your school's LMS administrators."
IN_PRIVATE = "I answered you in private."
NO_STORE = "I cannot reach my event store just now. Please ask again in a minute."
MOST_SECONDS_TO_EDIT = 60  # after the question, for the edit to be answered
OLD_EDIT = timedelta(minutes=10)  # one that is found later is not answered anew
OLD = timedelta(days=1)  # a question of that age is answered with a note
ROOM_FOR_LINK = 500  # characters


def answer(
    store: Store, incoming: Incoming, settings: Settings, now: datetime, admin_stream_id: int | None
) -> Sequence[Message]:
    """Claim a question and commit the messages that answer it; none if it was taken before. Raises StoreUnavailable."""
    if incoming.message_id is None:
        raise ValueError("a question without a message id cannot be claimed")
    try:
        with store.writing() as transaction:
            if not _claim(transaction, incoming, incoming.message_id, now):
                return ()
            return _answered(transaction, incoming, settings, now, admin_stream_id)
    except StoreUnavailable as error:
        log.warning("a question could not be answered: %s", error)
        reply = Reply(NO_STORE)
    except Exception as error:  # noqa: BLE001 - one question that fails must not end the process; it is logged
        reply = _failed(error)
    with store.writing() as transaction:
        if not _claim(transaction, incoming, incoming.message_id, now):
            return ()
        return _freeze(transaction, incoming, reply, now)


def reply_to(
    transaction: Transaction,
    incoming: Incoming,
    settings: Settings,
    now: datetime,
    admin_stream_id: int | None,
) -> Reply:
    """Return the answer to a question, as far as the asker may know it; whatever a command raises becomes an answer."""
    is_admin_stream = admin_stream_id is not None and incoming.stream_id == admin_stream_id
    request = _request(transaction, incoming, settings, now, is_admin_stream)
    hint, is_urgent = ("", False) if is_admin_stream else _about_admin_channel(transaction, incoming, settings)
    if request is None:
        return Reply(hint or STRANGER, is_understood=bool(hint))
    if request.principal.mentors:
        latest.note(transaction, now)
    asked_by = replies.asked_by(transaction, request.asker, request.principal, admin_stream_id)
    try:
        asked = conversation.understand(request, incoming.text)
    except UserError as error:
        is_student = request.audiences == {Role.STUDENT}
        if hint and (is_student or isinstance(error, UnknownCommand)):
            return Reply(hint)
        text, is_understood = (STRANGER, False) if is_student else (str(error), not isinstance(error, UnknownCommand))
        is_personal = is_student or not is_admin_stream or isinstance(error, SeveralMatch)
        return Reply(text, is_personal, is_understood=is_understood, asked_by=None if is_student else asked_by)
    reply = _carried_out(request, asked)
    text = "\n\n".join(filter(None, [asked.taken_for, reply.text, asked.hint, hint if is_urgent else ""]))
    return replace(reply, text=text, is_personal=asked.command.is_personal, asked_by=asked_by)


def _claim(transaction: Transaction, incoming: Incoming, message_id: int, now: datetime) -> bool:
    """Claim a question; one that is edited within a minute is another, which is claimed with the former."""
    is_new = claims.claim(transaction, message_id, now)
    if incoming.edited_at is None or incoming.sent_at is None or now - incoming.edited_at > OLD_EDIT:
        return is_new
    after = round((incoming.edited_at - incoming.sent_at).total_seconds())
    return (0 <= after <= MOST_SECONDS_TO_EDIT and claims.claim_edit(transaction, message_id, after, now)) or is_new


def is_known(store: Store, incoming: Incoming) -> bool:
    """Return whether the asker's account was there when the accounts were last read. Raises StoreUnavailable."""
    with store.reading() as transaction:
        return _asker(transaction, incoming) is not None


def usage() -> str:
    """Return what `zulip-run-bot` shows when it starts."""
    commands = REGISTRY.of(Role.MENTOR)
    width = max(len(command.name) for command in commands) + 2
    lines = [f"    {command.name:<{width}} {command.summary}" for command in commands]
    return "\n".join(["Tells mentors what matters about their own students. Mentors can ask:", *lines])


def _request(
    transaction: Transaction, incoming: Incoming, settings: Settings, now: datetime, is_admin_stream: bool
) -> Request | None:
    """Return who asks and may ask what; None for somebody who may ask nothing."""
    user = _asker(transaction, incoming)
    if user is None or not user.is_active or user.is_bot:
        return None
    principal = access.principal_of(transaction, user, is_admin=is_admin_stream and not user.is_guest)
    if not principal.roles:
        return None
    return Request(transaction, now, settings, user, principal, principal.roles, incoming.reply_to)


def _about_admin_channel(transaction: Transaction, incoming: Incoming, settings: Settings) -> tuple[str, bool]:
    """Return what somebody is to know of the admin channel who may be an admin there, or confirm it; else "".

    And whether they are to know of it whatever they ask.
    """
    user = _asker(transaction, incoming)
    if user is None:
        return "", False
    is_theirs, channel = access.admin_channel_for(transaction, user)
    return (admin_channel_text(channel, settings.admin_stream), channel is None) if is_theirs else ("", False)


def _asker(transaction: Transaction, incoming: Incoming) -> ZulipUser | None:
    return access.account(transaction, incoming.sender_id) if incoming.sender_id is not None else None


def _carried_out(request: Request, asked: conversation.Asked) -> Reply:
    """Return what a command gives, or says in refusing; one that is refused or fails leaves only the audit behind."""
    try:
        with attempt(request.transaction):
            reply = asked.answer(request)
            conversation.remember(request, asked, reply)
        outcome = "done"
    except SeveralMatch as several:
        conversation.offer(request, asked, several)
        reply, outcome = Reply(str(several)), "asked back"
    except UserError as error:
        reply, outcome = Reply(str(error)), f"refused: {error}"
    except Exception as error:  # noqa: BLE001 - whatever it is, the asker gets a reference and the log the error
        reply = _failed(error)
        outcome = f"failed: {reply.text}"
    if asked.command.changes:
        audit.note(request.transaction, request.asker.user_id, asked.words, outcome, request.now)
    return reply


def _answered(
    transaction: Transaction, incoming: Incoming, settings: Settings, now: datetime, admin_stream_id: int | None
) -> Sequence[Message]:
    asker = _asker(transaction, incoming)
    verdict = rate_limit.verdict(transaction, incoming, asker, now)
    if verdict is Verdict.IGNORE:
        return ()
    if verdict is Verdict.SLOWER:
        return [replies.freeze(transaction, incoming.sender, rate_limit.SLOWER, now)]
    reply = reply_to(transaction, incoming, settings, now, admin_stream_id)
    if incoming.is_aside and not reply.is_understood:
        return ()  # they talk about us, not to us
    if asker is not None and asker.is_bot:
        return [replies.freeze(transaction, incoming.sender, reply.text, now)]
    return _freeze(transaction, incoming, reply, now)


def _freeze(transaction: Transaction, incoming: Incoming, reply: Reply, now: datetime) -> list[Message]:
    room = MESSAGE_LIMIT - (ROOM_FOR_LINK if reply.attachment else 0)
    text = fitted(_note_of_age(incoming, now) + reply.text.strip(), room)
    where = incoming.sender if reply.is_personal else incoming.reply_to
    frozen = [replies.freeze(transaction, where, text, now, reply.attachment, reply.asked_by)]
    if reply.is_personal and (incoming.is_group or not incoming.is_direct):
        frozen.append(replies.freeze(transaction, incoming.reply_to, IN_PRIVATE, now))
    return frozen


def _note_of_age(incoming: Incoming, now: datetime) -> str:
    if incoming.sent_at is None or now - incoming.sent_at <= OLD:
        return ""
    return f"⏳ You asked “{quote(incoming.text, 60)}” at {moment(incoming.sent_at)}; I can only answer now.\n\n"


def _failed(error: Exception) -> Reply:
    reference = secrets.token_hex(4)
    log.error("reference %s", reference, exc_info=error)
    return Reply(f"Something went wrong, and I wrote it down as {reference}. Please tell the LMS administrators.")
