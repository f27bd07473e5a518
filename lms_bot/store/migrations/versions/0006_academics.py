"""Batches, courses and results by subject come along with the events, and weekly snapshots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt_results",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("exam_source", sa.String(length=32), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("incorrect", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source_table", "source_id", name=op.f("pk_attempt_results")),
    )
    op.create_index(
        op.f("ix_attempt_results_attempt_id_exam_source"),
        "attempt_results",
        ["attempt_id", "exam_source"],
        unique=False,
    )
    op.create_table(
        "batch_students",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "student_id", name=op.f("pk_batch_students")),
    )
    op.create_index(op.f("ix_batch_students_student_id"), "batch_students", ["student_id"], unique=False)
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
    )
    op.create_table(
        "course_batches",
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("course_id", "batch_id", name=op.f("pk_course_batches")),
    )
    op.create_index(op.f("ix_course_batches_batch_id"), "course_batches", ["batch_id"], unique=False)
    op.create_table(
        "course_items",
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("course_id", "item", "source_table", "activity_id", name=op.f("pk_course_items")),
    )
    op.create_index(
        op.f("ix_course_items_source_table_activity_id"), "course_items", ["source_table", "activity_id"], unique=False
    )
    op.create_table(
        "course_students",
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("course_id", "student_id", name=op.f("pk_course_students")),
    )
    op.create_index(op.f("ix_course_students_student_id"), "course_students", ["student_id"], unique=False)
    op.create_table(
        "courses",
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_courses")),
    )
    op.create_table(
        "lms_counts",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("current_streak", sa.Integer(), nullable=True),
        sa.Column("highest_streak", sa.Integer(), nullable=True),
        sa.Column("videos", sa.Integer(), nullable=True),
        sa.Column("exams", sa.Integer(), nullable=True),
        sa.Column("downloads", sa.Integer(), nullable=True),
        sa.Column("conferences", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_lms_counts")),
    )
    op.create_table(
        "outdated_snapshots",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_outdated_snapshots")),
    )
    op.create_table(
        "student_academic_snapshots",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("snapshot_date", sa.Date(), nullable=False),
        sa.Column("total_exams_taken", sa.Integer(), nullable=False),
        sa.Column("average_score", sa.Double(), nullable=True),
        sa.Column("videos_watched", sa.Integer(), nullable=False),
        sa.Column("streak_count", sa.Integer(), nullable=False),
        sa.Column("subject_scores", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", "snapshot_date", name=op.f("pk_student_academic_snapshots")),
    )
    op.create_index(
        op.f("ix_student_academic_snapshots_snapshot_date"),
        "student_academic_snapshots",
        ["snapshot_date"],
        unique=False,
    )
    op.create_table(
        "sync_conflicts",
        sa.Column("source_table", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("problem", sa.String(length=32), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source_table", "source_id", "problem", name=op.f("pk_sync_conflicts")),
    )
    op.add_column("mentors", sa.Column("supervisor_id", sa.BigInteger(), nullable=True))
    op.add_column("mentors", sa.Column("supervisor_email", sa.Text(), nullable=True))
    op.add_column("mentors", sa.Column("students_count", sa.Integer(), nullable=True))
    ended = "event_type > 'exam' AND event_type < 'exam_q'"
    op.create_index(
        "ix_lms_activity_events_results",
        "lms_activity_events",
        [
            *("activity_id", "source_table", "student_id", "percentage"),
            *("event_type", "is_current", "is_withdrawn"),
        ],
        sqlite_where=sa.text(f"{ended} AND is_current = 1 AND is_withdrawn = 0 AND percentage IS NOT NULL"),
        postgresql_where=sa.text(f"{ended} AND is_current AND NOT is_withdrawn AND percentage IS NOT NULL"),
    )
