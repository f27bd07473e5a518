"""Watches the admin channel: it is pinned by its id, and admins are answered in it as long as it is private."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime

from lms_bot.chat import Chat, Incoming
from lms_bot.config.settings import Settings
from lms_bot.errors import SendError
from lms_bot.pipeline import incidents
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel, Trouble
from lms_bot.store.questions import audit
from lms_bot.store.session import Store, Transaction

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0  # seconds
MOST_LOOKS = 3  # in a row, while others note something


class AdminChannelWatch:
    """Looks at the admin channel at least every minute that somebody asks; each thread has one with its own Chat."""

    def __init__(self, store: Store, chat: Chat, settings: Settings) -> None:
        self._store = store
        self._chat = chat
        self._settings = settings
        self._channel: AdminChannel | None = None
        self._look_at = 0.0

    def expire(self) -> None:
        """Look again when next asked: something has changed in Zulip."""
        self._look_at = 0.0

    def look_if_due(self) -> None:
        """Look, if the last look is a minute old. Raises SendError, StoreUnavailable."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY
            self._look()

    def id_for(self, incoming: Incoming) -> int | None:
        """Return the channel's id if admins may be answered in it, by what Zulip said at most a minute ago.

        A question may be what confirms it. Raises StoreUnavailable.
        """
        if incoming.stream_id is None:
            return None
        try:
            with self._store.reading() as transaction:
                if admin_channel.pinned(transaction) != self._channel:
                    self.expire()  # another thread or process has noted something
            self.look_if_due()
            if self._channel is None or self._channel.trouble is Trouble.GONE:
                self._confirm(incoming)
        except SendError as error:
            self._channel = None
            self.expire()
            log.warning("the admin channel cannot be read: %s", error)
        channel = self._channel
        return channel.stream_id if channel is not None and channel.trouble is Trouble.NONE else None

    def _look(self) -> None:
        """Read how the channel is now, and note what has changed; again, if somebody else notes something meanwhile."""
        self._channel = None
        for _ in range(MOST_LOOKS):
            with self._store.reading() as transaction:
                known = admin_channel.pinned(transaction)
            wanted = _wanted(known, self._settings)
            found = None if wanted is None else self._as_it_is(wanted)
            if found == known or self._is_noted(known, found):
                self._channel = found
                return
        self.expire()

    def _is_noted(self, known: AdminChannel | None, found: AdminChannel | None) -> bool:
        """Note what has changed; return False if somebody else has noted something since `known` was read."""
        with self._store.writing() as transaction:
            if admin_channel.lock(transaction) != known:
                return False
            _note(transaction, known, found, datetime.now(UTC))
        return True

    def _as_it_is(self, channel: AdminChannel) -> AdminChannel:
        stream = self._chat.stream(channel.stream_id)
        if stream is None:
            return replace(channel, trouble=Trouble.GONE)
        if not stream.is_private:
            return replace(channel, name=stream.name, trouble=Trouble.PUBLIC)
        members = tuple(sorted(self._chat.members(stream.stream_id)))
        return replace(channel, name=stream.name, members=members, trouble=Trouble.NONE)

    def _confirm(self, incoming: Incoming) -> None:
        """Pin the channel of a question, if it has the right name, is private, and an administrator writes there."""
        stream = self._chat.stream(self._settings.admin_stream)
        if self._settings.admin_stream_id is not None or incoming.sender_id is None or stream is None:
            return
        if stream.stream_id != incoming.stream_id or not stream.is_private:
            return
        if not self._chat.is_administrator(incoming.sender_id):
            return
        new = AdminChannel(stream.stream_id, stream.name, self._settings.admin_stream, incoming.sender_id)
        now = datetime.now(UTC)
        with self._store.writing() as transaction:
            before = admin_channel.lock(transaction)
            if before == self._channel:  # else another thread was faster, with the same question perhaps
                admin_channel.keep(transaction, new, now)
                incidents.note_admin_channel(transaction, before, new, now)
                audit.note(transaction, incoming.sender_id, f"admin channel {stream.stream_id}", "confirmed", now)
                log.info("#%s is the admin channel: user %d has confirmed it", new.name, incoming.sender_id)
        self._look()


def _wanted(known: AdminChannel | None, settings: Settings) -> AdminChannel | None:
    """Return the channel that the setting pins, or else the one that was confirmed under the name that is still set."""
    if (stream_id := settings.admin_stream_id) is not None:
        if known is not None and (known.stream_id, known.pinned_by) == (stream_id, None):
            return known
        return AdminChannel(stream_id, settings.admin_stream, settings.admin_stream)
    is_theirs = known is not None and known.pinned_by is not None and known.setting == settings.admin_stream
    return known if is_theirs else None


def _note(transaction: Transaction, known: AdminChannel | None, found: AdminChannel | None, now: datetime) -> None:
    admin_channel.keep(transaction, found, now)
    incidents.note_admin_channel(transaction, known, found, now)
    if found is None or known is None or known.stream_id != found.stream_id:
        log.info("the admin channel is %s", "no longer pinned" if found is None else f"#{found.name}, by the setting")
    elif found.trouble is not known.trouble or found.name != known.name:
        now_it_is = f"called #{found.name}" if found.name != known.name else f"#{found.name}"
        said = {Trouble.NONE: "private and ours", Trouble.PUBLIC: "public: nobody is an admin"}
        gone = "archived, or private without us: nobody is an admin"
        log.warning("the admin channel is %s; it is %s", now_it_is, said.get(found.trouble, gone))
