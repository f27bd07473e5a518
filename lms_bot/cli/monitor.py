"""`lms-bot monitor`: poll the LMS, deliver what is due, print the statistics."""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lms_bot.cli.options import DONE, Commands, event_types, positive, settings_of
from lms_bot.cli.progress import HistoryBar
from lms_bot.config.settings import Settings
from lms_bot.core.events import EventType
from lms_bot.errors import LmsBotError, LmsUnavailable, SendError
from lms_bot.worker import shutdown

if TYPE_CHECKING:
    from lms_bot.app import Parts
    from lms_bot.pipeline.deliverer import Delivered
    from lms_bot.pipeline.poller import Polled

log = logging.getLogger(__name__)

TURN = 3.0  # seconds of one turn of delivery


@dataclass(slots=True)
class Counted:
    """Result of `monitor --once`; all but the events and those of history are rows of lms_event_logs."""

    new_events: int = 0
    delivered: int = 0
    postponed: int = 0
    pending: int = 0
    history: int = 0


def add_to(commands: Commands) -> None:
    monitor = commands.add_parser("monitor", help="poll the LMS and tell the mentors")
    what = monitor.add_mutually_exclusive_group(required=True)
    what.add_argument("--once", action="store_true", help="one poll, then deliver until nothing is due")
    what.add_argument("--daemon", action="store_true", help="poll and deliver until stopped")
    what.add_argument("--process-pending", action="store_true", help="deliver what is due, without polling")
    what.add_argument("--stats", action="store_true", help="print the statistics of the event store")
    monitor.add_argument("--interval", type=positive, metavar="N", help="seconds between polls, instead of the setting")
    monitor.add_argument("--event-types", type=event_types, metavar="A,B", help="tell only these kinds of event")
    monitor.add_argument("--verbose", action="store_true", help="log more")
    monitor.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    monitor.set_defaults(run=_monitor)


def _monitor(options: argparse.Namespace) -> int:
    settings = _with_options(settings_of(options), options)
    if options.stats:
        return _stats(settings, options)
    if options.daemon:
        shutdown.end_on_signals()
    from lms_bot.app import Parts

    parts = Parts.assemble(settings, options.config_file)
    try:
        if options.daemon:
            return _daemon(parts)
        return _once(parts, options)
    finally:
        parts.close()


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    """Return the settings with what the command line says instead."""
    return replace(
        settings,
        poll_interval=options.interval or settings.poll_interval,
        event_types=options.event_types or settings.event_types,
    )


def _once(parts: Parts, options: argparse.Namespace) -> int:
    """Poll, unless only what is pending is wanted; then deliver until nothing is due, unless another process does.

    Raises the first error, after everything else was done.
    """
    from lms_bot.store.notifications import pending

    counted = Counted()
    failed: LmsBotError | None = None
    has_lease = parts.lease.take()
    _mention_pauses(parts)
    if options.once:
        polled, failed = _poll(parts)
        counted.new_events, counted.history = polled.new_events, polled.history_events
    if has_lease and parts.settings.notify_mentors:
        try:
            delivered = _deliver_all(parts, options.event_types if options.process_pending else None)
            counted.delivered, counted.postponed = delivered.sent, delivered.postponed
        except SendError as error:
            failed = failed or error
    with parts.store.reading() as transaction:
        counted.pending = pending.count_pending(transaction)
    _print(counted, options.json)
    if failed:
        raise failed
    return DONE


def _mention_pauses(parts: Parts) -> None:
    """Log what an admin paused: that stops what works by itself, and not what somebody types here."""
    from lms_bot.store.operations import pauses

    with parts.store.reading() as transaction:
        paused = pauses.current(transaction, datetime.now(UTC))
    for work in paused:
        log.warning("%s is paused by an admin; this command is carried out all the same", work)


def _poll(parts: Parts) -> tuple[Polled, LmsBotError | None]:
    """Poll, and run the jobs of the clock even if that fails; return what was recorded and the first error."""
    from lms_bot.pipeline.poller import Polled
    from lms_bot.worker.clock import ClockJobs

    polled, failed = Polled(), None
    try:
        with HistoryBar() as progress:
            polled = parts.poller.poll(datetime.now(UTC), progress)
        log.info("poll: %d new events, %d of history", polled.new_events, polled.history_events)
    except LmsBotError as error:
        failed = error
    jobs = ClockJobs(parts.store, parts.lms, parts.settings)
    ran = jobs.run(datetime.now(UTC), lms_is_away=isinstance(failed, LmsUnavailable))
    return polled, failed or ran.error


def _deliver_all(parts: Parts, only: frozenset[EventType] | None) -> Delivered:
    """Deliver until nothing is due or Zulip is away. Raises SendError."""
    from lms_bot.pipeline.deliverer import Delivered
    from lms_bot.store.notifications import outbox, pending
    from lms_bot.worker.accounts import follow_organisation, refresh_users

    total = Delivered()
    with parts.store.writing() as transaction:
        outbox.make_due(transaction, datetime.now(UTC), outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
        if not pending.count_pending(transaction):
            return total
    follow_organisation(parts.store, parts.chat, datetime.now(UTC))
    refresh_users(parts)
    while True:
        total += parts.deliverer.deliver_turn(TURN, only)
        if total.is_done or parts.deliverer.is_pausing:
            return total
        time.sleep(0.01)


def _daemon(parts: Parts) -> int:
    from lms_bot.worker.scheduler import Worker

    with HistoryBar() as progress:
        worker = Worker(parts, progress=progress)
        worker.start()
        try:
            worker.wait()
        except SystemExit:
            worker.stop(shutdown.FINISH)
    return DONE


def _stats(settings: Settings, options: argparse.Namespace) -> int:
    from lms_bot.store.reports import statistics
    from lms_bot.store.session import open_store

    store = open_store(settings.store_database_url)
    try:
        with store.reading() as transaction:
            named = statistics.statistics(transaction).named()
    finally:
        store.close()
    if options.json:
        print(json.dumps({key: count for key, _, count in named}))
    else:
        for _, name, count in named:
            print(f"{name}: {count}")
    return DONE


def _print(counted: Counted, as_json: bool) -> None:
    counts = {name: getattr(counted, name) for name in ("new_events", "delivered", "postponed", "pending")}
    if as_json:
        print(json.dumps(counts))
    else:
        line = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        history = f"; {counted.history} older events are recorded as history, nobody is told"
        print(line + (history if counted.history else ""))
