"""Small facts that the bot keeps about itself, and counters."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import metadata

counts = sa.Table(
    "counts",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("noted_at", UtcDateTime, nullable=False),
)
