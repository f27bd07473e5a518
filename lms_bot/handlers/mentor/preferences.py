"""The commands with which mentors say how soon, when, and about whom they want to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import MentorPreferences, Preferences, Timing
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import ALL, DURATION, STUDENT, choice, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor import times
from lms_bot.handlers.mentor.undo import digested, notified, quieter, undigested, way_back
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import preferences as actions
from lms_bot.render import quote
from lms_bot.render.preferences import preferences_text
from lms_bot.reports import access
from lms_bot.reports.preferences import mentor_preferences

ON, OFF = "on", "off"
MUTED_FOR = timedelta(days=7)
CLASS = choice("class", [*EventClass, ALL], "Which events: of one class, or all of them.")
TIMING = choice("timing", list(Timing), "How soon: now, in the digest, or not at all.")
COMMANDS = REGISTRY.section(Role.MENTOR, 7, "settings")


@COMMANDS.command("settings")
def settings(request: Request, arguments: Arguments) -> str:
    """Show how soon, when and about whom you are told."""
    return _preferences(request)


@COMMANDS.command("notify", CLASS, TIMING)
def notify(request: Request, arguments: Arguments) -> str:
    """Choose for each class of events whether you are told now, in the digest, or not at all.

    Streaks come to something at night: `notify all now` leaves them in the digest, `notify streak now` does not.
    Progress is that half of a video was watched, or nine tenths: you are told of it once you ask for it by name, with
    `notify progress now`.
    """
    named, timing = arguments["class"], arguments["timing"]
    if named is None and timing is None:
        return _shown(request, "`notify content digest`, `notify started off`, …")
    if named is None or timing is None:
        raise UserError("Write which events and how soon, like `notify content digest` or `notify all now`.")
    return _change(request, lambda chosen: notified(chosen, named, Timing(timing)))


@COMMANDS.command("digest", words("hours", "When, as `8`, `8am, 5pm` or `8, 17`; `on`, or `off`.").optional())
def digest(request: Request, arguments: Arguments) -> str:
    """Get everything in one message a day, or at each of several hours.

    `notify` leaves single classes out of it again, as with `notify failed now`.
    """
    text = (arguments["hours"] or "").casefold()
    if not text:
        return _shown(request, "`digest 8`, `digest 8, 17`, `digest on` or `digest off`")
    if text == OFF:
        return _change(request, undigested)
    hours = () if text == ON else times.hours(text)
    return _change(request, lambda chosen: digested(chosen, hours))


@COMMANDS.command("quiet", words("times", "As `22:00-7:00`, `10pm-7am`, `sat sun`, or `off`.").optional())
def quiet(request: Request, arguments: Arguments) -> str:
    """Set hours and days of the week in which nothing is told; what happens in them is told after."""
    text = (arguments["times"] or "").casefold()
    if not text:
        return _shown(request, "`quiet 22:00-7:00`, `quiet sat sun` or `quiet off`")
    if text == OFF:
        return _change(request, lambda chosen: replace(chosen, quiet_from=None, quiet_to=None, quiet_days=frozenset()))
    hours, days = times.quiet(text)
    return _change(request, lambda chosen: quieter(chosen, hours, days))


@COMMANDS.command("mute", STUDENT.optional(), DURATION)
def mute(request: Request, arguments: Arguments) -> str:
    """Hear nothing of one student for a while, seven days unless you say how long; it is told when that ends."""
    student, length = arguments["student"], arguments["duration"]
    if student is None and length is None:
        return _shown(request, "`mute @student`, `mute @student 3d` or `unmute @student`")
    if student is None:
        raise UserError("Write whom to mute, like `mute @student 3d`; `pause 3d` is for all of them.")
    until = request.now + (length or MUTED_FOR)
    return _change(request, lambda chosen: replace(chosen, muted={**chosen.muted, student.student_id: until}))


@COMMANDS.command("unmute", STUDENT)
def unmute(request: Request, arguments: Arguments) -> str:
    """Hear of a student again, and of what happened meanwhile."""
    gone = arguments["student"].student_id
    return _change(request, lambda chosen: replace(chosen, muted={k: v for k, v in chosen.muted.items() if k != gone}))


@COMMANDS.command("pause", DURATION.by_default("1d"))
def pause(request: Request, arguments: Arguments) -> str:
    """Hear nothing for a while; what happens meanwhile comes as one summary when that ends."""
    until = request.now + arguments["duration"]
    return _change(request, lambda chosen: replace(chosen, paused_until=until))


@COMMANDS.command("resume")
def resume(request: Request, arguments: Arguments) -> str:
    """End a pause now."""
    return _change(request, lambda chosen: replace(chosen, paused_until=None))


def _change(request: Request, changed: Callable[[Preferences], Preferences]) -> str:
    """Change the preferences, and say what holds now and which commands lead back to what held before."""
    mentor_ids = request.principal.mentor_ids
    before, shown_before = _first(request).preferences, _preferences(request)
    actions.change(request.transaction, mentor_ids, changed, request.settings, request.now)
    after = _first(request).preferences
    if (shown := _preferences(request)) == shown_before:
        return f"That is so already.\n\n{shown}"
    names = {
        student.student_id: f"@{quote(student.username)}"
        for student in access.students(request.transaction, request.principal)
    }
    commands = way_back(before, after, names, request.settings.delivery, request.now)
    back = ", then ".join(f"`{command}`" for command in commands)
    return "\n\n".join(["✅ Done.", shown, *([f"To take it back: {back}."] if commands else [])])


def _first(request: Request) -> MentorPreferences:
    mentor_id = request.principal.mentor_ids[0]
    return mentor_preferences(request.transaction, request.principal, mentor_id, request.settings, request.now)


def _shown(request: Request, examples: str) -> str:
    return f"{_preferences(request)}\n\nChange it with {examples}."


def _preferences(request: Request) -> str:
    found = [
        mentor_preferences(request.transaction, request.principal, mentor_id, request.settings, request.now)
        for mentor_id in request.principal.mentor_ids
    ]
    return "\n\n".join(map(preferences_text, found))
