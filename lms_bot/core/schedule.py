"""When a mentor is to be told of an event, and why not now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import zone_named
from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Timing

DAY = timedelta(days=1)
MOST_DAYS = 8  # quiet days can cover a week; a week and a day further something must be allowed

CALM = {
    EventClass.FAILED: Timing.NOW,
    EventClass.PASSED: Timing.NOW,
    EventClass.COMPLETED: Timing.NOW,
    EventClass.STARTED: Timing.DIGEST,
    EventClass.CONTENT: Timing.DIGEST,
    EventClass.STREAK: Timing.DIGEST,
    EventClass.ALERT: Timing.NOW,
}
EAGER = {**dict.fromkeys(EventClass, Timing.NOW), EventClass.STREAK: Timing.DIGEST}


class Held(NamedTuple):
    """When a notification is due (None: never), and what holds it ("" : nothing)."""

    due_at: datetime | None
    reason: str


def hold(
    kind: EventType, student_id: int | None, preferences: Preferences, delivery: str, zone: ZoneInfo, now: datetime
) -> Held:
    """When to tell an event found by `now`.

    In this order: a class turned off is never told; a muted student and a pause hold until they end; a class in the
    digest holds until the next digest hour after that; quiet time holds whatever would be told within it until it ends.
    `delivery` is the setting that decides where the mentor did not; hours and days are those of the mentor's time zone.
    """
    timing = timing_of(EventClass.of(kind), preferences, delivery)
    if timing is Timing.OFF:
        return Held(None, "turned off")
    due_at, reason = _after_silence(student_id, preferences, now)
    if timing is Timing.DIGEST:
        due_at, reason = _next_digest(due_at, preferences, zone), "digest"
    awake = _after_quiet(due_at, preferences, zone)
    return Held(due_at, reason) if awake == due_at else Held(awake, "quiet time")


def hold_still(
    kind: EventType,
    student_id: int | None,
    preferences: Preferences,
    delivery: str,
    zone: ZoneInfo,
    *,
    found_at: datetime,
    now: datetime,
) -> Held:
    """When to tell an event found at `found_at` that has not been told by `now`, by the preferences of now.

    A digest that it could have been in and was not (nobody was there to send it) is not waited for again.
    """
    held = hold(kind, student_id, preferences, delivery, zone, min(found_at, now))
    if held.due_at is None or held.due_at > now:
        return held
    due_at, reason = _after_silence(student_id, preferences, now)
    awake = _after_quiet(due_at, preferences, zone)
    return Held(due_at, reason) if awake == due_at else Held(awake, "quiet time")


def zone_of(preferences: Preferences, default: ZoneInfo) -> ZoneInfo:
    """The mentor's time zone, or the default where it is not known, or no zone of this machine."""
    return zone_named(preferences.timezone or "") or default


def timing_of(event_class: EventClass, preferences: Preferences, delivery: str) -> Timing:
    """What the mentor asked for, or else what the setting `delivery` says."""
    default = CALM if delivery == "calm" else EAGER
    return preferences.timings.get(event_class, default[event_class])


def _after_silence(student_id: int | None, preferences: Preferences, now: datetime) -> tuple[datetime, str]:
    """The first moment that is neither in a pause nor while the student is muted, and which of the two ends then."""
    due_at, reason = now, ""
    muted_until = preferences.muted.get(student_id) if student_id is not None else None
    for until, why in ((muted_until, "muted"), (preferences.paused_until, "paused")):
        if until is not None and until > due_at:
            due_at, reason = until, why
    return due_at, reason


def _next_digest(after: datetime, preferences: Preferences, zone: ZoneInfo) -> datetime:
    """The first digest hour at or after a moment."""
    day = after.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    candidates = (
        (day + timedelta(days=days)).replace(hour=hour).astimezone(UTC)
        for days in range(3)
        for hour in sorted(preferences.digest_hours or (8,))
    )
    return min(candidate for candidate in candidates if candidate >= after)


def _after_quiet(moment: datetime, preferences: Preferences, zone: ZoneInfo) -> datetime:
    """The first moment, from this one on, that is in no quiet time."""
    for _ in range(2 * MOST_DAYS):
        local = moment.astimezone(zone)
        until = _quiet_until(local, preferences)
        if until is None:
            return moment
        moment = until.astimezone(UTC)
    return moment


def _quiet_until(local: datetime, preferences: Preferences) -> datetime | None:
    """The local end of the quiet time that a local moment lies in, or None."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if local.weekday() in preferences.quiet_days:
        return midnight + DAY
    begin, end = preferences.quiet_from, preferences.quiet_to
    if begin is None or end is None or begin == end:
        return None
    minute = local.hour * 60 + local.minute
    over_midnight = begin > end
    if begin <= minute and (over_midnight or minute < end):
        return _at(midnight + DAY if over_midnight else midnight, end)
    if over_midnight and minute < end:
        return _at(midnight, end)
    return None


def _at(midnight: datetime, minute: int) -> datetime:
    return midnight.replace(hour=minute // 60 % 24, minute=minute % 60)
