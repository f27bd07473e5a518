"""Alerts about students: owed to their mentors when it is time, and looked at again at the moment of sending."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.alerts import COVERS, TERMS, Reminder, StudentAlert, Untold
from lms_bot.core.calendar import DAY, after_working_time, local_day, midnight
from lms_bot.core.events import ALERT_REMINDERS, STUDENT_ALERTS, Event, EventType
from lms_bot.core.notifications import Notification, Preferences
from lms_bot.core.schedule import zone_of
from lms_bot.pipeline import freshness
from lms_bot.pipeline.enqueue import Owing
from lms_bot.store.alerts.alerts import change, open_of, remind, to_remind, to_tell, told_since, with_ids
from lms_bot.store.events import events
from lms_bot.store.notifications import queue
from lms_bot.store.people import people
from lms_bot.store.people.people import Around
from lms_bot.store.session import Store, Transaction

REMINDED_AFTER = timedelta(hours=24)  # of working time that nobody took it
OVER = "it was over, or taken care of, before it was told"


def tell(store: Store, settings: Settings, owing: Owing, now: datetime) -> int:
    """Record and owe the alerts whose time has come, and reminders; gives how many. Raises StoreUnavailable."""
    with store.reading() as transaction:
        if not to_tell(transaction, now) and not to_remind(transaction, now):
            return 0
    with store.writing() as transaction:
        due, again = to_tell(transaction, now), to_remind(transaction, now)
        if not (settings.notify_mentors and settings.alerts_per_day):
            _leave(transaction, due, Untold.TURNED_OFF)
            change(transaction, [alert.alert_id for alert in again], remind_at=None)
            return 0
        is_blind = freshness.is_blind(transaction, settings, now)
        due = [alert for alert in due if not (is_blind and TERMS[alert.rule].absence)]
        covered = _covered(transaction, due)
        _leave(transaction, covered, Untold.COVERED)
        due = [alert for alert in due if alert not in covered]
        change(transaction, [alert.alert_id for alert in due], tell_at=None)
        reminders = remind(transaction, again, now)
        told = [(alert, _event(alert, None, now)) for alert in due]
        told += [(reminder.alert, _event(reminder.alert, reminder, now)) for reminder in reminders]
        return _owe(transaction, told, owing, now)


def all_else_or_one_alert(
    transaction: Transaction,
    due: Sequence[Notification],
    wishes: Preferences,
    settings: Settings,
    now: datetime,
) -> list[Notification]:
    """What one message tells of what is due to a mentor: an alert has one of its own, after all else is told."""
    others = [n for n in due if not n.event.event_type.is_alert]
    if others:
        return others
    alerts = _sendable(transaction, due, wishes, settings, now)[:1]
    for notification in alerts:
        _note_told(transaction, notification, wishes, settings, now)
    return alerts


def _sendable(
    transaction: Transaction,
    due: Sequence[Notification],
    wishes: Preferences,
    settings: Settings,
    now: datetime,
) -> list[Notification]:
    """Those of one mentor's alerts that are still to be said now, the most serious first.

    What is over is finished untold; what would be more than a day's number of alerts waits for the next day, and what
    is about absence for fresh data.
    """
    if not due:
        return []
    alerts = with_ids(transaction, {_alert_id(n) for n in due})
    is_blind = freshness.is_blind(transaction, settings, now)
    over, unseen, true = [], [], []
    for notification in due:
        alert = alerts.get(_alert_id(notification))
        if alert is None or not alert.is_open or alert.taken_at is not None:
            over.append(notification.log_id)
        elif is_blind and TERMS[alert.rule].absence:
            unseen.append(notification.log_id)
        else:
            true.append((alert, notification))
    queue.finish(transaction, over, OVER, now)
    queue.hold(transaction, unseen, now + freshness.LOOK_AGAIN)
    true.sort(key=lambda one: (-one[0].level, one[0].since, one[0].alert_id))
    zone = zone_of(wishes, settings.timezone)
    today = local_day(now, zone)
    left = settings.alerts_per_day
    if true:
        left -= told_since(transaction, true[0][0].mentor_id, midnight(today, zone))
    reminders = [n for _, n in true if n.event.event_type is EventType.ALERT_REMINDER]
    first = [n for _, n in true if n.event.event_type is EventType.STUDENT_ALERT]
    left = max(0, left)
    queue.hold(transaction, [n.log_id for n in first[left:]], midnight(today + DAY, zone))
    return first[:left] + reminders


def _note_told(
    transaction: Transaction, notification: Notification, wishes: Preferences, settings: Settings, now: datetime
) -> None:
    """Note that an alert is being told, and when it is said again if nobody takes it."""
    if notification.event.event_type is EventType.STUDENT_ALERT:
        zone = zone_of(wishes, settings.timezone)
        again = after_working_time(now, REMINDED_AFTER, zone)
        change(transaction, [_alert_id(notification)], told_at=now, remind_at=again)


def _alert_id(notification: Notification) -> int:
    return int(notification.event.metadata["alert_id"])


def _leave(transaction: Transaction, alerts: Sequence[StudentAlert], reason: Untold) -> None:
    ids = [alert.alert_id for alert in alerts]
    change(transaction, ids, tell_at=None, untold=reason.value)


def _covered(transaction: Transaction, due: Sequence[StudentAlert]) -> list[StudentAlert]:
    """Those of the alerts of which a more serious one stands, of the same student or about the same exam."""
    standing: dict[int, list[StudentAlert]] = defaultdict(list)
    for alert in open_of(transaction, {alert.mentor_id for alert in due}):
        if alert.rule in COVERS:
            standing[alert.mentor_id].append(alert)
    return [alert for alert in due if any(_covers(other, alert) for other in standing[alert.mentor_id])]


def _covers(other: StudentAlert, alert: StudentAlert) -> bool:
    is_of_student = other.student_id in (0, alert.student_id)
    is_of_exam = other.subject_id in (0, alert.numbers.get("exam_id", alert.subject_id))
    return alert.rule in COVERS[other.rule] and is_of_student and is_of_exam


def _owe(transaction: Transaction, told: Sequence[tuple[StudentAlert, Event]], owing: Owing, now: datetime) -> int:
    if not told:
        return 0
    around = people.around(transaction, {alert.student_id for alert, _ in told})
    recorded = events.record(transaction, [event for alert, event in told if alert.student_id], around, now)
    for alert, event in told:
        if not alert.student_id:
            label = Around(None, None, ((alert.mentor_id, _username(transaction, alert.mentor_id)),))
            recorded += events.record(transaction, [event], {0: label}, now)
    mentors = {(event.source_table, event.source_id): alert.mentor_id for alert, event in told}
    owing.owe_to(
        transaction, [(event_id, event, mentors[event.source_table, event.source_id]) for event_id, event in recorded]
    )
    return len(recorded)


def _username(transaction: Transaction, mentor_id: int) -> str:
    mentor = people.mentor(transaction, mentor_id)
    return mentor.username if mentor else ""


def _event(alert: StudentAlert, reminder: Reminder | None, now: datetime) -> Event:
    """An alert, or that it is said again, as what the clock caused."""
    metadata = {
        "alert_id": alert.alert_id,
        "number": alert.number,
        "rule": alert.rule.value,
        "level": alert.level,
        "since": alert.since.isoformat(timespec="seconds"),
        **alert.numbers,
    }
    if reminder is not None:
        metadata["reminded"] = reminder.reason.value
    return Event(
        event_type=EventType.STUDENT_ALERT if reminder is None else EventType.ALERT_REMINDER,
        source_table=STUDENT_ALERTS if reminder is None else ALERT_REMINDERS,
        source_id=alert.alert_id if reminder is None else reminder.reminder_id,
        student_id=alert.student_id or None,
        student_username=None,
        activity_id=alert.subject_id or None,
        activity_title=alert.title,
        metadata=metadata,
        timestamp=now,
        is_history=False,
        fingerprint=0,
        mirrors=None,
    )
