"""Who needs their mentor."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import Id, metadata

# When to see next what the rules say of a student (NULL: when something happens), and since when they are enrolled.
watched = sa.Table(
    "watched_students",
    metadata,
    sa.Column("student_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("enrolled_at", UtcDateTime),
    sa.Column("look_at", UtcDateTime),
    sa.Index(None, "look_at"),
)

# How long an exam takes, in minutes, as the LMS says.
exam_durations = sa.Table(
    "exam_durations",
    metadata,
    sa.Column("exam_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("minutes", sa.Integer, nullable=False),
)

# What a rule says of a student to one mentor, or of an exam (then student_id is 0), from `since` until it is closed.
student_alerts = sa.Table(
    "student_alerts",
    metadata,
    sa.Column("alert_id", Id, primary_key=True),
    sa.Column("rule", sa.String(16), nullable=False),
    sa.Column("mentor_id", sa.BigInteger, nullable=False),
    # By which the student's mentors know it, the same for all; and the one that this mentor was told before there was.
    sa.Column("name", sa.String(16), nullable=False),
    sa.Column("former_name", sa.String(16)),
    sa.Column("student_id", sa.BigInteger, nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("numbers", sa.JSON, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    # When it is to be told; NULL: it has been owed to its mentor, or is not told, for the reason that `untold` names.
    sa.Column("tell_at", UtcDateTime),
    sa.Column("untold", sa.String(16)),
    sa.Column("told_at", UtcDateTime),
    sa.Column("remind_at", UtcDateTime),
    sa.Column("snoozed_until", UtcDateTime),
    sa.Column("taken_at", UtcDateTime),
    sa.Column("taken_by", sa.BigInteger),
    sa.Column("closed_at", UtcDateTime),
    sa.Column("outcome", sa.String(16)),
    sa.Column("note", sa.Text),
    sa.Index(
        "uq_student_alerts_open",
        *("mentor_id", "student_id", "rule", "subject_id"),
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
    sa.Index(None, "student_id", "closed_at"),
    sa.Index(
        "ix_student_alerts_tell",
        "tell_at",
        sqlite_where=sa.text("tell_at IS NOT NULL"),
        postgresql_where=sa.text("tell_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_student_alerts_remind",
        "remind_at",
        sqlite_where=sa.text("remind_at IS NOT NULL"),
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_student_alerts_until",
        "until",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
    sa.Index(
        "ix_student_alerts_rule",
        *("rule", "alert_id"),
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
    sa.Index(None, "mentor_id", "told_at"),
    sa.Index(None, "name"),
    sa.UniqueConstraint("mentor_id", "former_name"),
    sqlite_autoincrement=True,
)

# All names of alerts that were ever given, also of those that are removed: none is given again.
alert_names = sa.Table(
    "alert_names",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sqlite_with_rowid=False,
)

# An alert said again: because nobody took it, or because it was put off until now.
alert_reminders = sa.Table(
    "alert_reminders",
    metadata,
    sa.Column("reminder_id", Id, primary_key=True),
    sa.Column("alert_id", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(None, "alert_id"),
    sqlite_autoincrement=True,
)
