"""Who is who, and what they asked for."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import metadata

students = sa.Table(
    "students",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("display_name", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("zulip_user_id", sa.BigInteger, index=True),
    sa.Index(None, "username"),
)

mentors = sa.Table(
    "mentors",
    metadata,
    sa.Column("mentor_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("display_name", sa.Text),
    sa.Column("zulip_user_id", sa.BigInteger, index=True),
    sa.Column("unmapped_reason", sa.Text),
    # To whom the mentor reports, and how many students the LMS itself counts.
    sa.Column("supervisor_id", sa.BigInteger),
    sa.Column("supervisor_email", sa.Text),
    sa.Column("students_count", sa.Integer),
)

mentor_students = sa.Table(
    "mentor_students",
    metadata,
    sa.Column("mentor_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "student_id"),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("mentor_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("wishes", sa.JSON, nullable=False),  # only what differs from the defaults
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# An admin's word on which account is whose; it goes before e-mail addresses.
hand_mappings = sa.Table(
    "hand_mappings",
    metadata,
    sa.Column("mentor_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("zulip_user_id", sa.BigInteger, nullable=False),
    sa.Column("mapped_at", UtcDateTime, nullable=False),
)

zulip_users = sa.Table(
    "zulip_users",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("is_bot", sa.Boolean, nullable=False),
    sa.Column("is_guest", sa.Boolean, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
)

# Students who asked to be forgotten: not recorded again. Of the username only a digest is kept.
forgotten = sa.Table(
    "forgotten_students",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("username_digest", sa.String(64), nullable=False),
    sa.Column("forgotten_at", UtcDateTime, nullable=False),
)
