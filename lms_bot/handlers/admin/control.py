"""The commands with which admins have the worker poll, deliver, pause and go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.core.principal import Role
from lms_bot.core.process import THIS
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import DURATION, TYPES, choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import counted, moment, quote
from lms_bot.store import state
from lms_bot.store.operations import figures, heartbeat, orders, pauses
from lms_bot.store.operations.pauses import Pause, Work

WORK = replace(
    choice(
        "work",
        list(Work),
        "What I do by myself: read the LMS, or tell mentors. What you are told as a mentor is paused in a direct "
        "message to me.",
    ),
    is_required=True,
)
KINDS = replace(TYPES, form="type", is_rest=True)


@REGISTRY.command("poll", Role.ADMIN, changes=True)
def poll(request: Request, arguments: Arguments) -> str:
    """Read the LMS now, and say here what was found.

    This works while polling is paused, too, and does not end the pause.
    """
    if not request.settings.monitor_enabled:
        raise UserError("Polling is turned off in the settings (`monitor_enabled`).")
    orders.place(request.transaction, Work.POLLING, request.asked_in, request.now)
    return f"{_who(request)} polls{_when(request)} and writes here what was found.{_but_paused(request, Work.POLLING)}"


@REGISTRY.command("process-pending", Role.ADMIN, KINDS, changes=True)
def process_pending(request: Request, arguments: Arguments) -> str:
    """Tell mentors what is due now, all of it or only some kinds, and say here how much that was.

    Nothing is read from the LMS. This works while delivery is paused, too, and does not end the pause; what mentors
    asked to be told later waits on.
    """
    if not request.settings.notify_mentors:
        raise UserError("Telling mentors is turned off in the settings (`notify_mentors`).")
    types = arguments["type"] or frozenset()
    orders.place(request.transaction, Work.DELIVERY, request.asked_in, request.now, types)
    due = figures.queue(request.transaction, request.now).due
    what = f"{counted(due, 'notification')} due now" + (f", those of {', '.join(sorted(types))}" if types else "")
    paused = _but_paused(request, Work.DELIVERY)
    return f"{_who(request)} delivers {what}, and writes here when that is done.{paused}"


@REGISTRY.command("pause", Role.ADMIN, WORK, DURATION, changes=True)
def pause(request: Request, arguments: Arguments) -> str:
    """Stop polling or delivery for a while, in every process and across restarts.

    With a duration it ends by itself; without one it lasts until `resume`. Nothing is lost: what happens meanwhile is
    found and told afterwards. Questions are answered and alerts are said all the same.
    """
    work, duration = Work(arguments["work"]), arguments["duration"]
    until = request.now + duration if duration else None
    pauses.begin(request.transaction, work, until, request.asker.user_id, request.now)
    return f"⏸️ **{_name(work)} is paused** {ending(until)}.\n\nTo take it back: `resume {work}`."


@REGISTRY.command("resume", Role.ADMIN, WORK, changes=True)
def resume(request: Request, arguments: Arguments) -> str:
    """Let polling or delivery go on, and say what waits."""
    work = Work(arguments["work"])
    if work not in pauses.current(request.transaction, request.now):
        raise UserError(f"{_name(work)} is not paused.")
    pauses.end(request.transaction, work)
    return f"▶️ **{_name(work)} goes on.** {_what_waits(request, work)}"


def paused_lines(request: Request) -> list[str]:
    """A line for each kind of work that is paused."""
    paused = pauses.current(request.transaction, request.now)
    return [f"⏸️ **{_name(work)} is paused** {ending(pause.until)}" for work, pause in paused.items()]


def ending(until: datetime | None) -> str:
    """Until when a pause lasts; `until` is a moment, or None for one that is ended by hand."""
    return f"until {moment(until)}" if until else "until it is resumed"


def _what_waits(request: Request, work: Work) -> str:
    if work is Work.DELIVERY:
        queue = figures.queue(request.transaction, request.now)
        return f"{counted(queue.due, 'notification')} due now, {queue.held:,} held for later."
    polled_at = state.noted_at(request.transaction, state.POLLED)
    last = f"at {moment(polled_at)}" if polled_at else "never"
    return f"The LMS was last read {last}; I read it again within {request.settings.poll_interval} seconds."


def _who(request: Request) -> str:
    """The process that works, at the beginning of a sentence."""
    worker = heartbeat.last_worker(request.transaction)
    if worker is None or not worker.is_alive(request.now):
        return "No process works just now. The next one"
    return "This process" if worker.process == THIS else f"I stand by here: {quote(str(worker.process))} works. It"


def _when(request: Request) -> str:
    worker = heartbeat.last_worker(request.transaction)
    if worker is None or worker.polling_since is None:
        return " at once"
    return f" again as soon as the poll ends that is under way since {moment(worker.polling_since)},"


def _but_paused(request: Request, work: Work) -> str:
    found: Pause | None = pauses.current(request.transaction, request.now).get(work)
    return f" {_name(work)} stays paused otherwise, {ending(found.until)}." if found else ""


def _name(work: Work) -> str:
    return work.capitalize()
