"""The command line: parse, call one function, print what it gives."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from lms_bot import __version__, config
from lms_bot.domain import EventType
from lms_bot.errors import ConfigError, LmsBotError, SendError

if TYPE_CHECKING:
    from lms_bot.jobs import Parts

DONE, FAILED, WRONG_USE = 0, 1, 2
TURN = 3.0  # seconds of delivery between two looks at the clock


@dataclass(slots=True)
class Counted:
    """What `monitor --once` reports, in rows of lms_event_logs but for the events."""

    new_events: int = 0
    delivered: int = 0
    postponed: int = 0
    pending: int = 0


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command; exits 0 when done, 1 when it failed, 2 when it was used wrongly."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if getattr(options, "verbose", False) else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    for noisy in ("urllib3", "schedule", "filelock", "markdown_it", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        sys.exit(int(options.run(options)))
    except ConfigError as error:
        print(f"lms-bot: {error}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except LmsBotError as error:
        print(f"lms-bot: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lms-bot", description="Tells mentors in Zulip what matters about their own students."
    )
    parser.add_argument("--version", action="version", version=f"lms-bot {__version__}")
    parser.add_argument("--bot-config-file", metavar="FILE", help="the settings (see lms_bot.conf.example)")
    parser.add_argument("--config-file", metavar="ZULIPRC", help="the bot's key for Zulip (see zuliprc.example)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    demo = commands.add_parser("demo", help="see it at work on a small LMS that lives, with Zulip in the terminal")
    demo.set_defaults(run=_demo)

    monitor = commands.add_parser("monitor", help="poll the LMS and tell the mentors")
    what = monitor.add_mutually_exclusive_group(required=True)
    what.add_argument("--once", action="store_true", help="one poll, then deliver until nothing is due")
    what.add_argument("--daemon", action="store_true", help="poll and deliver until stopped")
    what.add_argument("--process-pending", action="store_true", help="deliver what is due, without polling")
    what.add_argument("--stats", action="store_true", help="print the statistics of the event store")
    monitor.add_argument("--interval", type=_seconds, metavar="N", help="seconds between polls, instead of the setting")
    monitor.add_argument("--event-types", type=_event_types, metavar="A,B", help="tell only these kinds of event")
    monitor.add_argument("--verbose", action="store_true", help="log more")
    monitor.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    monitor.set_defaults(run=_monitor)

    migrate = commands.add_parser("migrate", help="bring the event store to the current schema")
    migrate.set_defaults(run=_migrate)
    return parser


def _demo(_options: argparse.Namespace) -> int:
    from lms_bot.demo import run

    return run()


def _monitor(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if options.stats:
        return _stats(settings, options)
    from lms_bot.jobs import Parts

    parts = Parts.assemble(settings, options.config_file)
    try:
        if options.daemon:
            return _daemon(parts)
        return _once(parts, options)
    finally:
        parts.close()


def _once(parts: Parts, options: argparse.Namespace) -> int:
    """One poll unless only what is pending is wanted, then delivery until nothing is due, unless another delivers."""
    from lms_bot.store import queries

    counted = Counted()
    failed: LmsBotError | None = None
    has_lease = parts.lease.take()
    if options.once:
        try:
            with _progress_bar() as progress:
                counted.new_events = parts.poller.poll(datetime.now(UTC), progress).new_events
        except LmsBotError as error:
            failed = error
    if has_lease and parts.settings.notify_mentors:
        try:
            _deliver_all(parts, counted, options.event_types if options.process_pending else None)
        except SendError as error:
            failed = failed or error
    with parts.store.reading() as transaction:
        counted.pending = queries.pending_notifications(transaction)
    _report(counted, options.json)
    if failed:
        raise failed
    return DONE


def _deliver_all(parts: Parts, counted: Counted, only: frozenset[EventType] | None) -> None:
    from lms_bot.jobs import refresh_users
    from lms_bot.store import outbox, queries

    with parts.store.writing() as transaction:
        outbox.wake(transaction, datetime.now(UTC), outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
        if not queries.pending_notifications(transaction):
            return
    refresh_users(parts)
    while True:
        turn = parts.deliverer.turn(TURN, only)
        counted.delivered += turn.sent
        counted.postponed += turn.postponed
        if turn.is_done or parts.deliverer.is_pausing:
            return
        time.sleep(0.01)


def _daemon(parts: Parts) -> int:
    from lms_bot.jobs import Worker

    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts its background jobs deaf to SIGINT
        signal.signal(number, lambda *_: sys.exit(DONE))
    with _progress_bar() as progress:
        worker = Worker(parts, progress=progress)
        worker.start()
        try:
            worker.wait()
        except SystemExit:
            worker.stop()
    return DONE


def _stats(settings: config.Settings, options: argparse.Namespace) -> int:
    from lms_bot.store import open_store, queries

    store = open_store(settings.store_database_url)
    try:
        with store.reading() as transaction:
            named = queries.statistics(transaction).named()
    finally:
        store.close()
    if options.json:
        print(json.dumps({key: count for key, _, count in named}))
    else:
        for _, name, count in named:
            print(f"{name}: {count}")
    return DONE


def _migrate(options: argparse.Namespace) -> int:
    from lms_bot.store import open_store
    from lms_bot.store.schema import CURRENT

    open_store(_settings(options).store_database_url).close()
    print(f"The event store has schema {CURRENT}.")
    return DONE


def _settings(options: argparse.Namespace) -> config.Settings:
    settings = config.load(options.bot_config_file, os.environ)
    if getattr(options, "interval", None):
        settings = replace(settings, poll_interval=options.interval)
    if getattr(options, "event_types", None):
        settings = replace(settings, event_types=options.event_types)
    return settings


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be at least 1 second")
    return seconds


def _event_types(text: str) -> frozenset[EventType]:
    try:
        return config.event_types_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed{error}") from error


def _report(counted: Counted, as_json: bool) -> None:
    counts = {name: getattr(counted, name) for name in ("new_events", "delivered", "postponed", "pending")}
    if as_json:
        print(json.dumps(counts))
    else:
        print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))


class _progress_bar:
    """Shows how the history comes along: a bar in a terminal, nothing elsewhere."""

    def __enter__(self) -> Any:
        if not sys.stderr.isatty():
            return None
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("History of {task.description}"), BarColumn(), TextColumn("{task.fields[rows]:,} rows"))
        self._bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self._tasks: dict[str, Any] = {}
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_bar"):
            self._bar.stop()

    def _show(self, table: str, done: float, rows: int) -> None:
        if table not in self._tasks:
            self._tasks[table] = self._bar.add_task(table, total=1.0, rows=0)
        self._bar.update(self._tasks[table], completed=done, rows=rows)
