"""The turn of the day: days are counted where they were not yet, and streaks that came to something become events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lms_bot.config.settings import Settings
from lms_bot.core.calendar import DAY, EARLIEST, counted_at, local_day, midnight, zone_named
from lms_bot.core.events import STREAK_MARKS, Event, EventType
from lms_bot.core.streaks import SETTLED_AFTER
from lms_bot.lms import Lms
from lms_bot.pipeline.enqueue import Owing
from lms_bot.store import state
from lms_bot.store.events import events
from lms_bot.store.people import forgotten, people, zones
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Store, Transaction
from lms_bot.store.streaks import days, streaks
from lms_bot.store.streaks.streaks import ENDED, Reached

PRESENCE = "presence"  # the fact: how far the LMS's own list of days was read
PRESENCE_AGE = timedelta(minutes=5)
FURTHEST_EAST = timedelta(hours=14)
MOST_DAYS = timedelta(days=7)  # what is older when the turn is made is the past, and not told


def turn(transaction: Transaction, owing: Owing, settings: Settings, now: datetime) -> int:
    """Once a day and time zone, an hour after midnight: record and owe what streaks came to; gives how many events.

    It belongs to the end of a poll: what happened the day before has been found then. The first turn only takes note.
    """
    default = settings.timezone.key
    if days.counted_by(transaction) != default:
        days.recount(transaction, settings.timezone, now)
        days.note(transaction, {"zone": default, "turned": {}}, now)
    counted = days.hold(transaction)
    turned = {name: date.fromisoformat(day) for name, day in counted["turned"].items()}
    due = {name: today for name, today in _todays(transaction, settings, now).items() if turned.get(name) != today}
    if not due:
        return 0
    told = 0
    for name, today in due.items():
        before = turned.get(name, today)
        zone = None if name == default else name
        reached = streaks.mark(transaction, max(before - DAY, today - MOST_DAYS), today, zone)
        if name in turned:
            told += _record(transaction, reached, owing, midnight(today, ZoneInfo(name)), now)
    days.note(transaction, {"zone": default, "turned": {**counted["turned"], **_as_text(due)}}, now)
    return told


def follow_zones(transaction: Transaction, default: ZoneInfo, now: datetime) -> None:
    """Cut the days of students by the time zone that Zulip says is theirs; those who have another now are recounted."""
    if days.counted_by(transaction) is None:
        return
    named = zones.to_follow(transaction, default)
    if moved := {student_id: name for student_id, name in named.items() if zone_named(name)}:
        zones.keep(transaction, moved)
        days.recount(transaction, default, now, moved)


def see_days(store: Store, lms: Lms, default: ZoneInfo, now: datetime) -> None:
    """Note the days on which the LMS saw students, every five minutes, as far as it says so. Raises LmsUnavailable."""
    with store.reading() as transaction:
        known = state.some(transaction, [PRESENCE]).get(PRESENCE)
        is_counted = days.counted_by(transaction) is not None
    last_id, read_at = known or (0, EARLIEST)
    if not is_counted or timedelta() <= now - read_at < PRESENCE_AGE:
        return
    seen = lms.read_presence(last_id)
    with store.writing() as transaction:
        days.hold(transaction)
        gone, by = forgotten.everybody(transaction).student_ids, zones_of(transaction, None)
        moments = (
            (student_id, local_day(at, by.get(student_id, default)))
            for student_id, when in seen.moments
            if when >= read_at - DAY and (at := counted_at(when, now))
        )
        pairs = [pair for pair in (*seen.days, *moments) if pair[0] not in gone and _is_possible(pair[1], now)]
        days.see(transaction, pairs, now)
        state.note(transaction, PRESENCE, seen.last_id, now)


def _is_possible(day: date, now: datetime) -> bool:
    """Whether it is that day, or was, somewhere on earth."""
    return EARLIEST.date() <= day <= (now + FURTHEST_EAST).date()


def _todays(transaction: Transaction, settings: Settings, now: datetime) -> dict[str, date]:
    """The local day in each time zone by which days are cut, once the day before is settled."""
    names = {settings.timezone.key, *zones.in_use(transaction)}
    return {name: local_day(now - SETTLED_AFTER, ZoneInfo(name)) for name in names}


def _record(transaction: Transaction, reached: Sequence[Reached], owing: Owing, at: datetime, now: datetime) -> int:
    if not reached:
        return 0
    around = people.around(transaction, {one.student_id for one in reached})
    recorded = events.record(transaction, [_event(one, at) for one in reached], around, now)
    owing.owe(transaction, recorded, around)
    return len(recorded)


def _event(reached: Reached, at: datetime) -> Event:
    """What a streak came to, at the midnight that made it so."""
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


def _as_text(todays: dict[str, date]) -> dict[str, str]:
    return {name: day.isoformat() for name, day in todays.items()}
