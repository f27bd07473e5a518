"""Forgets a student: removes all of it from the event store, and from Zulip as far as Zulip allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.people import Student
from lms_bot.errors import LmsBotError, Refused
from lms_bot.render import notification_text
from lms_bot.store.retention import forget_student, traces
from lms_bot.store.retention.forget_student import StudentMessage
from lms_bot.store.retention.traces import Known
from lms_bot.store.session import Store

Progress = Callable[[int], None]


class MessagesUnderWay(LmsBotError):
    """Messages that are being sent cannot be taken back yet."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Numbers of what was removed, and what was not.

    `left` are the Zulip ids of messages that Zulip lets nobody delete or change; `still_stored` says which rows of the
    store have a name of the student yet.
    """

    events: int
    notifications: int
    deleted: int
    rewritten: int
    left: tuple[int, ...]
    still_stored: tuple[str, ...] = ()


def forget(store: Store, chat: Chat, student: Student, now: datetime, progress: Progress | None = None) -> Forgotten:
    """Remove a student everywhere; may be repeated, and goes on where it was interrupted.

    Raises SendError while Zulip cannot be reached, MessagesUnderWay while one about the student is not settled, and
    StoreUnavailable. Nothing new is recorded or told about the student from the first moment on.
    """
    with store.writing() as transaction:
        known = traces.remember(transaction, student, now)
        forget_student.stop_recording(transaction, student, now)
    with store.reading() as transaction:
        found = forget_student.messages_about(transaction, student, known)
    if under_way := sum(not trace.is_settled for trace in found):
        raise MessagesUnderWay(
            f"{under_way} messages about the student are on their way and not settled: run this again in some minutes"
        )
    deleted, rewritten, left = _erase_all(store, chat, found, progress)
    with store.writing() as transaction:
        removed = forget_student.remove(transaction, student, known.names)
    still_stored = _still_stored(store, student, known)
    return Forgotten(removed.events, removed.notifications, deleted, rewritten, left, tuple(still_stored))


def _erase_all(
    store: Store, chat: Chat, found: list[StudentMessage], progress: Progress | None
) -> tuple[int, int, tuple[int, ...]]:
    """Take a student out of messages; return how many are deleted, how many rewritten, and which are left in Zulip."""
    deleted = rewritten = 0
    left: list[int] = []
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
    return deleted, rewritten, tuple(left)


def _still_stored(store: Store, student: Student, known: Known) -> list[str]:
    """Return what is left in the store; the names are kept for another run if anything is."""
    with store.reading() as transaction:
        left = traces.traces(transaction, student, known.names)
    if not left:
        with store.writing() as transaction:
            traces.forget_names(transaction, student)
    return left if traces.wipe(store) else [*left, "the -wal file, which another process uses now"]


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
