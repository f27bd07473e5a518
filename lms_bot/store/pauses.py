"""Work that an admin has stopped for a while, in every process and across restarts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from lms_bot.store import Transaction, facts


class Work(StrEnum):
    """What the worker does by itself."""

    POLLING = "polling"
    DELIVERY = "delivery"


class Pause(NamedTuple):
    """A pause that an account began; it ends by itself at `until`, or is ended by hand where that is None."""

    began_at: datetime
    until: datetime | None
    zulip_user_id: int


def begin(transaction: Transaction, work: Work, until: datetime | None, zulip_user_id: int, now: datetime) -> None:
    """Stop a kind of work, instead of any pause before."""
    value = {"until": until.isoformat() if until else None, "zulip_user_id": zulip_user_id}
    facts.note(transaction, _name(work), value, now)


def end(transaction: Transaction, work: Work) -> None:
    """Let a kind of work go on."""
    facts.forget(transaction, _name(work))


def current(transaction: Transaction, now: datetime) -> dict[Work, Pause]:
    """What is paused now; one query."""
    noted = facts.some(transaction, [_name(work) for work in Work])
    pauses = {work: _pause(*noted[_name(work)]) for work in Work if _name(work) in noted}
    return {work: pause for work, pause in pauses.items() if pause.until is None or pause.until > now}


def _name(work: Work) -> str:
    return f"paused {work}"


def _pause(value: dict[str, str | int | None], noted_at: datetime) -> Pause:
    until = value["until"]
    return Pause(noted_at, datetime.fromisoformat(str(until)) if until else None, int(value["zulip_user_id"] or 0))
