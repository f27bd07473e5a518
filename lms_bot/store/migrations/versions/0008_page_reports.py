"""The LMS's pages report how far students watch lessons, and which lessons there are is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lessons",
        sa.Column("lesson_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("quiz_source", sa.String(length=32), nullable=True),
        sa.Column("quiz_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_lessons")),
    )
    op.create_table(
        "page_reports",
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("stretches", sa.JSON(), nullable=False),
        sa.Column("position", sa.Double(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("length", sa.Double(), nullable=True),
        sa.Column("length_by", sa.Double(), nullable=False),
        sa.Column("reported", sa.Double(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_page_reports")),
        sa.UniqueConstraint("student_id", "lesson_id", name=op.f("uq_page_reports_student_id_lesson_id")),
        sqlite_autoincrement=True,
    )
