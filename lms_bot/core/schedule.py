"""When a mentor is due to be notified of an event, and why not earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import DAY, WORK_BEGINS, local_day, start_of_day, zone_named
from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import AT_ONCE, Preferences, Timing

MOST_DAYS = 8  # quiet days can cover a week; within a week and a day something must be allowed

CALM = {**dict.fromkeys(EventClass, Timing.DIGEST), EventClass.ALERT: Timing.NOW, EventClass.PROGRESS: Timing.OFF}
EAGER = {**dict.fromkeys(EventClass, Timing.NOW), EventClass.STREAK: Timing.DIGEST, EventClass.PROGRESS: Timing.OFF}


class Due(NamedTuple):
    """When a notification is due (None: never), and what postpones it ("": nothing)."""

    due_at: datetime | None
    reason: str

    @property
    def decision(self) -> str:
        """Return the reason in the word that is kept with a notification."""
        return self.reason or AT_ONCE


@dataclass(frozen=True, slots=True)
class MentorSchedule:
    """When one mentor is notified: by `preferences`, or by the setting `delivery` where they say nothing.

    Hours and days are those of `zone`.
    """

    preferences: Preferences
    delivery: str
    zone: ZoneInfo

    def when_due(self, kind: EventType, student_id: int | None, found_at: datetime) -> Due:
        """Return when an event found at `found_at` is due.

        In this order: a class that is turned off is never due; a muted student and a pause postpone to their end; a
        class in the digest waits for the next digest hour after that; quiet time postpones to its own end.
        """
        timing = timing_of(EventClass.of(kind), self.preferences, self.delivery)
        if timing is Timing.OFF:
            return Due(None, "turned off")
        due_at, reason = self._after_pauses(student_id, found_at)
        if timing is Timing.DIGEST:
            due_at, reason = _next_hour(due_at, self.preferences.digest_hours, self.zone), "digest"
        return self._after_quiet_time(due_at, reason)

    def still_due(self, kind: EventType, student_id: int | None, found_at: datetime, now: datetime) -> Due:
        """Return when an event found at `found_at` is due that has not been sent by `now`.

        A digest hour that passed while nobody was there to send it is not waited for again.
        """
        due = self.when_due(kind, student_id, min(found_at, now))
        if due.due_at is None or due.due_at > now:
            return due
        return self._after_quiet_time(*self._after_pauses(student_id, now))

    def next_morning(self, kind: EventType, now: datetime) -> datetime:
        """Return when an event is due that today has no room for: with the next day's digest, or in its morning."""
        timing = timing_of(EventClass.of(kind), self.preferences, self.delivery)
        hours = self.preferences.digest_hours if timing is Timing.DIGEST else (WORK_BEGINS,)
        tomorrow = start_of_day(local_day(now, self.zone) + DAY, self.zone)
        return _after_quiet(_next_hour(tomorrow, hours, self.zone), self.preferences, self.zone)

    def _after_pauses(self, student_id: int | None, now: datetime) -> tuple[datetime, str]:
        """Return the first moment without a pause and without this student muted, and which of the two ends then."""
        due_at, reason = now, ""
        muted_until = self.preferences.muted.get(student_id) if student_id is not None else None
        for until, why in ((muted_until, "muted"), (self.preferences.paused_until, "paused")):
            if until is not None and until > due_at:
                due_at, reason = until, why
        return due_at, reason

    def _after_quiet_time(self, due_at: datetime, reason: str) -> Due:
        awake = _after_quiet(due_at, self.preferences, self.zone)
        return Due(due_at, reason) if awake == due_at else Due(awake, "quiet time")


def zone_of(preferences: Preferences, default: ZoneInfo) -> ZoneInfo:
    """Return the mentor's time zone, or the default where none is set or this machine does not know it."""
    return zone_named(preferences.timezone or "") or default


def timing_of(event_class: EventClass, preferences: Preferences, delivery: str) -> Timing:
    """Return what the mentor asked for, or else what the setting `delivery` says."""
    default = CALM if delivery == "calm" else EAGER
    return preferences.timings.get(event_class, default[event_class])


def _next_hour(after: datetime, hours: Sequence[int], zone: ZoneInfo) -> datetime:
    """Return when it is first one of these hours of the day, at or after a moment."""
    day = after.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    candidates = (
        (day + timedelta(days=days)).replace(hour=hour).astimezone(UTC)
        for days in range(3)
        for hour in sorted(hours or (WORK_BEGINS,))
    )
    return min(candidate for candidate in candidates if candidate >= after)


def _after_quiet(moment: datetime, preferences: Preferences, zone: ZoneInfo) -> datetime:
    """Return the first moment, from this one on, that is in no quiet time."""
    for _ in range(2 * MOST_DAYS):
        local = moment.astimezone(zone)
        until = _quiet_until(local, preferences)
        if until is None:
            return moment
        moment = until.astimezone(UTC)
    return moment


def _quiet_until(local: datetime, preferences: Preferences) -> datetime | None:
    """Return the local end of the quiet time around a local moment, or None.

    A quiet day ends in the morning after it, or with the quiet time of that night.
    """
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    begin, end = preferences.quiet_from, preferences.quiet_to
    is_overnight = begin is not None and end is not None and begin > end
    if local.weekday() in preferences.quiet_days:
        return _at(day + DAY, 0 if is_overnight else WORK_BEGINS * 60)
    if begin is None or end is None or begin == end:
        return None
    minute = local.hour * 60 + local.minute
    if begin <= minute and (is_overnight or minute < end):
        return _at(day + DAY if is_overnight else day, end)
    if is_overnight and minute < end:
        return _at(day, end)
    return None


def _at(day: datetime, minute: int) -> datetime:
    return day.replace(hour=minute // 60 % 24, minute=minute % 60)
