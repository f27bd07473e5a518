"""Weekly snapshots of how students stood: made for some of them at a time, and read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.academics.snapshots import Plan, Snapshot, SubjectScore, Sweep, weeks
from lms_bot.core.calendar import DAY, EARLIEST, start_of_day
from lms_bot.db.lists import in_list
from lms_bot.store import state
from lms_bot.store.academics import outdated
from lms_bot.store.academics.weekly import describing
from lms_bot.store.session import Transaction
from lms_bot.store.streaks.days import pruned_until
from lms_bot.store.tables import snapshots, students

AT_A_TIME = 1_000  # snapshots, so that a transaction is short
_ALL_TIME = EARLIEST - timedelta(days=365)


def load_plan(transaction: Transaction) -> Plan | None:
    """Return the plan as last noted; None before the first."""
    noted = state.value(transaction, outdated.PLAN)
    if noted is None:
        return None
    sweeps = (Sweep(date.fromisoformat(one[0]), date.fromisoformat(one[1]), one[2]) for one in noted["sweeps"])
    return Plan(noted["zone"], date.fromisoformat(noted["newest"]), tuple(sweeps))


def save_plan(transaction: Transaction, plan: Plan, now: datetime) -> None:
    """Note the plan."""
    sweeps = [(one.first.isoformat(), one.last.isoformat(), one.after) for one in plan.sweeps]
    noted = {"zone": plan.zone, "newest": plan.newest.isoformat(), "sweeps": sweeps}
    state.note(transaction, outdated.PLAN, noted, now)


def go_on_with_sweep(transaction: Transaction, plan: Plan, most: int = AT_A_TIME) -> Plan:
    """Describe the next students of the first sweep, in all of its weeks at once; return what is left of the plan."""
    sweep, kept = plan.sweeps[0], pruned_until(transaction)
    wanted = [week for week in weeks(sweep.first, sweep.last) if week > kept]
    if not wanted:
        return plan.has_come_to(None)
    count = max(1, most // len(wanted))
    query = sa.select(students.c.student_id).order_by(students.c.student_id).limit(count)
    ids = list(transaction.scalars(query if sweep.after is None else query.where(students.c.student_id > sweep.after)))
    _describe(transaction, plan, wanted, dict.fromkeys(ids, _ALL_TIME))
    return plan.has_come_to(ids[-1] if len(ids) == count else None)


def describe_outdated(transaction: Transaction, plan: Plan, most: int = AT_A_TIME) -> bool:
    """Describe again the next students whose past has changed, in those weeks; return whether there were any."""
    since = outdated.oldest(transaction, plan, most)
    if not since:
        return False
    kept = pruned_until(transaction)
    first = min(outdated.first_week(plan, moment) for moment in since.values())
    wanted = [week for week in weeks(first, plan.newest) if week > kept]
    are_these = in_list(students.c.student_id, since, transaction.dialect.name)
    known = set(transaction.scalars(sa.select(students.c.student_id).where(are_these)))
    _describe(transaction, plan, wanted, {one: moment for one, moment in since.items() if one in known})
    outdated.forget(transaction, since)
    return True


def before(transaction: Transaction, student_id: int, day: date) -> Snapshot | None:
    """Return the newest snapshot of a student at or before a day."""
    c = snapshots.c
    query = sa.select(snapshots).where(c.student_id == student_id, c.snapshot_date <= day)
    row = transaction.execute(query.order_by(c.snapshot_date.desc()).limit(1)).first()
    return _snapshot(row) if row else None


def history(transaction: Transaction, student_id: int, most: int) -> list[Snapshot]:
    """Return the newest snapshots of a student, at most so many, oldest first."""
    c = snapshots.c
    query = sa.select(snapshots).where(c.student_id == student_id).order_by(c.snapshot_date.desc()).limit(most)
    return [_snapshot(row) for row in reversed(transaction.execute(query).all())]


def _snapshot(row: Any) -> Snapshot:
    scores = {label: SubjectScore(**score) for label, score in row.subject_scores.items()}
    return Snapshot(**{**row._mapping, "subject_scores": scores})


def _describe(transaction: Transaction, plan: Plan, wanted: Sequence[date], since: Mapping[int, datetime]) -> None:
    """Describe these students in those of the weeks that what is of their moment, or later, is the past of."""
    if not wanted or not since:
        return
    zone, margin = ZoneInfo(plan.zone), outdated.margin(transaction)
    given = []
    for week in wanted:
        begins = start_of_day(week, zone)
        given.append((week.isoformat(), (week - DAY).isoformat(), _moment(begins), _moment(begins + margin)))
    values = {
        "weeks": json.dumps(given),
        "students": json.dumps([(student_id, _moment(at)) for student_id, at in since.items()]),
        "newest": plan.newest.isoformat(),
    }
    transaction.execute(describing(transaction.dialect.name), values)


def _moment(value: datetime) -> str:
    """Return a moment in UTC as SQLite keeps it."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
