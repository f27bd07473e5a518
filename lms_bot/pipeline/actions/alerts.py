"""Takes, snoozes and closes alerts; what says the same to the student's other mentors goes with them."""

from __future__ import annotations

from datetime import datetime

from lms_bot.core.alerts import Outcome, StudentAlert
from lms_bot.store.alerts import alerts
from lms_bot.store.session import Transaction


def take(transaction: Transaction, alert: StudentAlert, now: datetime) -> None:
    """Give an alert to its mentor: nobody is reminded of it any more."""
    values = {"taken_at": now, "taken_by": alert.mentor_id, "remind_at": None, "snoozed_until": None}
    alerts.update(transaction, alerts.same_for_all_mentors(transaction, alert), **values)


def snooze(transaction: Transaction, alert: StudentAlert, until: datetime, now: datetime) -> None:
    """Give an alert to its mentor, and remind them of it at `until`."""
    take(transaction, alert, now)
    alerts.update(transaction, [alert.alert_id], snoozed_until=until, remind_at=until)


def close(transaction: Transaction, alert: StudentAlert, note: str, now: datetime) -> None:
    """Close an alert, with a note of what its mentor did."""
    same = alerts.same_for_all_mentors(transaction, alert)
    take(transaction, alert, now)
    alerts.close(transaction, same, Outcome.DONE, now, note)
