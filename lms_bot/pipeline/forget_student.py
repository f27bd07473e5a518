"""Forgets a student: removes all of it from the event store, and from Zulip as far as Zulip allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.people import Student
from lms_bot.errors import LmsBotError, Refused
from lms_bot.render import notification_text
from lms_bot.render.quoting import quote
from lms_bot.store.retention import forget_student
from lms_bot.store.retention.forget_student import StudentMessage
from lms_bot.store.session import Store

Progress = Callable[[int], None]


class MessagesUnderWay(LmsBotError):
    """Messages that are being sent cannot be taken back yet."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Numbers of what was removed; `left` are the Zulip ids of messages that Zulip lets nobody delete or change."""

    events: int
    notifications: int
    deleted: int
    rewritten: int
    left: tuple[int, ...]


def forget(store: Store, chat: Chat, student: Student, now: datetime, progress: Progress | None = None) -> Forgotten:
    """Remove a student everywhere; may be repeated, and goes on where it was interrupted.

    Raises SendError while Zulip cannot be reached, MessagesUnderWay while one about the student is not settled, and
    StoreUnavailable. Nothing new is recorded or told about the student from the first moment on.
    """
    spellings = {student.username, quote(student.username), student.email or "", quote(student.email or "")} - {""}
    with store.writing() as transaction:
        forget_student.stop_recording(transaction, student, now)
        found = forget_student.messages_about(transaction, student, spellings)
    if under_way := sum(not trace.is_settled for trace in found):
        raise MessagesUnderWay(
            f"{under_way} messages about the student are on their way and not settled: run this again in some minutes"
        )
    deleted = rewritten = 0
    left = []
    for number, trace in enumerate(found, start=1):
        content, is_done = _erase(chat, trace)
        with store.writing() as transaction:
            forget_student.replace_text(transaction, trace.message_id, content)
        if trace.zulip_message_id is not None:
            deleted += is_done and not trace.others
            rewritten += is_done and bool(trace.others)
            left += [] if is_done else [trace.zulip_message_id]
        if progress:
            progress(number)
    with store.writing() as transaction:
        removed = forget_student.remove(transaction, student, spellings)
    return Forgotten(removed.events, removed.notifications, deleted, rewritten, tuple(left))


def _erase(chat: Chat, trace: StudentMessage) -> tuple[str, bool]:
    """Take a student out of one message; return the text that stays, and whether Zulip has no other."""
    content = notification_text(trace.others) if trace.others else forget_student.REMOVED
    if trace.zulip_message_id is None:
        return content, True
    try:
        if not trace.others and _is_deleted(chat, trace.zulip_message_id):
            return content, True
        chat.edit(trace.zulip_message_id, content)
    except Refused as error:
        if not error.permanent:
            raise
        return content, False
    return content, True


def _is_deleted(chat: Chat, zulip_message_id: int) -> bool:
    try:
        chat.delete(zulip_message_id)
    except Refused as error:
        if not error.permanent:
            raise
        return False
    return True
