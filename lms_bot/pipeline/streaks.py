"""Ends each day once: streaks that reached a milestone, or ended, become events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lms_bot.config.settings import Settings
from lms_bot.core.calendar import DAY, EARLIEST, counted_at, local_day, start_of_day, zone_named
from lms_bot.core.events import STREAK_MARKS, Event, EventType
from lms_bot.core.streaks import SETTLED_AFTER
from lms_bot.lms import Lms
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.store import state
from lms_bot.store.academics import outdated
from lms_bot.store.events import events
from lms_bot.store.people import forgotten, people, zones
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Store, Transaction
from lms_bot.store.streaks import days, streaks
from lms_bot.store.streaks.streaks import ENDED, ReachedMark

PRESENCE = "presence"  # the fact: how far the LMS's own list of days was read
PRESENCE_AGE = timedelta(minutes=5)
FURTHEST_EAST = timedelta(hours=14)
MOST_DAYS = timedelta(days=7)  # what is older when a day ends is the past, and not told


def record_streak_events(store: Store, settings: Settings, now: datetime) -> int:
    """Record and enqueue what streaks came to, once a day and time zone; return how many events that are.

    A day is over an hour after its end, and once the LMS was read since then: only then is all found that happened in
    it. The first time, days are counted and nothing is recorded. Raises StoreUnavailable.
    """
    with store.reading() as transaction:
        if not _ended_days(transaction, settings, now):
            return 0
    with store.writing() as transaction:
        default = settings.timezone.key
        if days.counting_zone(transaction) != default:
            days.recount(transaction, settings.timezone, now)
            days.note_counting(transaction, {"zone": default, "turned": {}}, now)
        counted = days.lock(transaction)
        before = {name: date.fromisoformat(day) for name, day in counted["turned"].items()}
        ended = _ended_days(transaction, settings, now)
        enqueuer = Enqueuer(settings, now)
        recorded = 0
        for name, today in ended.items():
            since = max(before.get(name, today) - DAY, today - MOST_DAYS)
            reached = streaks.note_milestones(transaction, since, today, None if name == default else name)
            if name in before:
                recorded += _record(transaction, reached, enqueuer, start_of_day(today, ZoneInfo(name)), now)
        noted = {name: day.isoformat() for name, day in ended.items()}
        days.note_counting(transaction, {"zone": default, "turned": {**counted["turned"], **noted}}, now)
        return recorded


def recount_moved_zones(transaction: Transaction, default: ZoneInfo, now: datetime) -> None:
    """Recount the days of students whose time zone in Zulip is another now."""
    if days.counting_zone(transaction) is None:
        return
    named = zones.changed_zones(transaction, default)
    if moved := {student_id: name for student_id, name in named.items() if zone_named(name)}:
        zones.save(transaction, moved)
        days.recount(transaction, default, now, moved)
        outdated.mark(transaction, ((student_id, EARLIEST) for student_id in moved))


def read_presence(store: Store, lms: Lms, default: ZoneInfo, now: datetime) -> None:
    """Note the days on which the LMS saw students, every five minutes, as far as it says so. Raises LmsUnavailable."""
    with store.reading() as transaction:
        noted = state.some(transaction, [PRESENCE, days.COUNTED])
    last_id, read_at = noted.get(PRESENCE, (0, EARLIEST))
    if days.COUNTED not in noted or timedelta() <= now - read_at < PRESENCE_AGE:
        return
    seen = lms.read_presence(last_id)
    with store.writing() as transaction:
        days.lock(transaction)
        gone, by = forgotten.forgotten_students(transaction).student_ids, zones_of(transaction, None)
        moments = (
            (student_id, local_day(at, by.get(student_id, default)))
            for student_id, when in seen.moments
            if when >= read_at - DAY and (at := counted_at(when, now))
        )
        pairs = [pair for pair in (*seen.days, *moments) if pair[0] not in gone and _is_possible(pair[1], now)]
        days.note_presence(transaction, pairs, now)
        state.note(transaction, PRESENCE, seen.last_id, now)


def _is_possible(day: date, now: datetime) -> bool:
    """Return whether it is that day, or was, somewhere on earth."""
    return EARLIEST.date() <= day <= (now + FURTHEST_EAST).date()


def _ended_days(transaction: Transaction, settings: Settings, now: datetime) -> dict[str, date]:
    """Return the local today of each time zone in use in which the day before is over and was not dealt with."""
    noted = state.some(transaction, [state.POLLED, PRESENCE, days.COUNTED])
    if state.POLLED not in noted:
        return {}
    read_until = _read_until(noted, now)
    counted, _ = noted.get(days.COUNTED, (None, now))
    known = counted["turned"] if counted and counted["zone"] == settings.timezone.key else {}
    names = {settings.timezone.key, *zones.zones_in_use(transaction)}
    todays = {name: local_day(read_until - SETTLED_AFTER, ZoneInfo(name)) for name in names}
    return {name: today for name, today in todays.items() if known.get(name) != today.isoformat()}


def _read_until(noted: Mapping[str, tuple[Any, datetime]], now: datetime) -> datetime:
    """Return until when everything is known that students did, by what is noted of the last poll."""
    _, polled_at = noted[state.POLLED]
    if PRESENCE not in noted:
        return min(now, polled_at)
    _, presence_read_at = noted[PRESENCE]
    return min(now, polled_at, presence_read_at + PRESENCE_AGE)


def _record(
    transaction: Transaction, reached: Sequence[ReachedMark], enqueuer: Enqueuer, at: datetime, now: datetime
) -> int:
    if not reached:
        return 0
    around = people.mentoring_of(transaction, {one.student_id for one in reached})
    recorded = events.record(transaction, [_event(one, at) for one in reached], around, now)
    enqueuer.enqueue(transaction, recorded, around)
    return len(recorded)


def _event(reached: ReachedMark, at: datetime) -> Event:
    """Return what a streak came to `at` the start of a day."""
    streak, is_end = reached.streak, reached.milestone == ENDED
    return Event(
        event_type=EventType.STREAK_BROKEN if is_end else EventType.STREAK_MILESTONE,
        source_table=STREAK_MARKS,
        source_id=reached.mark_id,
        student_id=reached.student_id,
        student_username=None,
        activity_id=None,
        activity_title=None,
        metadata={
            "days": streak.days if is_end else reached.milestone,
            "first_day": streak.first.isoformat(),
            "last_day": (streak.last if is_end else streak.first + DAY * (reached.milestone - 1)).isoformat(),
        },
        timestamp=at,
        is_history=False,
        fingerprint=0,
        mirrors=None,
    )
