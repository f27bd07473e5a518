"""The preferences of mentors: how soon, when and about whom they are notified."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.config.settings import Settings
from lms_bot.core.events import EventClass
from lms_bot.core.notifications import MentorPreferences, Preferences
from lms_bot.core.people import told_apart
from lms_bot.core.principal import Principal
from lms_bot.core.schedule import timing_of, zone_of
from lms_bot.reports import access
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people
from lms_bot.store.session import Transaction


def mentor_preferences(
    transaction: Transaction, principal: Principal, mentor_id: int, settings: Settings, now: datetime
) -> MentorPreferences:
    """Return what holds for a mentor now: for themselves, and for admins. Raises NotFound."""
    mentor = access.mentor(transaction, principal, mentor_id)
    chosen = preferences.effective(transaction, [mentor.mentor_id]).get(mentor.mentor_id, Preferences())
    until = chosen.paused_until
    muted = [
        (student, end)
        for student in told_apart(people.students_of(transaction, [mentor.mentor_id]))
        if (end := chosen.muted.get(student.student_id)) is not None and end > now
    ]
    return MentorPreferences(
        chosen,
        {event_class: timing_of(event_class, chosen, settings.delivery) for event_class in EventClass},
        zone_of(chosen, settings.timezone).key,
        until if until is not None and until > now else None,
        tuple(muted),
    )


def time_zone(transaction: Transaction, principal: Principal, settings: Settings) -> ZoneInfo:
    """Return the time zone that a principal is shown days in: that of the first mentor who they are, or the default.

    Raises NotFound for a stranger.
    """
    access.require_known(principal)
    chosen = preferences.effective(transaction, principal.mentor_ids[:1])
    return zone_of(next(iter(chosen.values()), Preferences()), settings.timezone)
