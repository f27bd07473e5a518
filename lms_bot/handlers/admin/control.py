"""The commands with which admins have the worker poll, sync, deliver, pause and go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.core.principal import Role
from lms_bot.core.process import PAUSABLE, THIS, Work, Working
from lms_bot.core.reports.overview import Operation
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import DURATION, TYPES, choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import control as actions
from lms_bot.render import counted, moment, quote
from lms_bot.reports import overview

WORK = replace(
    choice(
        "work",
        list(PAUSABLE),
        "What I do by myself: read the LMS, or tell mentors. What you are told as a mentor is paused in a direct "
        "message to me.",
    ),
    is_required=True,
)
KINDS = replace(TYPES, form="type", is_rest=True)
COMMANDS = REGISTRY.section(Role.ADMIN, 2, "work")


@COMMANDS.command("poll", changes=True)
def poll(request: Request, arguments: Arguments) -> str:
    """Read the LMS now, and say here what was found.

    This works while polling is paused, too, and does not end the pause.
    """
    if not request.settings.monitor_enabled:
        raise UserError("Polling is turned off in the settings (`monitor_enabled`).")
    actions.order(request.transaction, Work.POLLING, request.asked_in, request.now)
    operation = overview.operation(request.transaction, request.principal, request.now)
    who, when = _who(operation.worker, request.now), _when(operation.worker)
    return f"{who} polls{when} and writes here what was found.{_but_paused(operation, Work.POLLING)}"


@COMMANDS.command("sync", changes=True)
def sync(request: Request, arguments: Arguments) -> str:
    """Read people, links, and what they study from the LMS now, and say here what changed.

    The answer also names rows of the LMS that cannot be quite right, by their ids.
    """
    if not request.settings.monitor_enabled:
        raise UserError("Reading the LMS is turned off in the settings (`monitor_enabled`).")
    actions.order(request.transaction, Work.SYNC, request.asked_in, request.now)
    operation = overview.operation(request.transaction, request.principal, request.now)
    who, when = _who(operation.worker, request.now), _when(operation.worker)
    return f"{who} syncs{when} and writes here what changed."


@COMMANDS.command("process-pending", KINDS, changes=True)
def process_pending(request: Request, arguments: Arguments) -> str:
    """Tell mentors what is due now, all of it or only some kinds, and say here how much that was.

    Nothing is read from the LMS. This works while delivery is paused, too, and does not end the pause; what mentors
    asked to be told later waits on.
    """
    if not request.settings.notify_mentors:
        raise UserError("Telling mentors is turned off in the settings (`notify_mentors`).")
    types = arguments["type"] or frozenset()
    actions.order(request.transaction, Work.DELIVERY, request.asked_in, request.now, types)
    due = overview.queue(request.transaction, request.principal, request.now).due
    what = f"{counted(due, 'notification')} due now" + (f", those of {', '.join(sorted(types))}" if types else "")
    operation = overview.operation(request.transaction, request.principal, request.now)
    who, paused = _who(operation.worker, request.now), _but_paused(operation, Work.DELIVERY)
    return f"{who} delivers {what}, and writes here when that is done.{paused}"


@COMMANDS.command("pause", WORK, DURATION, changes=True)
def pause(request: Request, arguments: Arguments) -> str:
    """Stop polling or delivery for a while, in every process and across restarts.

    With a duration it ends by itself; without one it lasts until `resume`. Nothing is lost: what happens meanwhile is
    found and told afterwards. Questions are answered and alerts are said all the same.
    """
    work, duration = Work(arguments["work"]), arguments["duration"]
    until = request.now + duration if duration else None
    actions.pause(request.transaction, work, until, request.asker.user_id, request.now)
    return f"⏸️ **{_name(work)} is paused** {ending(until)}.\n\nTo take it back: `resume {work}`."


@COMMANDS.command("resume", WORK, changes=True)
def resume(request: Request, arguments: Arguments) -> str:
    """Let polling or delivery go on, and say what waits."""
    work = Work(arguments["work"])
    if not actions.resume(request.transaction, work, request.now):
        raise UserError(f"{_name(work)} is not paused.")
    return f"▶️ **{_name(work)} goes on.** {_what_waits(request, work)}"


def paused_lines(operation: Operation) -> list[str]:
    """Return a line for each kind of work that is paused."""
    return [f"⏸️ **{_name(work)} is paused** {ending(until)}" for work, until in operation.paused.items()]


def ending(until: datetime | None) -> str:
    """Return until when a pause lasts; `until` is a moment, or None for one that is ended by hand."""
    return f"until {moment(until)}" if until else "until it is resumed"


def _what_waits(request: Request, work: Work) -> str:
    if work is Work.DELIVERY:
        queue = overview.queue(request.transaction, request.principal, request.now)
        return f"{counted(queue.due, 'notification')} due now, {queue.postponed:,} held for later."
    read_at = overview.operation(request.transaction, request.principal, request.now).read_at
    last = f"at {moment(read_at)}" if read_at else "never"
    return f"The LMS was last read {last}; I read it again within {request.settings.poll_interval} seconds."


def _who(worker: Working | None, now: datetime) -> str:
    """Return which process works, as the beginning of a sentence."""
    if worker is None or not worker.is_alive(now):
        return "No process works just now. The next one"
    return "This process" if worker.process == THIS else f"I stand by here: {quote(str(worker.process))} works. It"


def _when(worker: Working | None) -> str:
    if worker is None or worker.polling_since is None:
        return " at once"
    return f" again as soon as the poll ends that is under way since {moment(worker.polling_since)},"


def _but_paused(operation: Operation, work: Work) -> str:
    if work not in operation.paused:
        return ""
    return f" {_name(work)} stays paused otherwise, {ending(operation.paused[work])}."


def _name(work: Work) -> str:
    return work.capitalize()
