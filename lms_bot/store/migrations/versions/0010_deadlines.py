"""Deadlines are known, and what everybody's results in an exam come to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_results",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("average", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("source_table", "activity_id", name=op.f("pk_class_results")),
    )
    op.create_table(
        "deadlines",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("expected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("handed_in", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("source_table", "activity_id", name=op.f("pk_deadlines")),
    )
