"""Reads what is recorded of the rows of an LMS, whether their events are kept or were removed for their age."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

import sqlalchemy as sa

from lms_bot.core.cursor import Page
from lms_bot.core.detect import Observed, Recorded
from lms_bot.core.events import COURSE, EventType
from lms_bot.db.lists import in_list
from lms_bot.store.events import tombstones
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events


def fingerprints(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> dict[int, int]:
    """Return the fingerprint that each row had when it was last recorded, by source id.

    A row with several current events, as two polls at once can leave it, has none: it is looked into again.
    """
    c = events.c
    within = in_list(c.source_id, source_ids, transaction.dialect.name)
    query = sa.select(c.source_id, c.fingerprint).where(c.source_table == source_table, within, c.is_current)
    found: dict[int, int] = {}
    several = set()
    for source_id, mark in transaction.execute(query).all():
        if source_id in found:
            several.add(source_id)
        found[source_id] = mark
    missing = [source_id for source_id in source_ids if source_id not in found]
    before = tombstones.fingerprints(transaction, source_table, missing) if missing else {}
    return before | {source_id: mark for source_id, mark in found.items() if source_id not in several}


def recorded(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> dict[int, list[Recorded]]:
    """Return the recorded states of rows by source id, oldest first, with those that were removed for their age."""
    c = events.c
    within = in_list(c.source_id, source_ids, transaction.dialect.name)
    columns = (c.event_id, c.episode, c.event_type, c.is_current, c.fingerprint)
    query = sa.select(c.source_id, *columns, c.student_id, c.activity_id, c.timestamp, c.is_history)
    removed = tombstones.recorded(transaction, source_table, source_ids)
    kept: dict[int, list[Recorded]] = defaultdict(list)
    for source_id, *rest in transaction.execute(
        query.where(c.source_table == source_table, within).order_by(c.event_id)
    ):
        kept[source_id].append(Recorded(*rest))
    for source_id, states in removed.items():
        is_outdated = any(state.is_current for state in kept[source_id])
        older = [state._replace(is_current=False) for state in states] if is_outdated else states
        kept[source_id] = [*older, *kept[source_id]]
    return kept


def no_longer_stated(transaction: Transaction, page: Page, observed: Observed) -> list[int]:
    """Return the current events of rows that disappeared or went into a state that gives no event.

    What was watched stays so, whatever the percentage falls to.
    """
    gone = [*page.vanished, *observed.silent]
    if not gone:
        return []
    states_of = recorded(transaction, page.source_table, gone)
    silent = set(observed.silent)
    return event_ids(
        state
        for source_id, states in states_of.items()
        for state in states
        if state.is_current and not (source_id in silent and state.event_type == EventType.CONTENT_PROGRESS)
    )


def courses_of(transaction: Transaction, event_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return what is recorded of the courses of events in their metadata, by event id, of those with one."""
    if not event_ids:
        return {}
    c = events.c
    within = in_list(c.event_id, event_ids, transaction.dialect.name)
    query = sa.select(c.event_id, c.activity_metadata[COURSE].as_string()).where(within, c.course_key.is_not(None))
    return {event_id: {COURSE: title} for event_id, title in transaction.execute(query)}


def event_ids(states: Iterable[Recorded]) -> list[int]:
    """Return the ids of those of the states whose events are kept."""
    return [state.event_id for state in states if state.event_id is not None]
