"""Describes once a week how each student stands, and the weeks of the past from history."""

from __future__ import annotations

import time
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.academics.snapshots import Plan, monday_of, planned
from lms_bot.core.calendar import local_day
from lms_bot.core.streaks import SETTLED_AFTER
from lms_bot.store import state
from lms_bot.store.academics import outdated, snapshots
from lms_bot.store.session import Store, Transaction
from lms_bot.store.streaks import days

TURN = 0.5  # seconds after which no further transaction begins


def make_snapshots(store: Store, settings: Settings, now: datetime, seconds: float = TURN) -> bool:
    """Describe some students in the weeks that are still to be described; return whether there is more to do.

    A week is described an hour after it began, once the LMS was read since then. Each transaction moves the plan on,
    so this may be killed at any moment. Raises StoreUnavailable.
    """
    end = time.monotonic() + seconds
    with store.reading() as transaction:
        plan = _plan(transaction, settings, now)
        if plan is None or not (plan.sweeps or outdated.are_there(transaction)):
            return False
    while _describe_some(store, settings, now):
        if time.monotonic() >= end:
            return True
    return False


def _plan(transaction: Transaction, settings: Settings, now: datetime) -> Plan | None:
    """Return what is to be done now; None before the baseline is recorded and days are counted."""
    read_at = state.noted_at(transaction, state.POLLED)
    if read_at is None or days.counting_zone(transaction) != settings.timezone.key:
        return None
    today = local_day(min(now, read_at) - SETTLED_AFTER, settings.timezone)
    return planned(snapshots.load_plan(transaction), settings.timezone.key, monday_of(today))


def _describe_some(store: Store, settings: Settings, now: datetime) -> bool:
    """Take one step of the plan; return whether there was one."""
    with store.writing(durable=False) as transaction:
        days.lock(transaction)  # a poll that records events of the past now is waited for
        plan = _plan(transaction, settings, now)
        if plan is None:
            return False
        if plan.sweeps:
            snapshots.save_plan(transaction, snapshots.go_on_with_sweep(transaction, plan), now)
            return True
        snapshots.save_plan(transaction, plan, now)
        return snapshots.describe_outdated(transaction, plan)
