"""`lms-bot events`: print recorded events as JSON lines for another program, and mark them once written."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from lms_bot.cli.options import DONE, Commands, any_event_types, positive, settings_of, student
from lms_bot.cli.progress import CountBar, is_watched
from lms_bot.errors import LmsBotError

if TYPE_CHECKING:
    from lms_bot.store.events.handover import RecordedEvent
    from lms_bot.store.session import Store

TOGETHER = 500  # events that are written, and then marked, at a time


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "events",
        help="print events that no other program has taken yet, as lines of JSON",
        description="Prints recorded events as lines of JSON, in the order of recording: those not yet marked as "
        "processed for AI. Names and results of students are in them.",
    )
    parser.add_argument("--event-types", type=any_event_types, metavar="A,B", help="only these kinds of event")
    parser.add_argument("--student", type=student, metavar="USERNAME", help="only of this student; #ID is an LMS id")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many events")
    parser.add_argument("--all", action="store_true", help="also those that are marked already")
    parser.add_argument("--mark", action="store_true", help="mark as processed exactly what was written")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lms_bot.store.session import open_store

    store = open_store(settings_of(options).store_database_url)
    try:
        _write_events(store, options, sys.stdout)
    except BrokenPipeError:
        raise  # the reader has seen enough; what it did not take is not marked
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise LmsBotError(f"the events could not be written: {error.strerror}") from error
    finally:
        store.close()
    return DONE


def _write_events(store: Store, options: argparse.Namespace, out: TextIO) -> None:
    """Write some, flush them, mark them, and so on: nothing is ever marked that was not written."""
    from lms_bot.store import count_unprocessed, mark_processed, unprocessed_events

    choice: dict[str, Any] = {
        "event_types": options.event_types,
        "student": options.student,
        "include_processed": options.all,
    }
    found = unprocessed_events(store, limit=options.limit, **choice)
    count = count_unprocessed(store, **choice) if is_watched() else 0
    written = 0
    with CountBar("Events", min(count, options.limit or count)) as bar:
        for some in _in_batches(found):
            out.write("".join(f"{as_json(event)}\n" for event in some))
            _flush(out)
            if options.mark:
                mark_processed(store, [event.event_id for event in some])
            written += len(some)
            bar.show(written)


def as_json(event: RecordedEvent) -> str:
    """Return one line of ASCII whose keys are the columns of lms_activity_events; times are ISO 8601 in UTC."""
    return json.dumps(event._asdict(), default=_iso)


def _iso(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(type(value).__name__)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _in_batches(found: Iterator[RecordedEvent]) -> Iterator[list[RecordedEvent]]:
    while some := list(islice(found, TOGETHER)):
        yield some


def _flush(out: TextIO) -> None:
    """Hand on everything that was written; a file is on its disk then."""
    out.flush()
    if stat.S_ISREG(os.fstat(out.fileno()).st_mode):
        os.fsync(out.fileno())
