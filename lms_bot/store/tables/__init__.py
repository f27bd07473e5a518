"""The tables of the event store, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from lms_bot.store.tables.academics import (
    attempt_results,
    batch_students,
    batches,
    class_results,
    course_batches,
    course_items,
    course_students,
    courses,
    deadlines,
    lms_counts,
    outdated_snapshots,
    snapshots,
    sync_conflicts,
)
from lms_bot.store.tables.alerts import alert_names, alert_reminders, exam_durations, student_alerts, watched
from lms_bot.store.tables.base import metadata
from lms_bot.store.tables.events import (
    cursors,
    events,
    is_current_exam,
    is_nobodys,
    is_result,
    is_shown,
    is_unprocessed,
    open_rows,
    pruned,
)
from lms_bot.store.tables.notifications import has_error, is_owed, is_sent, logs, messages, unsettled
from lms_bot.store.tables.people import (
    forgotten,
    hand_mappings,
    mentor_students,
    mentors,
    preferences,
    students,
    zulip_users,
)
from lms_bot.store.tables.questions import askers, audit, claims, dialogues, incidents, orders
from lms_bot.store.tables.state import counts, facts
from lms_bot.store.tables.streaks import streak_marks, streaks, student_days, student_zones
from lms_bot.store.tables.web import api_audit, api_tokens

__all__ = [
    "alert_names",
    "alert_reminders",
    "api_audit",
    "api_tokens",
    "askers",
    "attempt_results",
    "audit",
    "batch_students",
    "batches",
    "claims",
    "class_results",
    "counts",
    "course_batches",
    "course_items",
    "course_students",
    "courses",
    "cursors",
    "deadlines",
    "dialogues",
    "events",
    "exam_durations",
    "facts",
    "forgotten",
    "hand_mappings",
    "has_error",
    "incidents",
    "is_current_exam",
    "is_nobodys",
    "is_owed",
    "is_result",
    "is_sent",
    "is_shown",
    "is_unprocessed",
    "lms_counts",
    "logs",
    "mentor_students",
    "mentors",
    "messages",
    "metadata",
    "open_rows",
    "orders",
    "outdated_snapshots",
    "preferences",
    "pruned",
    "snapshots",
    "streak_marks",
    "streaks",
    "student_alerts",
    "student_days",
    "student_zones",
    "students",
    "sync_conflicts",
    "unsettled",
    "watched",
    "zulip_users",
]
