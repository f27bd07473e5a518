"""Sends incidents to the admins: in one topic of their channel while that is private, else what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from lms_bot.chat import Chat
from lms_bot.core.notifications import Recipient
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.pipeline.incidents import ADMIN_CHANNEL
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import admin_channel, incidents
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.operations.incidents import Incident
from lms_bot.store.people import accounts
from lms_bot.store.session import Store, Transaction

TOPIC = "alerts"
MOST_TOLD = 20  # admins who are told directly


def send_incidents(store: Store, chat: Chat, deliverer: Deliverer, now: datetime) -> int:
    """Send what has begun and what is over; return how much waits for an admin channel that is private.

    What is wrong with the channel is told its members directly. Raises SendError, StoreUnavailable.
    """
    with store.reading() as transaction:
        waiting = incidents.unannounced(transaction)
        channel = admin_channel.pinned(transaction)
    if not waiting or deliverer.is_pausing:
        return 0
    if channel is None:
        return len(waiting)
    stream = chat.stream(channel.stream_id)
    is_open = stream is not None and stream.is_private
    told = [one for one in waiting if is_open or _is_told_directly(one)]
    above = chat.bot().max_message_id
    for incident in told:
        with store.writing() as transaction:
            places = [Recipient(stream_id=channel.stream_id, topic=TOPIC)] if is_open else _admins(transaction, channel)
            drafts = [outbox.Draft(place, incident.text, above=above) for place in places]
            messages = [outbox.freeze(transaction, draft, now) for draft in drafts]
            incidents.mark_announced(transaction, incident, now)
        for message in messages:
            deliverer.send_message(message)
    return len(waiting) - len(told)


def _is_told_directly(incident: Incident) -> bool:
    return incident.name.startswith(ADMIN_CHANNEL) and not incident.is_over


def _admins(transaction: Transaction, channel: AdminChannel) -> list[Recipient]:
    """Return the direct way to each of the people who were admins when that was last so."""
    known = accounts.people_among(transaction, channel.members)
    return [Recipient(user_ids=(user_id,)) for user_id in known[:MOST_TOLD]]
