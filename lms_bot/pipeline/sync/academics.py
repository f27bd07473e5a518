"""Keeps what is known of studies that of the LMS: small tables whole, details by what changed, a turn at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from lms_bot.core.calendar import EARLIEST
from lms_bot.core.sync import Changes
from lms_bot.errors import LmsMisfit
from lms_bot.lms import Lms
from lms_bot.lms.source import Counts
from lms_bot.pipeline import incidents
from lms_bot.pipeline.sync.details import DetailReader, Show
from lms_bot.store import state
from lms_bot.store.academics import conflicts, studies
from lms_bot.store.session import Store

PAGES = 20  # of details that a turn reads
STUDIES = "academics"  # the fact: when batches and courses were read last
STUDIES_AGE = timedelta(minutes=5)
EVENTS_CHECKED = "events_checked"  # the fact: up to which event times and percentages were checked
EVENTS = 50_000  # that are checked in a turn


class _Readings:
    """What several readings changed; `reasons` say of each why it could not be made, or None."""

    def __init__(self) -> None:
        self.total = Changes()
        self.reasons: dict[str, str | None] = {}

    def add(self, name: str, read: Callable[[], Changes]) -> None:
        """Make a reading; where a table is not as it is declared, note that, so that the others are made."""
        try:
            self.total += read()
            self.reasons[name] = None
        except LmsMisfit as error:
            self.reasons[name] = str(error)


def read_turn(store: Store, lms: Lms, now: datetime) -> Changes:
    """Read what changed of studies, a bounded part of it; the rest comes with the next turns.

    Before the first poll nobody and no attempt is known. A table that cannot be read as it is declared is an incident,
    and stops none of the others. Raises LmsUnavailable or StoreUnavailable.
    """
    with store.reading() as transaction:
        noted = state.some(transaction, [state.POLLED, STUDIES])
    if state.POLLED not in noted:
        return Changes()
    _, read_at = noted.get(STUDIES, (None, EARLIEST))
    readings = _Readings()
    if not timedelta() <= now - read_at < STUDIES_AGE:
        readings.add("batches and courses", lambda: read_studies(store, lms, now))
    watches = lms.watched_details(now)
    for watch in watches:
        reader, most_pages = DetailReader(store, lms, watch), max(1, PAGES // len(watches))
        readings.add(watch.name, partial(reader.read_turn, now, most_pages))
    incidents.note_misfits(store, readings.reasons, now)
    check_events(store, now)
    return readings.total


def read_all(store: Store, lms: Lms, now: datetime, show: Show | None = None) -> Changes:
    """Read all that changed of studies.

    Raises StoreUnavailable or LmsUnavailable; where a table cannot be read as it is declared, only after all others
    were read.
    """
    readings = _Readings()
    for watch in lms.watched_details(now):
        readings.add(watch.name, partial(DetailReader(store, lms, watch).read_all, now, show))
    while check_events(store, now):
        pass
    readings.add("batches and courses", lambda: read_studies(store, lms, now))
    if misfits := [f"{name}: {reason}" for name, reason in readings.reasons.items() if reason is not None]:
        raise LmsMisfit(f"{'; '.join(misfits)}; all else was read")
    return readings.total


def read_studies(store: Store, lms: Lms, now: datetime) -> Changes:
    """Read the small tables whole, and look which rows cannot be quite right. Raises LmsUnavailable."""
    found = lms.read_academics(now)
    with store.writing() as transaction:
        changes = studies.keep_studies(transaction, found)
        conflicts.find_among_people(transaction, now)
        conflicts.clear_mended(transaction, now)
        for detail in lms.schema.details:
            if isinstance(detail, Counts):
                conflicts.find_among_counts(transaction, detail.name, now)
        state.note(transaction, STUDIES, True, now)
    return changes


def check_events(store: Store, now: datetime) -> bool:
    """Check times and percentages of the next events; return whether there are more."""
    with store.reading() as transaction:
        above = state.value(transaction, EVENTS_CHECKED) or 0
        upto = conflicts.next_events(transaction, above, EVENTS)
    if upto is None:
        return False
    with store.writing() as transaction:
        conflicts.find_among_events(transaction, above, upto, now)
        state.note(transaction, EVENTS_CHECKED, upto, now)
    return True
