"""Changes the preferences of mentors, and brings what waits for them in line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.notifications import Preferences
from lms_bot.pipeline.recheck import reschedule_mentor
from lms_bot.store.notifications import preferences
from lms_bot.store.session import Transaction


def change(
    transaction: Transaction,
    mentor_ids: Iterable[int],
    changed: Callable[[Preferences], Preferences],
    settings: Settings,
    now: datetime,
) -> None:
    """Save for each of these mentors what `changed` makes of their preferences."""
    for mentor_id in mentor_ids:
        preferences.save(transaction, mentor_id, changed(preferences.chosen(transaction, mentor_id)), now)
        reschedule_mentor(transaction, mentor_id, settings, now)
