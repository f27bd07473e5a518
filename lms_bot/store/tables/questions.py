"""What people and the bot said to each other, and what must come of it."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import Id, metadata

# What the admins must know while it lasts; said when it begins and when it is over.
incidents = sa.Table(
    "alerts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("told_at", UtcDateTime),
    sa.Column("over_text", sa.Text),  # set when it is over
)

claims = sa.Table(
    "claimed_messages",
    metadata,
    sa.Column("zulip_message_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
)

# What the next message of somebody may refer to: a numbered choice, or a list that goes on.
dialogues = sa.Table(
    "dialogues",
    metadata,
    sa.Column("zulip_user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
)

# How many questions somebody asked since a moment.
askers = sa.Table(
    "askers",
    metadata,
    sa.Column("zulip_user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("questions", sa.Integer, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("audit_id", Id, primary_key=True),
    sa.Column("zulip_user_id", sa.BigInteger, nullable=False),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

# What the worker is to do at once, and where to say what came of it.
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", Id, primary_key=True),
    sa.Column("work", sa.String(16), nullable=False),
    sa.Column("types", sa.JSON, nullable=False),
    sa.Column("recipient", sa.JSON, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
