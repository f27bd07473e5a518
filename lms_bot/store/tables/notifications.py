"""Notifications owed to mentors, and the messages that tell them."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import Id, metadata

logs = sa.Table(
    "lms_event_logs",
    metadata,
    sa.Column("log_id", Id, primary_key=True),
    sa.Column("event_id", sa.BigInteger, sa.ForeignKey("lms_activity_events.event_id"), nullable=False),
    sa.Column("mentor_id", sa.BigInteger, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("notification_sent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("notification_message_id", sa.BigInteger),
    sa.Column("error_message", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("processed_at", UtcDateTime),
    # The frozen message that tells it; set from before the first try until the outcome is known, and kept if sent.
    sa.Column("message_id", sa.BigInteger, sa.ForeignKey("messages.message_id")),
    # By what it was due when it was queued or last scheduled (`core/schedule`); NULL: an earlier version did that.
    sa.Column("decision", sa.String(16)),
    sa.UniqueConstraint("event_id", "mentor_id"),
    sa.Index(None, "message_id"),
    sqlite_autoincrement=True,
)
is_owed = logs.c.due_at.is_not(None)
is_sent = logs.c.notification_sent
has_error = ~logs.c.notification_sent & logs.c.error_message.is_not(None)
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("message_id", Id, primary_key=True),
    sa.Column("mentor_id", sa.BigInteger),
    sa.Column("recipient", sa.JSON, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("anchor_id", sa.BigInteger, nullable=False),
    # sending, unknown, refused: not settled, looked at again at `next_try_at`; sent, parked: settled.
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("tried_at", UtcDateTime, nullable=False),
    sa.Column("next_try_at", UtcDateTime),
    sa.Column("zulip_message_id", sa.BigInteger),
    sa.Column("error", sa.Text),
    # A file that goes with it; both are NULL again once it is uploaded and the content has its link.
    sa.Column("attachment_name", sa.Text),
    sa.Column("attachment", sa.LargeBinary),
    sa.Index(None, "zulip_message_id"),
    sa.Index(None, "mentor_id"),
    sa.Index(None, "created_at"),
    sqlite_autoincrement=True,  # the id of a message that was taken back is not given again
)
unsettled = messages.c.next_try_at.is_not(None)
