"""The days of students, and the streaks that they make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
