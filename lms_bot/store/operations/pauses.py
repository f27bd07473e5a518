"""Work that an admin has stopped for a while, in every process and across restarts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from lms_bot.core.process import Work
from lms_bot.store import state
from lms_bot.store.session import Transaction


class Pause(NamedTuple):
    """A pause that an account began; it ends by itself at `until`, or is ended by hand where that is None."""

    began_at: datetime
    until: datetime | None
    zulip_user_id: int


def begin(transaction: Transaction, work: Work, until: datetime | None, zulip_user_id: int, now: datetime) -> None:
    """Pause a kind of work, instead of any pause before."""
    value = {"until": until.isoformat() if until else None, "zulip_user_id": zulip_user_id}
    state.note(transaction, fact_of(work), value, now)


def end(transaction: Transaction, work: Work) -> None:
    """End the pause of a kind of work."""
    state.forget(transaction, fact_of(work))


def current(transaction: Transaction, now: datetime) -> dict[Work, Pause]:
    """Return what is paused now, in one query."""
    noted = state.some(transaction, [fact_of(work) for work in Work])
    pauses = {work: _pause(*noted[fact_of(work)]) for work in Work if fact_of(work) in noted}
    return {work: pause for work, pause in pauses.items() if pause.until is None or pause.until > now}


def fact_of(work: Work) -> str:
    """Return the name of the fact that this work is paused."""
    return f"paused {work}"


def until_of(value: dict[str, str | int | None]) -> datetime | None:
    """Return when a pause ends by itself, by the value of its fact."""
    until = value["until"]
    return datetime.fromisoformat(str(until)) if until else None


def _pause(value: dict[str, str | int | None], noted_at: datetime) -> Pause:
    return Pause(noted_at, until_of(value), int(value["zulip_user_id"] or 0))
