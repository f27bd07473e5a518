"""Which programs may ask, what they asked, and who is signed in to the pages."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import Id, metadata

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("token_id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False, unique=True),
    sa.Column("secret_hash", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("mentor_id", sa.BigInteger),  # whose students it may read; NULL: everybody
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sqlite_autoincrement=True,
)

api_audit = sa.Table(
    "api_audit",
    metadata,
    sa.Column("audit_id", Id, primary_key=True),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("path", sa.String(200), nullable=False),
    sa.Column("student_id", sa.BigInteger),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(None, "student_id"),
    sqlite_autoincrement=True,
)

# What the LMS's pages told us of a student and a lesson, which the LMS's own rows for that lesson mirror.
page_reports = sa.Table(
    "page_reports",
    metadata,
    sa.Column("report_id", Id, primary_key=True),
    sa.Column("student_id", sa.BigInteger, nullable=False),
    sa.Column("lesson_id", sa.BigInteger, nullable=False),
    # What was watched: pairs of seconds, in order and apart.
    sa.Column("stretches", sa.JSON, nullable=False),
    sa.Column("position", sa.Double),
    sa.Column("seen_at", UtcDateTime),
    # How long the video is in seconds, and by what percentage that was estimated; 101: a page stated it.
    sa.Column("length", sa.Double),
    sa.Column("length_by", sa.Double, nullable=False),
    sa.Column("reported", sa.Double, nullable=False),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("student_id", "lesson_id"),
    sqlite_autoincrement=True,  # its events are known by its id
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("link_id", Id, primary_key=True),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("zulip_user_id", sa.BigInteger, nullable=False),
    sa.Column("as_admin", sa.Boolean, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
    sa.Index(None, "zulip_user_id"),
    sqlite_autoincrement=True,
)

web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("session_id", Id, primary_key=True),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("zulip_user_id", sa.BigInteger, nullable=False),
    sa.Column("as_admin", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Index(None, "zulip_user_id"),
    sqlite_autoincrement=True,
)
