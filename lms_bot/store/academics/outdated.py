"""Students whose past turned out to be another than their snapshots say: a note each, until it is described anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.academics.snapshots import MOST_WEEKS, WEEK, Plan, monday_of
from lms_bot.core.calendar import EARLIEST, local_day, start_of_day
from lms_bot.core.events import FINISHING, EventType
from lms_bot.db.lists import in_list
from lms_bot.store import state
from lms_bot.store.bulk import insert_into
from lms_bot.store.people.zones import zones_in_use
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events, outdated_snapshots

PLAN = "snapshots"  # the fact: which weeks are planned, and which students are still to be described in them
LONGEST_OFFSET = timedelta(hours=26)  # between two places on earth
_COUNTED = (*FINISHING, EventType.CONTENT_PROGRESS)


def mark(
    transaction: Transaction, moments: Iterable[tuple[int | None, datetime]], event_ids: Collection[int] = ()
) -> None:
    """Note that the past of students has changed: at these moments, and at the times of these events."""
    before = _end_of_described(transaction)
    if before is None:
        return
    found: dict[int, datetime] = {}
    for student_id, at in [*moments, *_times_of(transaction, event_ids)]:
        if student_id is not None and at < before:
            found[student_id] = min(at, found.get(student_id, at))
    if not found:
        return
    rows = [{"student_id": student_id, "since": max(at, EARLIEST)} for student_id, at in sorted(found.items())]
    insert, since = insert_into(transaction, outdated_snapshots), outdated_snapshots.c.since
    earlier = insert.on_conflict_do_update(
        index_elements=["student_id"], set_={"since": insert.excluded.since}, where=insert.excluded.since < since
    )
    transaction.execute(earlier, rows)


def mark_results(transaction: Transaction, exam_source: str, attempt_ids: Collection[int]) -> None:
    """Note that the results of these attempts by subject have changed."""
    if not attempt_ids or _end_of_described(transaction) is None:
        return
    c = events.c
    of_attempts = in_list(c.source_id, attempt_ids, transaction.dialect.name)
    query = sa.select(c.event_id).where(c.source_table == exam_source, of_attempts, c.is_current)
    mark(transaction, (), list(transaction.scalars(query)))


def oldest(transaction: Transaction, plan: Plan, most: int) -> dict[int, datetime]:
    """Return since when some students' snapshots are outdated, by id: about `most` snapshots of them."""
    c = outdated_snapshots.c
    found: dict[int, datetime] = {}
    for row in transaction.execute(sa.select(c.student_id, c.since).order_by(c.student_id).limit(most)):
        most -= (plan.newest - first_week(plan, row.since)).days // 7 + 1
        if found and most < 0:
            break
        found[row.student_id] = row.since
    return found


def first_week(plan: Plan, since: datetime) -> date:
    """Return the first week that may have what happened then in its past, of those that are made."""
    oldest_week = plan.newest - WEEK * (MOST_WEEKS - 1)
    if since <= EARLIEST:
        return oldest_week
    return min(max(monday_of(local_day(since - LONGEST_OFFSET, ZoneInfo(plan.zone))), oldest_week), plan.newest)


def forget(transaction: Transaction, student_ids: Collection[int]) -> None:
    """Forget the notes about these students."""
    these = in_list(outdated_snapshots.c.student_id, student_ids, transaction.dialect.name)
    transaction.execute(sa.delete(outdated_snapshots).where(these))


def are_there(transaction: Transaction) -> bool:
    """Return whether there is any note."""
    return transaction.scalar(sa.select(outdated_snapshots.c.student_id).limit(1)) is not None


def margin(transaction: Transaction) -> timedelta:
    """Return for how long after a week's beginning a student's day before may go on, where somebody has own zones."""
    return LONGEST_OFFSET if zones_in_use(transaction) else timedelta()


def _end_of_described(transaction: Transaction) -> datetime | None:
    """Return the moment from which on nothing is the past of any snapshot; None before the first is made."""
    noted = state.value(transaction, PLAN)
    if noted is None:
        return None
    begins = start_of_day(date.fromisoformat(noted["newest"]), ZoneInfo(noted["zone"]))
    return begins + margin(transaction)


def _times_of(transaction: Transaction, event_ids: Collection[int]) -> list[tuple[int | None, datetime]]:
    if not event_ids:
        return []
    c = events.c
    within = in_list(c.event_id, event_ids, transaction.dialect.name)
    counted = c.event_type.in_([kind.value for kind in _COUNTED])
    rows = transaction.execute(sa.select(c.student_id, c.timestamp, c.created_at).where(within, counted))
    return [(student_id, min(at, found_at)) for student_id, at, found_at in rows]
