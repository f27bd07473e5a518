"""The counts of events and of what was told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

ACTIVE_WITHIN = timedelta(days=7)  # who did something in these is called active, where no period is asked for


@dataclass(frozen=True, slots=True)
class Statistics:
    """Five counts of events.

    `pending`: at least one notification still waits. `with_notifications`: at least one sent. `with_errors`: at least
    one unsent that has an error; what a mentor turned off is none.
    """

    total: int
    pending: int
    with_notifications: int
    with_errors: int

    @property
    def processed(self) -> int:
        """Count those of which no notification waits any more, history included."""
        return self.total - self.pending

    def named(self) -> list[tuple[str, str, int]]:
        """Return (key, name, count) in the order in which they are shown."""
        return [
            ("total_events", "Total Events", self.total),
            ("processed_events", "Processed Events", self.processed),
            ("pending_events", "Pending Events", self.pending),
            ("events_with_notifications", "Events with Notifications", self.with_notifications),
            ("events_with_errors", "Events with Errors", self.with_errors),
        ]


@dataclass(frozen=True, slots=True)
class Results:
    """What students came to: the exams that they finished, their mean percentage, and who was active.

    `tried` are all finished exams by their current outcome, with a verdict or without.
    """

    tried: int
    passed: int
    failed: int
    average: float | None
    active: int
    students: int
