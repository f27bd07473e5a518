"""How far the store was from the LMS when both were compared last, and how far the comparison under way has come."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from lms_bot.core.calendar import DAY
from lms_bot.core.sync import Drift
from lms_bot.store import state
from lms_bot.store.session import Transaction

DRIFT = "drift"  # the fact, noted when a comparison is done: how far apart both were, by kind
WALK = "drift_walk"  # the fact: how far the comparison of a day has come


@dataclass(slots=True)
class Walk:
    """A comparison under way.

    `done` are the kinds that are compared; `positions` say by detail up to which row it was compared, in this night or
    an earlier one; `pages` how many pages in this night; `found` is what was found in it.
    """

    day: date
    is_over: bool = False
    done: list[str] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    found: dict[str, Drift] = field(default_factory=dict)

    def begin(self, day: date) -> Walk:
        """Return the walk of another day, which goes on with details where this one has ended."""
        return Walk(day, positions=dict(self.positions))

    def add(self, kind: str, found: Drift) -> None:
        """Count what was found of a kind."""
        self.found[kind] = self.found.get(kind, Drift()) + found


def load(transaction: Transaction) -> Walk | None:
    """Return the last comparison, over or under way; None if there never was one."""
    noted: dict[str, Any] | None = state.value(transaction, WALK)
    if noted is None:
        return None
    found = {kind: Drift(**drift) for kind, drift in noted["found"].items()}
    return Walk(**{**noted, "day": date.fromisoformat(noted["day"]), "found": found})


def save(transaction: Transaction, walk: Walk, now: datetime) -> None:
    """Note how far a comparison has come; at its end, what it found is what is shown."""
    state.note(transaction, WALK, {**asdict(walk), "day": walk.day.isoformat()}, now)
    if walk.is_over and walk.found:
        state.note(transaction, DRIFT, {kind: asdict(found) for kind, found in walk.found.items()}, now)


def make_due(transaction: Transaction, now: datetime) -> None:
    """Have the next comparison begin at once, unless one is under way, or none is known of."""
    walk = load(transaction)
    if walk is not None and walk.is_over:
        state.note(transaction, WALK, {**asdict(walk), "day": (walk.day - DAY).isoformat()}, now)


def last(transaction: Transaction) -> tuple[dict[str, Drift], datetime] | None:
    """Return how far apart both were by kind, and when that was found; None before the first comparison."""
    noted = state.some(transaction, [DRIFT])
    if DRIFT not in noted:
        return None
    value, at = noted[DRIFT]
    return {kind: Drift(**found) for kind, found in value.items()}, at
