"""The first schema: events, what is owed and sent, cursors, people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alerts")),
    )
    op.create_table(
        "claimed_messages",
        sa.Column("zulip_message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("zulip_message_id", name=op.f("pk_claimed_messages")),
    )
    op.create_table(
        "counts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counts")),
    )
    op.create_table(
        "cursors",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source_table", name=op.f("pk_cursors")),
    )
    op.create_table(
        "dialogues",
        sa.Column("zulip_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("zulip_user_id", name=op.f("pk_dialogues")),
    )
    op.create_table(
        "askers",
        sa.Column("zulip_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("zulip_user_id", name=op.f("pk_askers")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zulip_user_id", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "forgotten_students",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username_digest", sa.String(length=64), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_forgotten_students")),
    )
    op.create_table(
        "hand_mappings",
        sa.Column("mentor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("zulip_user_id", sa.BigInteger(), nullable=False),
        sa.Column("mapped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mentor_id", name=op.f("pk_hand_mappings")),
    )
    op.create_table(
        "lms_activity_events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=True),
        sa.Column("student_username", sa.Text(), nullable=True),
        sa.Column("mentor_id", sa.BigInteger(), nullable=True),
        sa.Column("mentor_username", sa.Text(), nullable=True),
        sa.Column("activity_id", sa.BigInteger(), nullable=True),
        sa.Column("activity_title", sa.Text(), nullable=True),
        sa.Column("activity_metadata", sa.JSON(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_for_ai", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("zulip_user_id", sa.BigInteger(), nullable=True),
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_history", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("mirrors", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("percentage", sa.Double(), nullable=True),
        sa.Column("course_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_lms_activity_events")),
        sa.UniqueConstraint(
            *("source_table", "source_id", "event_type"),
            name=op.f("uq_lms_activity_events_source_table_source_id_event_type"),
        ),
    )
    op.create_index(
        "ix_lms_activity_events_attempts",
        "lms_activity_events",
        ["student_id", "activity_id", "source_id"],
        sqlite_where=sa.text("source_table = 'attempts' AND is_current = 1"),
        postgresql_where=sa.text("source_table = 'attempts' AND is_current"),
    )
    op.create_index(
        "ix_lms_activity_events_nobodys",
        "lms_activity_events",
        ["student_id"],
        sqlite_where=sa.text("mentor_id IS NULL AND is_history = 0"),
        postgresql_where=sa.text("mentor_id IS NULL AND NOT is_history"),
    )
    op.create_index(
        "ix_lms_activity_events_students",
        "lms_activity_events",
        [*("student_id", "timestamp", "event_id", "event_type", "is_current", "mirrors", "percentage"), "course_key"],
    )
    op.create_index(
        "ix_lms_activity_events_unprocessed",
        "lms_activity_events",
        ["event_id"],
        sqlite_where=sa.text("processed_for_ai = 0"),
        postgresql_where=sa.text("NOT processed_for_ai"),
    )
    op.create_table(
        "mentor_students",
        sa.Column("mentor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("mentor_id", "student_id", name=op.f("pk_mentor_students")),
    )
    op.create_index(op.f("ix_mentor_students_student_id"), "mentor_students", ["student_id"])
    op.create_table(
        "mentors",
        sa.Column("mentor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("zulip_user_id", sa.BigInteger(), nullable=True),
        sa.Column("unmapped_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mentor_id", name=op.f("pk_mentors")),
    )
    op.create_index(op.f("ix_mentors_zulip_user_id"), "mentors", ["zulip_user_id"])
    op.create_table(
        "messages",
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mentor_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient", sa.JSON(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("anchor_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("zulip_message_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attachment_name", sa.Text(), nullable=True),
        sa.Column("attachment", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_messages_unsettled",
        "messages",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_messages_created_at"), "messages", ["created_at"])
    op.create_index(op.f("ix_messages_mentor_id"), "messages", ["mentor_id"])
    op.create_index(op.f("ix_messages_zulip_message_id"), "messages", ["zulip_message_id"])
    op.create_index(
        "uq_messages_unsettled_mentor",
        "messages",
        ["mentor_id"],
        unique=True,
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_table(
        "open_rows",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unknown_state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source_table", "source_id", name=op.f("pk_open_rows")),
    )
    op.create_index(op.f("ix_open_rows_source_table_look_at"), "open_rows", ["source_table", "look_at"])
    op.create_table(
        "orders",
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("work", sa.String(length=16), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("recipient", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
    )
    op.create_table(
        "preferences",
        sa.Column("mentor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mentor_id", name=op.f("pk_preferences")),
    )
    op.create_table(
        "pruned_events",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source_table", "source_id", "event_type", name=op.f("pk_pruned_events")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "students",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("zulip_user_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_students")),
    )
    op.create_index(op.f("ix_students_username"), "students", ["username"])
    op.create_index(op.f("ix_students_zulip_user_id"), "students", ["zulip_user_id"])
    op.create_table(
        "zulip_users",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_bot", sa.Boolean(), nullable=False),
        sa.Column("is_guest", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_zulip_users")),
    )
    op.create_table(
        "lms_event_logs",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("mentor_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notification_sent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notification_message_id", sa.BigInteger(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["lms_activity_events.event_id"], name=op.f("fk_lms_event_logs_event_id")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name=op.f("fk_lms_event_logs_message_id")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_lms_event_logs")),
        sa.UniqueConstraint("event_id", "mentor_id", name=op.f("uq_lms_event_logs_event_id_mentor_id")),
    )
    op.create_index(
        "ix_lms_event_logs_due",
        "lms_event_logs",
        ["mentor_id", "due_at", "event_id"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lms_event_logs_errors",
        "lms_event_logs",
        ["mentor_id", "event_id"],
        sqlite_where=sa.text("notification_sent = 0 AND error_message IS NOT NULL"),
        postgresql_where=sa.text("NOT notification_sent AND error_message IS NOT NULL"),
    )
    op.create_index(op.f("ix_lms_event_logs_message_id"), "lms_event_logs", ["message_id"])
    op.create_index(
        "ix_lms_event_logs_sent",
        "lms_event_logs",
        ["mentor_id", "event_id"],
        sqlite_where=sa.text("notification_sent = 1"),
        postgresql_where=sa.text("notification_sent"),
    )
