"""What was found in the LMS, what is owed and what was sent, and how far the work has come."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.db.engine import UtcDateTime
from lms_bot.store.tables.base import Id, metadata
from lms_bot.store.tables.notifications import has_error, is_owed, is_sent, logs, messages, unsettled

events = sa.Table(
    "lms_activity_events",
    metadata,
    sa.Column("event_id", Id, primary_key=True),
    sa.Column("event_type", sa.String(32), nullable=False),
    sa.Column("student_id", sa.BigInteger),
    sa.Column("student_username", sa.Text),
    sa.Column("mentor_id", sa.BigInteger),
    sa.Column("mentor_username", sa.Text),
    sa.Column("activity_id", sa.BigInteger),
    sa.Column("activity_title", sa.Text),
    sa.Column("activity_metadata", sa.JSON, nullable=False),
    sa.Column("timestamp", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("processed_for_ai", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("zulip_user_id", sa.BigInteger),
    sa.Column("source_table", sa.String(32), nullable=False),
    sa.Column("source_id", sa.BigInteger, nullable=False),
    # One more each time the row becomes another fact; see core/detect.
    sa.Column("episode", sa.Integer, nullable=False, server_default="0"),
    sa.Column("is_current", sa.Boolean, nullable=False, server_default=sa.true()),
    # Recorded without telling anybody: there at the baseline, or old when found.
    sa.Column("is_history", sa.Boolean, nullable=False, server_default=sa.false()),
    # Its row turned out to be about somebody or something else: shown to nobody.
    sa.Column("is_withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    # The attempt that states the same fact: such an event is stored, but neither told nor counted.
    sa.Column("mirrors", sa.BigInteger),
    # Of the row's values when last seen; another value means that the row has changed.
    sa.Column("fingerprint", sa.BigInteger, nullable=False),
    # Two of the metadata as commands use them: the percentage where it is a number, the course's title for searching.
    sa.Column("percentage", sa.Double),
    sa.Column("course_key", sa.Text),
    sa.UniqueConstraint("source_table", "source_id", "episode", "event_type"),
    # All that questions about students filter, sort or count by, so that no row is looked at that is not shown.
    sa.Index(
        "ix_lms_activity_events_students",
        *(
            "student_id",
            "timestamp",
            "event_id",
            "event_type",
            "is_current",
            "mirrors",
            "percentage",
            "course_key",
            "is_withdrawn",
        ),
    ),
    sqlite_autoincrement=True,  # the id of an event that was removed is not given again
)
# For counting attempts; partial, so that nothing else is tempted to use it.
# Two comparisons, since SQLite builds a list anew for each row that it is asked of; literal, or no index is found.
is_current_exam = (
    (events.c.event_type > sa.literal_column("'exam'"))
    & (events.c.event_type < sa.literal_column("'exan'"))
    & events.c.is_current
)
sa.Index(
    "ix_lms_activity_events_exams",
    events.c.student_id,
    events.c.activity_id,
    events.c.source_table,
    events.c.source_id,
    sqlite_where=is_current_exam,
    postgresql_where=is_current_exam,
)
# For comparing those who took one exam: what each came to, without a look at the rows; partial, as above.
# The last columns are there for SQLite, which looks at the condition again.
is_result = (
    (events.c.event_type > sa.literal_column("'exam'"))
    & (events.c.event_type < sa.literal_column("'exam_q'"))  # completed, failed and passed, but not started
    & events.c.is_current
    & ~events.c.is_withdrawn
    & events.c.percentage.is_not(None)
)
sa.Index(
    "ix_lms_activity_events_results",
    events.c.activity_id,
    events.c.source_table,
    events.c.student_id,
    events.c.percentage,
    events.c.event_type,
    events.c.is_current,
    events.c.is_withdrawn,
    sqlite_where=is_result,
    postgresql_where=is_result,
)
# For the hand-over; small where events are marked as they are taken.
is_unprocessed = ~events.c.processed_for_ai
sa.Index(
    "ix_lms_activity_events_unprocessed",
    events.c.event_id,
    sqlite_where=is_unprocessed,
    postgresql_where=is_unprocessed,
)
# What was told to nobody because there was nobody to tell; empty where every student has a mentor.
is_nobodys = events.c.mentor_id.is_(None) & ~events.c.is_history
sa.Index(
    "ix_lms_activity_events_nobodys",
    events.c.student_id,
    sqlite_where=is_nobodys,
    postgresql_where=is_nobodys,
)
# For the newest events of everybody; partial in words of its own, so that no question about some students is tempted.
is_shown = events.c.mirrors.is_(None) & events.c.is_withdrawn.is_(sa.false())
sa.Index(
    "ix_lms_activity_events_newest",
    events.c.timestamp,
    events.c.event_id,
    events.c.event_type,
    sqlite_where=is_shown,
    postgresql_where=is_shown,
)

sa.Index(
    "ix_lms_event_logs_due",
    logs.c.mentor_id,
    logs.c.due_at,
    logs.c.event_id,
    sqlite_where=is_owed,
    postgresql_where=is_owed,
)
sa.Index("ix_lms_event_logs_sent", logs.c.mentor_id, logs.c.event_id, sqlite_where=is_sent, postgresql_where=is_sent)
sa.Index(
    "ix_lms_event_logs_errors", logs.c.mentor_id, logs.c.event_id, sqlite_where=has_error, postgresql_where=has_error
)

sa.Index("ix_messages_unsettled", messages.c.next_try_at, sqlite_where=unsettled, postgresql_where=unsettled)
# At most one unsettled message per mentor.
sa.Index(
    "uq_messages_unsettled_mentor",
    messages.c.mentor_id,
    unique=True,
    sqlite_where=unsettled,
    postgresql_where=unsettled,
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("position", sa.JSON, nullable=False),
    sa.Column("moved_at", UtcDateTime, nullable=False),
)

open_rows = sa.Table(
    "open_rows",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("look_at", UtcDateTime, nullable=False),
    # The LMS's word for a state that gives no event; NULL where the row is merely not finished.
    sa.Column("unknown_state", sa.Text),
    sa.Index(None, "source_table", "look_at"),
)

# The keys of events that were removed for their age, and the fingerprints of rows that still said so then.
pruned = sa.Table(
    "pruned_events",
    metadata,
    sa.Column("source_table", sa.String(32), primary_key=True),
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("episode", sa.Integer, primary_key=True, autoincrement=False, server_default="0"),
    sa.Column("event_type", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.BigInteger),
    sqlite_with_rowid=False,
)
