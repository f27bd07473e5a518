"""Exams are counted by the types of their events, whatever source they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_lms_activity_events_attempts", "lms_activity_events")
    is_exam = "event_type > 'exam' AND event_type < 'exan' AND is_current"
    op.create_index(
        "ix_lms_activity_events_exams",
        "lms_activity_events",
        ["student_id", "activity_id", "source_table", "source_id"],
        sqlite_where=sa.text(f"{is_exam} = 1"),
        postgresql_where=sa.text(is_exam),
    )
