"""The command that shows admins how the bot is doing."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import version

from lms_bot.core.cursor import Cursor
from lms_bot.core.operations.circuit_breaker import Circuit, CircuitState
from lms_bot.core.principal import Role
from lms_bot.core.process import THIS
from lms_bot.core.reports.overview import Operation, Status
from lms_bot.handlers.admin.control import paused_lines
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.render import counted, moment, quote
from lms_bot.reports import overview

COMMANDS = REGISTRY.section(Role.ADMIN, 5, "general")


@COMMANDS.command("status")
def status(request: Request, arguments: Arguments) -> str:
    """Show who works, when the LMS was last read, what waits and what was told today, and what is wrong."""
    found, now = overview.status(request.transaction, request.principal, request.settings, request.now), request.now
    lines = [
        *_work(found.operation, now),
        *_reading(found),
        *_sending(found, now),
        *_problems(found),
        _versions(found),
    ]
    return "\n".join(["🩺 **Status**", "", *(f"* {line}" for line in lines)]) + note_of_age(request)


def _work(operation: Operation, now: datetime) -> list[str]:
    """Return who works, who answers, and what is paused."""
    worker = operation.worker
    here = f"{quote(str(THIS))}, up {_duration(now - THIS.started_at)}"
    if worker is None:
        lines = ["**Works:** nobody yet", f"**Answers:** {here}"]
    elif worker.process == THIS:
        lines = [f"**Works and answers:** {here}"]
    else:
        up = f"since {moment(worker.since)}, up {_duration(now - worker.process.started_at)}"
        gone = "" if worker.is_alive(now) else f"; **not seen** after {moment(worker.seen_at)}"
        lines = [f"**Works:** {quote(str(worker.process))} {up}{gone}", f"**Answers:** {here}"]
    return [*lines, *paused_lines(operation)]


def _reading(found: Status) -> list[str]:
    """Return how far and how soon the LMS is read."""
    worker, read_at, newest = found.operation.worker, found.operation.read_at, found.newest
    under_way = f", one under way since {moment(worker.polling_since)}" if worker and worker.polling_since else ""
    lag = (
        f"{_duration(newest.stored_at - newest.happened_at)} from its time in the LMS to the store, "
        f"at {moment(newest.stored_at)}"
        if newest
        else "none yet"
    )
    return [
        f"**Last poll:** {moment(read_at) if read_at else 'none yet'}{under_way}",
        *([_circuit(worker.circuit)] if worker else []),
        f"**Newest event:** {lag}",
        *(f"**{table}:** {_progress(cursor)}" for table, cursor in found.cursors.items()),
    ]


def _circuit(state: CircuitState) -> str:
    """Return whether the LMS is read, left alone after failed polls, or tried with one poll."""
    if state.circuit is Circuit.CLOSED:
        return "**LMS circuit:** closed, the LMS is read"
    after = f"after {counted(state.failures, 'failed poll')}"
    if state.circuit is Circuit.HALF_OPEN or state.open_until is None:
        return f"**LMS circuit:** half-open {after}: the next poll says whether it is back"
    return f"**LMS circuit:** open {after}: the LMS is left alone until {moment(state.open_until)}"


def _sending(found: Status, now: datetime) -> list[str]:
    """Return what waits, and what was sent and postponed today."""
    queue, sent = found.queue, found.sent_today
    oldest = f", the oldest for {_duration(now - queue.oldest_due_at)}" if queue.oldest_due_at else ""
    waiting = counted(queue.due + queue.postponed, "notification")
    return [
        f"**Waiting:** {waiting}: {queue.due:,} due{oldest}; {queue.postponed:,} held for later",
        f"**Today:** {counted(sent.notifications, 'notification')} told in {counted(sent.messages, 'message')}, "
        f"{found.postponed_today:,} held",
    ]


def _problems(found: Status) -> list[str]:
    """Return what somebody should look at."""
    lines = [f"**Parked:** {counted(found.parked, 'message')}", f"**Mentors without an account:** {found.unmapped:,}"]
    lines += [f"**Rows in unknown states:** {found.unknown_rows:,}"] if found.unknown_rows else []
    if found.conflicts:
        lines.append(f"**Rows that cannot be quite right:** {found.conflicts:,}; `sync` names them")
    if found.compared_at is not None:
        apart = {kind: drift.distance for kind, drift in found.drift.items() if drift.distance}
        said = ", ".join(f"{kind} {rows:,}" for kind, rows in apart.items())
        lines.append(f"**Drift from the LMS:** {said or 'none'}, compared at {moment(found.compared_at)}")
    return lines + [f"**Alert** since {moment(since)}: {text}" for since, text in found.incidents]


def _versions(found: Status) -> str:
    worker = found.operation.worker
    zulip = f", Zulip {quote(worker.zulip_version)}" if worker and worker.zulip_version else ""
    return f"**Version:** {version('lms_bot')}, schema {found.schema}, {found.product}{zulip}"


def _progress(cursor: Cursor | None) -> str:
    if cursor is None:
        return "not read yet"
    if not cursor.history_done:
        return "its history is being read"
    if cursor.sweep_seconds is None:
        return "the first round of the sweep is under way"
    return f"a round of the sweep takes {timedelta(seconds=round(cursor.sweep_seconds))}"


def _duration(length: timedelta) -> str:
    """Return a length of time in whole seconds; none is below zero, whatever two clocks say."""
    return str(timedelta(seconds=max(0, round(length.total_seconds()))))
