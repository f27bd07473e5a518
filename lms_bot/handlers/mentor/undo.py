"""Changes preferences as the commands do, and finds the commands that lead back to what held before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import DEFAULT_PREFERENCES, Preferences, Timing
from lms_bot.core.schedule import timing_of
from lms_bot.handlers.mentor.times import Hours
from lms_bot.render.preferences import DAYS, clock

ALL = "all"
_Change = Callable[[Preferences], Preferences]


def notified(chosen: Preferences, named: str, timing: Timing) -> Preferences:
    """Return preferences after `notify named timing`."""
    if named == ALL:
        return replace(chosen, timings=_all(chosen, timing))
    return replace(chosen, timings={**chosen.timings, EventClass(named): timing})


def digested(chosen: Preferences, hours: tuple[int, ...]) -> Preferences:
    """Return preferences after `digest hours`, without hours after `digest on`."""
    return replace(chosen, timings=_all(chosen, Timing.DIGEST), digest_hours=hours or chosen.digest_hours)


def undigested(chosen: Preferences) -> Preferences:
    """Return preferences after `digest off`."""
    kept = {c: timing for c, timing in chosen.timings.items() if timing is Timing.OFF}
    return replace(chosen, timings={**_all(chosen, Timing.NOW), **kept}, digest_hours=DEFAULT_PREFERENCES.digest_hours)


def quieter(chosen: Preferences, hours: Hours | None, days: frozenset[int]) -> Preferences:
    """Return preferences after `quiet` with hours, days, or both."""
    if hours:
        chosen = replace(chosen, quiet_from=hours.begin, quiet_to=hours.end)
    return replace(chosen, quiet_days=days) if days else chosen


def way_back(
    before: Preferences, after: Preferences, students: Mapping[int, str], delivery: str, now: datetime
) -> list[str]:
    """Return the commands that lead from `after` to what held `before`; `students` are named by id."""
    back = _back_to_timings(before, after, delivery) + _back_to_quiet(before, after)
    if before.paused_until != after.paused_until:
        left = _duration(before.paused_until, now)
        back.append(f"pause {left}" if left else "resume")
    for student_id, name in students.items():
        if before.muted.get(student_id) != after.muted.get(student_id):
            left = _duration(before.muted.get(student_id), now)
            back.append(f"mute {name} {left}" if left else f"unmute {name}")
    return back


def _back_to_timings(before: Preferences, after: Preferences, delivery: str) -> list[str]:
    """Return the fewest commands: one for all classes first, if that is shorter, and one for each that is left."""
    wanted = {one: timing_of(one, before, delivery) for one in EventClass}
    hours = ", ".join(map(str, before.digest_hours))
    starts: list[tuple[list[str], Preferences]] = [([], after)]
    usual = Counter(wanted.values()).most_common(1)[0][0]
    starts.append(([f"notify all {usual}"], notified(after, ALL, usual)))
    starts.append(([f"digest {hours}"], digested(after, before.digest_hours)))
    starts.append((["digest off"], undigested(after)))
    ways = [
        [
            *commands,
            *(
                f"notify {one} {timing}"
                for one, timing in wanted.items()
                if timing_of(one, then, delivery) is not timing
            ),
        ]
        for commands, then in starts
        if then.digest_hours == before.digest_hours
    ]
    return min(ways, key=len)


def _back_to_quiet(before: Preferences, after: Preferences) -> list[str]:
    hours, days = (before.quiet_from, before.quiet_to), before.quiet_days
    if (hours, days) == ((after.quiet_from, after.quiet_to), after.quiet_days):
        return []
    parts = [f"{clock(hours[0])}-{clock(hours[1])}"] if hours[0] is not None and hours[1] is not None else []
    parts += [DAYS[day] for day in sorted(days)]
    has_more = (after.quiet_from is not None and hours[0] is None) or bool(after.quiet_days and not days)
    return [*(["quiet off"] if has_more else []), *([f"quiet {' '.join(parts)}"] if parts else [])]


def _duration(until: datetime | None, now: datetime) -> str:
    """Return how long it is until a moment, in the longest unit that says it to the minute; "" if it is over."""
    minutes = 0 if until is None else round((until - now) / timedelta(minutes=1))
    if minutes <= 0:
        return ""
    units = ((24 * 60, "d"), (60, "h"), (1, "m"))
    return next(f"{minutes // length}{unit}" for length, unit in units if minutes % length == 0)


def _all(chosen: Preferences, timing: Timing) -> dict[EventClass, Timing]:
    """Return every class with this timing, but for what is asked for by name.

    That is streaks at once, since they come at night, and progress where it is off.
    """
    left = {EventClass.STREAK} if timing is Timing.NOW else set()
    if chosen.timings.get(EventClass.PROGRESS, Timing.OFF) is Timing.OFF:
        left.add(EventClass.PROGRESS)
    return {event_class: timing for event_class in EventClass if event_class not in left}
