"""Sends incidents to the admins, in one topic of their stream and only while that is private."""

from __future__ import annotations

import logging
from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.notifications import Recipient
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import incidents
from lms_bot.store.session import Store

log = logging.getLogger(__name__)

TOPIC = "alerts"


def send_incidents(store: Store, chat: Chat, deliverer: Deliverer, stream_name: str, now: datetime) -> None:
    """Send what has begun and what is over; without a private stream it waits. Raises SendError, StoreUnavailable."""
    with store.reading() as transaction:
        waiting = incidents.unannounced(transaction)
    if not waiting or deliverer.is_pausing:
        return
    stream = chat.stream(stream_name)
    if stream is None or not stream.is_private:
        log.warning("%d incidents wait: I can see no private stream for them", len(waiting))
        return
    recipient = Recipient(stream_id=stream.stream_id, topic=TOPIC)
    above = chat.bot().max_message_id
    for incident in waiting:
        with store.writing() as transaction:
            message = outbox.freeze(transaction, outbox.Draft(recipient, incident.text, above=above), now)
            incidents.mark_announced(transaction, incident, now)
        deliverer.send_message(message)
