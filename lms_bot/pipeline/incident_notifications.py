"""Tells the admins what they must know, in one topic of their stream and only while that is private."""

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


def tell_admins(store: Store, chat: Chat, deliverer: Deliverer, stream_name: str, now: datetime) -> None:
    """Say what has begun and what is over; waits while the stream is not there. Raises SendError, StoreUnavailable."""
    with store.reading() as transaction:
        unsaid = incidents.unsaid(transaction)
    if not unsaid or deliverer.is_pausing:
        return
    stream = chat.stream(stream_name)
    if stream is None or not stream.is_private:
        log.warning("%d alerts wait: there is no private stream for them that I can see", len(unsaid))
        return
    recipient = Recipient(stream_id=stream.stream_id, topic=TOPIC)
    above = chat.bot().max_message_id
    for alert in unsaid:
        with store.writing() as transaction:
            message = outbox.freeze(transaction, recipient, alert.text, now, above=above)
            incidents.said(transaction, alert, now)
        deliverer.say(message)
