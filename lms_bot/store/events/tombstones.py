"""Events that were removed for their age: known still, by nothing but their rows' numbers, so that none comes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from lms_bot.core.detect import Recorded
from lms_bot.core.events import OBSERVED, Event
from lms_bot.db.lists import in_list
from lms_bot.store import state
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, pruned

_Key = tuple[str, int, int, str]
UNTIL = "pruned_until"  # the fact, noted at the moment before which events were removed


def until(transaction: Transaction) -> datetime | None:
    """Return the moment before which events may be missing, for they were removed; None if none ever was."""
    return state.noted_at(transaction, UNTIL)


def note_until(transaction: Transaction, moment: datetime) -> None:
    """Note that events from before this moment may be missing."""
    known = until(transaction)
    if known is None or known < moment:
        state.note(transaction, UNTIL, True, moment)


def remember(transaction: Transaction, are_these: sa.ColumnElement[bool]) -> None:
    """Note the rows of the LMS whose events these are, which are to be removed."""
    c = events.c
    mark = sa.case((c.is_current, c.fingerprint))
    of_lms = c.event_type.in_(OBSERVED)
    keys = sa.select(c.source_table, c.source_id, c.episode, c.event_type, mark).where(are_these, of_lms)
    names = ["source_table", "source_id", "episode", "event_type", "fingerprint"]
    insert = insert_into(transaction, pruned).from_select(names, keys)
    last = {"fingerprint": insert.excluded.fingerprint}
    transaction.execute(insert.on_conflict_do_update(index_elements=names[:4], set_=last))


def fingerprints(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> dict[int, int]:
    """Return the fingerprint that each row had when it was last looked into, where it is known."""
    c = pruned.c
    within = in_list(c.source_id, source_ids, transaction.dialect.name)
    query = sa.select(c.source_id, sa.func.min(c.fingerprint)).where(
        c.source_table == source_table, within, c.fingerprint.is_not(None)
    )
    only = query.group_by(c.source_id).having(sa.func.count() == 1)
    return {row[0]: row[1] for row in transaction.execute(only)}


def recorded(transaction: Transaction, source_table: str, source_ids: Collection[int]) -> dict[int, list[Recorded]]:
    """Return the removed states of rows, by source id."""
    c = pruned.c
    within = in_list(c.source_id, source_ids, transaction.dialect.name)
    query = sa.select(c.source_id, c.episode, c.event_type, c.fingerprint).where(c.source_table == source_table, within)
    found: dict[int, list[Recorded]] = defaultdict(list)
    for source_id, episode, kind, mark in transaction.execute(query):
        found[source_id].append(Recorded(None, episode, kind, mark is not None, mark))
    return found


def without_pruned(transaction: Transaction, observed: Sequence[Event]) -> Sequence[Event]:
    """Those of the events that were never recorded and removed; of the others it is noted that they hold again."""
    if transaction.scalar(sa.select(pruned.c.source_id).limit(1)) is None:
        return observed
    known = _known(transaction, observed)
    again = [event for event in observed if _key(event) in known]
    if again:
        _note(transaction, again)
    return [event for event in observed if _key(event) not in known]


def _known(transaction: Transaction, observed: Sequence[Event]) -> set[_Key]:
    ids = defaultdict(list)
    for event in observed:
        ids[event.source_table].append(event.source_id)
    found: set[_Key] = set()
    for table, source_ids in ids.items():
        for source_id, states in recorded(transaction, table, source_ids).items():
            found.update((table, source_id, state.episode, state.event_type) for state in states)
    return found


def _note(transaction: Transaction, stated: Sequence[Event]) -> None:
    """Note that these rows say this now, and nothing else."""
    says_it = (pruned.c.event_type == sa.bindparam("kind")) & (pruned.c.episode == sa.bindparam("of_episode"))
    is_row = (pruned.c.source_table == sa.bindparam("of_table")) & (pruned.c.source_id == sa.bindparam("of_id"))
    mark = sa.case((says_it, sa.bindparam("mark", type_=sa.BigInteger)))
    transaction.execute(
        sa.update(pruned).where(is_row).values(fingerprint=mark),
        [
            {
                "kind": event.event_type.value,
                "of_table": event.source_table,
                "of_id": event.source_id,
                "of_episode": event.episode,
                "mark": event.fingerprint,
            }
            for event in stated
        ],
    )


def _key(event: Event) -> _Key:
    return event.source_table, event.source_id, event.episode, event.event_type.value
