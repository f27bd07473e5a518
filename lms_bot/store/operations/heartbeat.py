"""The heartbeat: which process works for the store, as it notes itself every half minute."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lms_bot.core.process import Process, Working
from lms_bot.store import state
from lms_bot.store.session import Transaction

WORKER = "worker"


def note(
    transaction: Transaction,
    process: Process,
    since: datetime,
    now: datetime,
    *,
    polling_since: datetime | None = None,
    zulip_version: str | None = None,
) -> None:
    """Note which process works, since when, and whether it is in a poll."""
    value = {
        "host": process.host,
        "pid": process.pid,
        "started_at": process.started_at.isoformat(),
        "since": since.isoformat(),
        "polling_since": polling_since.isoformat() if polling_since else None,
        "zulip_version": zulip_version,
    }
    state.note(transaction, WORKER, value, now)


def last_worker(transaction: Transaction) -> Working | None:
    """Return the process that works, or worked last; None if none ever did."""
    found = state.some(transaction, [WORKER]).get(WORKER)
    if found is None:
        return None
    value, seen_at = found
    process = Process(value["host"], value["pid"], datetime.fromisoformat(value["started_at"]))
    polling = value["polling_since"]
    return Working(
        process, _moment(value["since"]), _moment(polling) if polling else None, value["zulip_version"], seen_at
    )


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)
