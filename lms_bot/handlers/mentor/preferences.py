"""The commands with which mentors say how soon, when, and about whom they want to be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import DEFAULT_PREFERENCES, Preferences, Timing
from lms_bot.core.principal import Role
from lms_bot.core.schedule import timing_of, zone_of
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import ALL, DURATION, STUDENT, choice, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.recheck import reschedule_mentor
from lms_bot.render import moment, quote
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFF = "off"
MINUTES = 60
_HOURS = re.compile(r"(?P<hour>[01]?\d|2[0-3])(?::00)?")
_TIMES = re.compile(r"(?P<h1>2[0-3]|[01]?\d)(?::(?P<m1>[0-5]\d))?\s*[-–]\s*(?P<h2>2[0-3]|[01]?\d)(?::(?P<m2>[0-5]\d))?")
CLASS_NAMES = {
    EventClass.FAILED: "failed exams",
    EventClass.PASSED: "passed exams",
    EventClass.COMPLETED: "exams without a result",
    EventClass.STARTED: "started exams",
    EventClass.CONTENT: "content",
    EventClass.STREAK: "streaks",
    EventClass.ALERT: "alerts about students",
}
CLASS = choice("class", [*EventClass, ALL], "Which events: of one class, or all of them.")
TIMING = choice("timing", list(Timing), "How soon: now, in the digest, or not at all.")


@REGISTRY.command("settings", Role.MENTOR)
def settings(request: Request, arguments: Arguments) -> str:
    """Show how soon, when and about whom you are told."""
    return _states(request)


@REGISTRY.command("notify", Role.MENTOR, CLASS, TIMING)
def notify(request: Request, arguments: Arguments) -> str:
    """Choose for each class of events whether you are told now, in the digest, or not at all.

    Streaks come to something at night: `notify all now` leaves them in the digest, `notify streak now` does not.
    """
    chosen, timing = arguments["class"], arguments["timing"]
    if chosen is None and timing is None:
        return _states(request) + "\n\nChange it with `notify content digest`, `notify started off`, …"
    if chosen is None or timing is None:
        raise UserError("Write which events and how soon, like `notify content digest` or `notify all now`.")
    if chosen == ALL:
        return _change(request, lambda wishes: replace(wishes, timings=_all(Timing(timing))), "notify all now")
    one = {EventClass(chosen): Timing(timing)}
    return _change(request, lambda wishes: replace(wishes, timings={**wishes.timings, **one}), "notify all now")


@REGISTRY.command("digest", Role.MENTOR, words("hours", "When, as `8` or `8, 17`; or `off`.").optional())
def digest(request: Request, arguments: Arguments) -> str:
    """Get everything in one message a day, or at each of several hours.

    `notify` leaves single classes out of it again, as with `notify failed now`.
    """
    text = (arguments["hours"] or "").casefold()
    if text == OFF:
        return _change(
            request,
            lambda wishes: replace(wishes, timings=_undigested(wishes), digest_hours=DEFAULT_PREFERENCES.digest_hours),
            "digest",
        )
    timings = dict.fromkeys(EventClass, Timing.DIGEST)
    hours = _hours(text)
    return _change(
        request,
        lambda wishes: replace(wishes, timings=timings, digest_hours=hours or wishes.digest_hours),
        "digest off",
    )


@REGISTRY.command("quiet", Role.MENTOR, words("times", "As `22:00-7:00`, `sat sun`, or `off`.").optional())
def quiet(request: Request, arguments: Arguments) -> str:
    """Set hours and days of the week in which nothing is told; what happens in them is told after."""
    text = (arguments["times"] or "").casefold()
    if not text:
        return _states(request) + "\n\nChange it with `quiet 22:00-7:00`, `quiet sat sun` or `quiet off`."
    if text == OFF:
        none = frozenset[int]()
        return _change(
            request, lambda wishes: replace(wishes, quiet_from=None, quiet_to=None, quiet_days=none), "quiet 22:00-7:00"
        )
    times, days = _TIMES.search(text), _days(_TIMES.sub(" ", text))
    if not times and not days:
        raise UserError("Write hours as `quiet 22:00-7:00`, days as `quiet sat sun`, or `quiet off`.")
    if len(days) == len(DAYS):
        raise UserError("That is every day: `pause 7d` is for that, and ends by itself.")
    return _change(request, lambda wishes: _quieter(wishes, times, days), "quiet off")


@REGISTRY.command("mute", Role.MENTOR, STUDENT, DURATION.by_default("7d"))
def mute(request: Request, arguments: Arguments) -> str:
    """Hear nothing of one student for a while; it is told when that ends."""
    student, until = arguments["student"], request.now + arguments["duration"]
    return _change(
        request,
        lambda wishes: replace(wishes, muted={**wishes.muted, student.student_id: until}),
        f"unmute @{quote(student.username)}",
    )


@REGISTRY.command("unmute", Role.MENTOR, STUDENT)
def unmute(request: Request, arguments: Arguments) -> str:
    """Hear of a student again, and of what happened meanwhile."""
    student = arguments["student"]
    return _change(
        request,
        lambda wishes: replace(wishes, muted={k: v for k, v in wishes.muted.items() if k != student.student_id}),
        f"mute @{quote(student.username)}",
    )


@REGISTRY.command("pause", Role.MENTOR, DURATION.by_default("1d"))
def pause(request: Request, arguments: Arguments) -> str:
    """Hear nothing for a while; what happens meanwhile comes as one summary when that ends."""
    until = request.now + arguments["duration"]
    return _change(request, lambda wishes: replace(wishes, paused_until=until), "resume")


@REGISTRY.command("resume", Role.MENTOR)
def resume(request: Request, arguments: Arguments) -> str:
    """End a pause now."""
    return _change(request, lambda wishes: replace(wishes, paused_until=None), "pause 1d")


def _change(request: Request, change: Callable[[Preferences], Preferences], back: str) -> str:
    for mentor in request.mentors:
        wishes = change(preferences.chosen(request.transaction, mentor.mentor_id))
        preferences.save(request.transaction, mentor.mentor_id, wishes, request.now)
        reschedule_mentor(request.transaction, mentor.mentor_id, request.settings, request.now)
    return "\n\n".join(["✅ Done.", _states(request), f"To take it back: `{back}`."])


def _states(request: Request) -> str:
    return "\n\n".join(state(request, mentor.mentor_id) for mentor in request.mentors)


def state(request: Request, mentor_id: int) -> str:
    """What holds for a mentor now, a line each."""
    wishes = preferences.effective(request.transaction, [mentor_id]).get(mentor_id, Preferences())
    zone = zone_of(wishes, request.settings.timezone)
    lines = []
    for timing, how in ((Timing.NOW, "At once"), (Timing.DIGEST, _digest_words(wishes)), (Timing.OFF, "Not told")):
        named = [CLASS_NAMES[c] for c in EventClass if timing_of(c, wishes, request.settings.delivery) is timing]
        if named:
            lines.append(f"* **{how}:** {', '.join(named)}")
    if wishes.quiet_from is not None and wishes.quiet_to is not None:
        lines.append(f"* **Quiet:** {_clock(wishes.quiet_from)} to {_clock(wishes.quiet_to)}")
    if wishes.quiet_days:
        lines.append(f"* **Quiet days:** {', '.join(DAYS[day] for day in sorted(wishes.quiet_days))}")
    lines += _silences(request, mentor_id, wishes)
    return "\n".join(["🔔 **What you are told**", "", *lines, f"* **Time zone:** {zone.key}"])


def _silences(request: Request, mentor_id: int, wishes: Preferences) -> list[str]:
    lines = []
    if wishes.paused_until is not None and wishes.paused_until > request.now:
        lines.append(f"* **Paused** until {moment(wishes.paused_until)}")
    for student in people.students_of(request.transaction, [mentor_id]):
        until = wishes.muted.get(student.student_id)
        if until is not None and until > request.now:
            lines.append(f"* **Muted:** {quote(student.username)} until {moment(until)}")
    return lines


def _digest_words(wishes: Preferences) -> str:
    return f"In a digest at {', '.join(f'{hour}:00' for hour in sorted(wishes.digest_hours))}"


def _undigested(wishes: Preferences) -> dict[EventClass, Timing]:
    kept = {c: timing for c, timing in wishes.timings.items() if timing is Timing.OFF}
    return {**_all(Timing.NOW), **kept}


def _all(timing: Timing) -> dict[EventClass, Timing]:
    """Every class told like that; of what comes at night nobody is told at once who did not ask for just that."""
    left = {EventClass.STREAK} if timing is Timing.NOW else set()
    return {event_class: timing for event_class in EventClass if event_class not in left}


def _hours(text: str) -> tuple[int, ...]:
    named = [word for word in re.split(r"[\s,]+", text) if word]
    found = [_HOURS.fullmatch(word) for word in named]
    if len(named) > len(DAYS) or not all(found):
        raise UserError("Write full hours of the day, like `digest 8` or `digest 8, 17`, or `digest off`.")
    return tuple(sorted({int(match["hour"]) for match in found if match}))


def _days(text: str) -> frozenset[int]:
    named = [word for word in re.split(r"[\s,]+", text) if word]
    unknown = [word for word in named if word[:3] not in DAYS]
    if unknown:
        raise UserError(f"“{quote(unknown[0], 40)}” is no day: write days as {', '.join(f'`{day}`' for day in DAYS)}.")
    return frozenset(DAYS.index(word[:3]) for word in named)


def _quieter(wishes: Preferences, times: re.Match[str] | None, days: frozenset[int]) -> Preferences:
    if times:
        begin, end = (int(times[f"h{n}"]) * MINUTES + int(times[f"m{n}"] or 0) for n in (1, 2))
        wishes = replace(wishes, quiet_from=begin, quiet_to=end)
    return replace(wishes, quiet_days=days) if days else wishes


def _clock(minute: int) -> str:
    return f"{minute // MINUTES}:{minute % MINUTES:02}"
