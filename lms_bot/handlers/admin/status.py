"""The command that shows admins how the bot is doing."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version

from lms_bot.core.principal import Role
from lms_bot.core.process import THIS
from lms_bot.handlers.admin.control import paused_lines
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import freshness
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.lms.schemas import SCHEMA
from lms_bot.render import counted, moment, quote
from lms_bot.store import state
from lms_bot.store.events import cursors
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import figures, heartbeat, incidents
from lms_bot.store.people import accounts
from lms_bot.store.schema import CURRENT
from lms_bot.store.session import Transaction


@REGISTRY.command("status", Role.ADMIN)
def status(request: Request, arguments: Arguments) -> str:
    """Show who works, when the LMS was last read, what waits and what was told today, and what is wrong."""
    lines = [*_work(request), *_reading(request), *_telling(request), *_wrong(request), *_versions(request)]
    return "\n".join(["🩺 **Status**", "", *(f"* {line}" for line in lines)]) + freshness(request)


def _work(request: Request) -> list[str]:
    """Who works, who answers, and what is paused."""
    worker = heartbeat.last_worker(request.transaction)
    here = f"{quote(str(THIS))}, up {_duration(request.now - THIS.started_at)}"
    if worker is None:
        lines = ["**Works:** nobody yet", f"**Answers:** {here}"]
    elif worker.process == THIS:
        lines = [f"**Works and answers:** {here}"]
    else:
        up = f"since {moment(worker.since)}, up {_duration(request.now - worker.process.started_at)}"
        gone = "" if worker.is_alive(request.now) else f"; **not seen** after {moment(worker.seen_at)}"
        lines = [f"**Works:** {quote(str(worker.process))} {up}{gone}", f"**Answers:** {here}"]
    return [*lines, *paused_lines(request)]


def _reading(request: Request) -> list[str]:
    """How far and how soon the LMS is read."""
    transaction = request.transaction
    polled_at = state.noted_at(transaction, state.POLLED)
    worker = heartbeat.last_worker(transaction)
    under_way = f", one under way since {moment(worker.polling_since)}" if worker and worker.polling_since else ""
    newest = figures.newest(transaction)
    lag = (
        f"{_duration(newest.stored_at - newest.happened_at)} from its time in the LMS to the store, "
        f"at {moment(newest.stored_at)}"
        if newest
        else "none yet"
    )
    return [
        f"**Last poll:** {moment(polled_at) if polled_at else 'none yet'}{under_way}",
        f"**Newest event:** {lag}",
        *(_sweep(transaction, source.name) for source in SCHEMA.sources),
    ]


def _telling(request: Request) -> list[str]:
    """What waits, and what was told and held today."""
    transaction, now = request.transaction, request.now
    today = now.astimezone(request.settings.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    queue, told = figures.queue(transaction, now), figures.sent_since(transaction, today)
    oldest = f", the oldest for {_duration(now - queue.oldest_due_at)}" if queue.oldest_due_at else ""
    waiting = counted(queue.due + queue.held, "notification")
    return [
        f"**Waiting:** {waiting}: {queue.due:,} due{oldest}; {queue.held:,} held for later",
        f"**Today:** {counted(told.notifications, 'notification')} told in {counted(told.messages, 'message')}, "
        f"{figures.postponed_since(transaction, today, now):,} held",
    ]


def _wrong(request: Request) -> list[str]:
    """What somebody should look at."""
    transaction = request.transaction
    parked, _ = outbox.parked(transaction, 1)
    unmapped = len(accounts.unmapped(transaction))
    odd = sum(rows for _, _, rows in cursors.unknown_states(transaction))
    lines = [f"**Parked:** {counted(parked, 'message')}", f"**Mentors without an account:** {unmapped:,}"]
    lines += [f"**Rows in unknown states:** {odd:,}"] if odd else []
    return lines + [f"**Alert** since {moment(since)}: {text}" for since, text in incidents.ongoing(transaction)]


def _versions(request: Request) -> list[str]:
    worker = heartbeat.last_worker(request.transaction)
    zulip = f", Zulip {quote(worker.zulip_version)}" if worker and worker.zulip_version else ""
    return [f"**Version:** {version('lms_bot')}, schema {CURRENT}, {figures.product(request.transaction)}{zulip}"]


def _sweep(transaction: Transaction, table: str) -> str:
    cursor = cursors.load(transaction, table)
    if cursor is None:
        return f"**{table}:** not read yet"
    if not cursor.history_done:
        return f"**{table}:** its history is being read"
    if cursor.sweep_seconds is None:
        return f"**{table}:** the first round of the sweep is under way"
    return f"**{table}:** a round of the sweep takes {timedelta(seconds=round(cursor.sweep_seconds))}"


def _duration(length: timedelta) -> str:
    """A length of time in whole seconds; none is below zero, whatever two clocks say."""
    return str(timedelta(seconds=max(0, round(length.total_seconds()))))
