"""The days of students, the streaks that they make, and who needs their mentor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_days()
    _create_needs()


def _create_days() -> None:
    op.create_table(
        "streak_marks",
        sa.Column("mark_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("streak_id", sa.BigInteger(), nullable=False),
        sa.Column("milestone", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("mark_id", name=op.f("pk_streak_marks")),
        sa.UniqueConstraint("streak_id", "milestone", name=op.f("uq_streak_marks_streak_id_milestone")),
    )
    op.create_table(
        "streaks",
        sa.Column("streak_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("streak_id", name=op.f("pk_streaks")),
        sa.UniqueConstraint("student_id", "kind", "last_day", name=op.f("uq_streaks_student_id_kind_last_day")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_streaks_kind_last_day"), "streaks", ["kind", "last_day"])
    op.create_table(
        "student_days",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_learned", sa.Boolean(), nullable=False),
        sa.Column("in_lms", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", "day", name=op.f("pk_student_days")),
    )
    op.create_table(
        "student_zones",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_student_zones")),
    )


def _create_needs() -> None:
    op.create_table(
        "alert_reminders",
        sa.Column("reminder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reminder_id", name=op.f("pk_alert_reminders")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_reminders_alert_id"), "alert_reminders", ["alert_id"])
    op.create_table(
        "exam_durations",
        sa.Column("exam_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("exam_id", name=op.f("pk_exam_durations")),
    )
    op.create_table(
        "student_alerts",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("mentor_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tell_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("untold", sa.String(length=16), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_student_alerts")),
        sa.UniqueConstraint("mentor_id", "number", name=op.f("uq_student_alerts_mentor_id_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_student_alerts_mentor_id_told_at"), "student_alerts", ["mentor_id", "told_at"])
    op.create_index(
        "ix_student_alerts_remind",
        "student_alerts",
        ["remind_at"],
        sqlite_where=sa.text("remind_at IS NOT NULL"),
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_student_alerts_student_id_closed_at"), "student_alerts", ["student_id", "closed_at"])
    op.create_index(
        "ix_student_alerts_tell",
        "student_alerts",
        ["tell_at"],
        sqlite_where=sa.text("tell_at IS NOT NULL"),
        postgresql_where=sa.text("tell_at IS NOT NULL"),
    )
    op.create_index(
        "ix_student_alerts_until",
        "student_alerts",
        ["until"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_student_alerts_open",
        "student_alerts",
        ["mentor_id", "student_id", "rule", "subject_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "watched_students",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_watched_students")),
    )
    op.create_index(op.f("ix_watched_students_look_at"), "watched_students", ["look_at"])
