"""The commands with which mentors say how soon, when, and about whom they want to be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import DEFAULT_PREFERENCES, Preferences, Timing
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import ALL, DURATION, STUDENT, choice, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import preferences as actions
from lms_bot.render import quote
from lms_bot.render.preferences import DAYS, MINUTES, preferences_text
from lms_bot.reports.preferences import mentor_preferences

OFF = "off"
_HOURS = re.compile(r"(?P<hour>[01]?\d|2[0-3])(?::00)?")
_TIMES = re.compile(r"(?P<h1>2[0-3]|[01]?\d)(?::(?P<m1>[0-5]\d))?\s*[-–]\s*(?P<h2>2[0-3]|[01]?\d)(?::(?P<m2>[0-5]\d))?")
CLASS = choice("class", [*EventClass, ALL], "Which events: of one class, or all of them.")
TIMING = choice("timing", list(Timing), "How soon: now, in the digest, or not at all.")
COMMANDS = REGISTRY.section(Role.MENTOR, 7)


@COMMANDS.command("settings")
def settings(request: Request, arguments: Arguments) -> str:
    """Show how soon, when and about whom you are told."""
    return _preferences(request)


@COMMANDS.command("notify", CLASS, TIMING)
def notify(request: Request, arguments: Arguments) -> str:
    """Choose for each class of events whether you are told now, in the digest, or not at all.

    Streaks come to something at night: `notify all now` leaves them in the digest, `notify streak now` does not.
    """
    named, timing = arguments["class"], arguments["timing"]
    if named is None and timing is None:
        return _preferences(request) + "\n\nChange it with `notify content digest`, `notify started off`, …"
    if named is None or timing is None:
        raise UserError("Write which events and how soon, like `notify content digest` or `notify all now`.")
    if named == ALL:
        return _change(request, lambda chosen: replace(chosen, timings=_all(Timing(timing))), "notify all now")
    one = {EventClass(named): Timing(timing)}
    return _change(request, lambda chosen: replace(chosen, timings={**chosen.timings, **one}), "notify all now")


@COMMANDS.command("digest", words("hours", "When, as `8` or `8, 17`; or `off`.").optional())
def digest(request: Request, arguments: Arguments) -> str:
    """Get everything in one message a day, or at each of several hours.

    `notify` leaves single classes out of it again, as with `notify failed now`.
    """
    text = (arguments["hours"] or "").casefold()
    if text == OFF:
        return _change(
            request,
            lambda chosen: replace(chosen, timings=_undigested(chosen), digest_hours=DEFAULT_PREFERENCES.digest_hours),
            "digest",
        )
    timings = dict.fromkeys(EventClass, Timing.DIGEST)
    hours = _hours(text)
    return _change(
        request,
        lambda chosen: replace(chosen, timings=timings, digest_hours=hours or chosen.digest_hours),
        "digest off",
    )


@COMMANDS.command("quiet", words("times", "As `22:00-7:00`, `sat sun`, or `off`.").optional())
def quiet(request: Request, arguments: Arguments) -> str:
    """Set hours and days of the week in which nothing is told; what happens in them is told after."""
    text = (arguments["times"] or "").casefold()
    if not text:
        return _preferences(request) + "\n\nChange it with `quiet 22:00-7:00`, `quiet sat sun` or `quiet off`."
    if text == OFF:
        none = frozenset[int]()
        return _change(
            request, lambda chosen: replace(chosen, quiet_from=None, quiet_to=None, quiet_days=none), "quiet 22:00-7:00"
        )
    times, days = _TIMES.search(text), _days(_TIMES.sub(" ", text))
    if not times and not days:
        raise UserError("Write hours as `quiet 22:00-7:00`, days as `quiet sat sun`, or `quiet off`.")
    if len(days) == len(DAYS):
        raise UserError("That is every day: `pause 7d` is for that, and ends by itself.")
    return _change(request, lambda chosen: _quieter(chosen, times, days), "quiet off")


@COMMANDS.command("mute", STUDENT, DURATION.by_default("7d"))
def mute(request: Request, arguments: Arguments) -> str:
    """Hear nothing of one student for a while; it is told when that ends."""
    student, until = arguments["student"], request.now + arguments["duration"]
    return _change(
        request,
        lambda chosen: replace(chosen, muted={**chosen.muted, student.student_id: until}),
        f"unmute @{quote(student.username)}",
    )


@COMMANDS.command("unmute", STUDENT)
def unmute(request: Request, arguments: Arguments) -> str:
    """Hear of a student again, and of what happened meanwhile."""
    student = arguments["student"]
    return _change(
        request,
        lambda chosen: replace(chosen, muted={k: v for k, v in chosen.muted.items() if k != student.student_id}),
        f"mute @{quote(student.username)}",
    )


@COMMANDS.command("pause", DURATION.by_default("1d"))
def pause(request: Request, arguments: Arguments) -> str:
    """Hear nothing for a while; what happens meanwhile comes as one summary when that ends."""
    until = request.now + arguments["duration"]
    return _change(request, lambda chosen: replace(chosen, paused_until=until), "resume")


@COMMANDS.command("resume")
def resume(request: Request, arguments: Arguments) -> str:
    """End a pause now."""
    return _change(request, lambda chosen: replace(chosen, paused_until=None), "pause 1d")


def _change(request: Request, changed: Callable[[Preferences], Preferences], back: str) -> str:
    mentor_ids = request.principal.mentor_ids
    actions.change(request.transaction, mentor_ids, changed, request.settings, request.now)
    return "\n\n".join(["✅ Done.", _preferences(request), f"To take it back: `{back}`."])


def _preferences(request: Request) -> str:
    found = [
        mentor_preferences(request.transaction, request.principal, mentor_id, request.settings, request.now)
        for mentor_id in request.principal.mentor_ids
    ]
    return "\n\n".join(map(preferences_text, found))


def _undigested(chosen: Preferences) -> dict[EventClass, Timing]:
    kept = {c: timing for c, timing in chosen.timings.items() if timing is Timing.OFF}
    return {**_all(Timing.NOW), **kept}


def _all(timing: Timing) -> dict[EventClass, Timing]:
    """Return every class with this timing, but never streaks at once: they come at night, and are asked for by name."""
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


def _quieter(chosen: Preferences, times: re.Match[str] | None, days: frozenset[int]) -> Preferences:
    if times:
        begin, end = (int(times[f"h{n}"]) * MINUTES + int(times[f"m{n}"] or 0) for n in (1, 2))
        chosen = replace(chosen, quiet_from=begin, quiet_to=end)
    return replace(chosen, quiet_days=days) if days else chosen
