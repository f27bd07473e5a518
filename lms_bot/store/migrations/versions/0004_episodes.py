"""A row of the LMS may become another fact, with events of its own; and the id of a removed row is not given again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEX = ("student_id", "timestamp", "event_id", "event_type", "is_current", "mirrors", "percentage", "course_key")
_NEVER_AGAIN = {"sqlite_autoincrement": True}  # as a sequence of PostgreSQL does already


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("audit", "orders", "streak_marks", "lms_event_logs"):
            with op.batch_alter_table(table, recreate="always", table_kwargs=_NEVER_AGAIN):
                pass
    op.drop_index("ix_lms_activity_events_students", "lms_activity_events")
    with op.batch_alter_table("lms_activity_events", table_kwargs=_NEVER_AGAIN) as events:
        events.add_column(sa.Column("episode", sa.Integer(), server_default="0", nullable=False))
        events.add_column(sa.Column("is_withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False))
        events.drop_constraint(op.f("uq_lms_activity_events_source_table_source_id_event_type"), type_="unique")
        events.create_unique_constraint(
            op.f("uq_lms_activity_events_source_table_source_id_episode_event_type"),
            ["source_table", "source_id", "episode", "event_type"],
        )
    op.create_index("ix_lms_activity_events_students", "lms_activity_events", [*_INDEX, "is_withdrawn"])
    with op.batch_alter_table("pruned_events", table_kwargs={"sqlite_with_rowid": False}) as pruned:
        pruned.add_column(sa.Column("episode", sa.Integer(), server_default="0", nullable=False))
        pruned.drop_constraint(op.f("pk_pruned_events"), type_="primary")
        pruned.create_primary_key(op.f("pk_pruned_events"), ["source_table", "source_id", "episode", "event_type"])
