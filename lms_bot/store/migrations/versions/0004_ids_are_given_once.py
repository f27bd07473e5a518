"""The id of a removed row is not given again: on SQLite by AUTOINCREMENT, as a sequence of PostgreSQL does already."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("audit", "orders", "streak_marks"):
        _rebuild(table)
    # Without notifications no row refers to an event, so that the table of events can be replaced.
    op.execute("CREATE TEMPORARY TABLE kept_logs AS SELECT * FROM lms_event_logs")
    op.execute("DELETE FROM lms_event_logs")
    _rebuild("lms_activity_events")
    _rebuild("lms_event_logs")
    op.execute("INSERT INTO lms_event_logs SELECT * FROM kept_logs")
    op.execute("DROP TABLE kept_logs")


def _rebuild(table: str) -> None:
    with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
        pass
