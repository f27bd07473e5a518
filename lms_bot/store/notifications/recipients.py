"""Finds what waits for mentors who are that no longer, and what waits for students to have a mentor again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from lms_bot.core.detect import HISTORY_AGE
from lms_bot.core.events import ALERTING
from lms_bot.core.notifications import Notification
from lms_bot.store.notifications.queue import NO_MENTOR, NOT_NOW, UNSENT, notifications_of
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, logs, mentor_students, mentors, student_alerts

_link = mentor_students.c
_MENTOR = sa.exists().where(_link.student_id == events.c.student_id, mentors.c.mentor_id == _link.mentor_id)
_HAS_MENTOR = _MENTOR.correlate(events)
_IS_THEIRS = _MENTOR.where(_link.mentor_id == logs.c.mentor_id).correlate(events, logs)


def waiting_for_former_mentors(transaction: Transaction) -> list[Notification]:
    """Return what waits, due or not, for mentors of students who have others now, but for alerts."""
    is_others = _HAS_MENTOR & ~_IS_THEIRS & events.c.event_type.not_in(ALERTING)
    return notifications_of(transaction, UNSENT.where(is_others), {})


def wake(transaction: Transaction, now: datetime) -> None:
    """Make due now what waited for a student to have a mentor, or for a mentor to have the student again."""
    of_event = sa.exists().where(events.c.event_id == logs.c.event_id)
    waits = logs.c.due_at.is_not(None) & (logs.c.error_message == NO_MENTOR) & of_event.where(_HAS_MENTOR)
    transaction.execute(sa.update(logs).where(waits).values(due_at=now, error_message=None))
    still_holds = ~events.c.is_withdrawn & events.c.mirrors.is_(None) & (events.c.created_at >= now - HISTORY_AGE)
    was_theirs = ~logs.c.notification_sent & (logs.c.error_message == NOT_NOW) & logs.c.due_at.is_(None)
    again = was_theirs & of_event.where(still_holds, _IS_THEIRS)
    transaction.execute(sa.update(logs).where(again).values(due_at=now, error_message=None, processed_at=None))


_BETWEEN = (
    sa.exists().where(at > sa.bindparam("after"), at <= sa.bindparam("until"))
    for at in (logs.c.due_at, student_alerts.c.tell_at, student_alerts.c.remind_at)
)
_IS_DUE_BETWEEN = sa.select(sa.or_(*_BETWEEN))  # made once: each poll asks, and each part has an index


def is_due_between(transaction: Transaction, after: datetime, until: datetime) -> bool:
    """Return whether a mentor is to be sent something that waits, after a moment and by another one."""
    return bool(transaction.scalar(_IS_DUE_BETWEEN, {"after": after, "until": until}))
