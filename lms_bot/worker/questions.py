"""Takes the questions that Zulip brings, answers each once, and looks for those that it did not bring."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lms_bot.app import Parts
from lms_bot.chat import Bot, Chat, Incoming
from lms_bot.errors import SendError, StoreUnavailable
from lms_bot.handlers import dispatch
from lms_bot.pipeline import replies
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.questions.claims import CAUGHT_UP_TO, OVERLAP
from lms_bot.worker.accounts import refresh_users
from lms_bot.worker.admin_channel import AdminChannelWatch

log = logging.getLogger(__name__)

NEW_USER_AGE = timedelta(seconds=30)


class Questions:
    """The questions that one thread takes, with a Chat and a watch of the admin channel of its own."""

    def __init__(self, parts: Parts, me: Bot, chat: Chat, admin_channel: AdminChannelWatch) -> None:
        self._parts = parts
        self._me = me
        self._chat = chat
        self._admin_channel = admin_channel

    def take_mention(self, message: Mapping[str, Any]) -> None:
        """Answer a mention of us that zulip_bots leaves out: inside a sentence, or by a name that it does not know."""
        mention = rf"@\*\*({re.escape(self._me.full_name)}|.*\|{self._me.user_id})\*\*"
        if re.match(mention, message["content"]):
            return
        if not self.parse(message).is_addressed:
            self._refresh_users()  # Zulip calls us by a name that we do not know: we were renamed
        self.take(message)

    def take(self, message: Mapping[str, Any]) -> None:
        """Answer a message of Zulip, if it is for us and was not answered before."""
        incoming = self.parse(message)
        if incoming.is_addressed and incoming.message_id is not None and incoming.sender_id != self._me.user_id:
            self.answer(incoming)

    def take_edited(self, event: Mapping[str, Any]) -> None:
        """Answer a message of Zulip anew, as it is after an edit."""
        if event.get("user_id") in (None, self._me.user_id):
            return  # only drawn anew, or ours
        message = self._chat.message(event["message_id"])
        if message is not None:
            self.take({**message, "edit_timestamp": event.get("edit_timestamp")})

    def parse(self, message: Mapping[str, Any]) -> Incoming:
        """Return the question in a message, whichever of our names it mentions."""
        return Incoming.parse(message, self._me.user_id, self._me.full_name, self._name_now())

    def answer(self, incoming: Incoming) -> None:
        """Claim, answer and settle; the worker settles what stays open."""
        now, begun = datetime.now(UTC), time.monotonic()
        store, chat = self._parts.store, self._chat
        try:
            if not dispatch.is_known(store, incoming):
                self._refresh_users()
            admin_stream_id = self._admin_channel.id_for(incoming)
            frozen = dispatch.answer(store, incoming, self._parts.settings, now, admin_stream_id)
        except StoreUnavailable as error:
            log.warning("a question could not be answered: %s", error)
            chat.send(incoming.sender, dispatch.NO_STORE)
            return
        for message in frozen:
            replies.send(store, chat, message, lambda: datetime.now(UTC))
        if frozen:
            self._parts.meter.answered(time.monotonic() - begun)

    def catch_up(self) -> None:
        """Answer questions that the event queue did not bring: asked while it was lost, or while nobody ran."""
        store = self._parts.store
        with store.reading() as transaction:
            position = state.value(transaction, CAUGHT_UP_TO)
        if position is None:
            # The very first start answers nothing old.
            newest = self._chat.profile().max_message_id
            self._keep_position(first=newest, newest=newest)
            return
        newest = position["newest"]
        for message in self._chat.questions(max(position["first"], newest - OVERLAP)):
            newest = max(newest, message["id"])
            self.take(message)
        if newest > position["newest"]:
            self._keep_position(first=position["first"], newest=newest)

    def _refresh_users(self) -> None:
        """Re-read the accounts of Zulip, unless that was just done."""
        try:
            refresh_users(self._parts, self._chat, NEW_USER_AGE)
        except SendError as error:
            log.warning("the users of Zulip cannot be read: %s", error)

    def _name_now(self) -> str:
        """Return our name as it was when the accounts were last read; it may be another than when we started."""
        try:
            with self._parts.store.reading() as transaction:
                account = access.account(transaction, self._me.user_id)
        except StoreUnavailable:
            return ""
        return account.full_name if account is not None else ""

    def _keep_position(self, **position: int) -> None:
        with self._parts.store.writing() as transaction:
            state.note(transaction, CAUGHT_UP_TO, position, datetime.now(UTC))
