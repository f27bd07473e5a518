"""Enqueues alerts about students when their time has come, and checks them again at the moment of sending."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.alerting.changes import by_seriousness, covers
from lms_bot.core.alerts import COVERS, RULE_DEFINITIONS, Reason, Reminder, StudentAlert, Untold, is_urgent
from lms_bot.core.calendar import after_working_time, local_day, start_of_day
from lms_bot.core.events import ALERT_REMINDERS, STUDENT_ALERTS, Event, EventType
from lms_bot.core.notifications import DEFAULT_PREFERENCES, Notification, Preferences
from lms_bot.core.schedule import MentorSchedule, zone_of
from lms_bot.pipeline import freshness
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.store.alerts.alerts import (
    count_sent_since,
    due_alerts,
    due_reminders,
    open_for_mentors,
    record_reminders,
    told_by,
    update,
    with_ids,
)
from lms_bot.store.events import events
from lms_bot.store.notifications import outbox, preferences, queue
from lms_bot.store.people import people
from lms_bot.store.people.people import Mentoring
from lms_bot.store.session import Store, Transaction
from lms_bot.store.state import POLLED, noted_at

REMINDED_AFTER = timedelta(hours=24)  # of working time in which nobody took it
OVER = "it was over, or taken care of, before it was told"


def enqueue_due_alerts(store: Store, settings: Settings, now: datetime) -> int:
    """Record and enqueue the alerts and reminders whose time has come; return how many. Raises StoreUnavailable.

    A surge of events does not postpone them: each alert has a message of its own, and a day has few.
    """
    with store.reading() as transaction:
        if not due_alerts(transaction, now) and not due_reminders(transaction, now):
            return 0
    with store.writing() as transaction:
        due, again = due_alerts(transaction, now), due_reminders(transaction, now)
        if not (settings.notify_mentors and settings.alerts_per_day):
            _mark_untold(transaction, due, Untold.TURNED_OFF)
            update(transaction, [alert.alert_id for alert in again], remind_at=None)
            return 0
        # What is told of absence must have been true at the last poll before it was due, or at a later one.
        known_until = freshness.absence_known_until(transaction, settings, now)
        known_until = min(now, known_until + timedelta(seconds=settings.poll_interval))
        due = [
            one
            for one in due
            if one.tell_at is None or one.tell_at <= known_until or not RULE_DEFINITIONS[one.rule].absence
        ]
        covered = _covered(transaction, due)
        _mark_untold(transaction, covered, Untold.COVERED)
        due = [alert for alert in due if alert not in covered]
        update(transaction, [alert.alert_id for alert in due], tell_at=None)
        caused = [(alert, _event(alert, None, now)) for alert in due]
        read_at = None if freshness.has_fresh_data(transaction, settings, now) else noted_at(transaction, POLLED)
        recorded = record_reminders(transaction, again, now)
        caused += [(one.alert, _event(one.alert, one, now, read_at)) for one in recorded]
        return _record(transaction, caused, Enqueuer(settings, now), now)


def take_for_message(
    transaction: Transaction, due: Sequence[Notification], asked: Preferences, settings: Settings, now: datetime
) -> list[Notification]:
    """Return what one mentor's next message tells: an alert, or all else.

    An alert has a message of its own, after all else is told, or in turn with it where it waits for its quiet minutes.
    Those that are over are finished untold; those beyond a day's number are postponed to the next morning or digest,
    and those about absence until there is fresh data.
    """
    others = [n for n in due if not n.event.event_type.is_alert]
    of_alerts = [n for n in due if n.event.event_type.is_alert]
    if not of_alerts or (others and not _is_turn_of_alerts(transaction, of_alerts)):
        return others
    true = _finish_or_postpone_untrue(transaction, of_alerts, settings, now)
    new = [n for n in true if n.event.event_type is EventType.STUDENT_ALERT]
    reminders = [n for n in true if n.event.event_type is EventType.ALERT_REMINDER]
    zone = zone_of(asked, settings.timezone)
    told = count_sent_since(transaction, due[0].mentor_id, start_of_day(local_day(now, zone), zone))
    left = max(0, settings.alerts_per_day - told)
    morning = MentorSchedule(asked, settings.delivery, zone).next_morning(EventType.STUDENT_ALERT, now)
    queue.postpone(transaction, [n.log_id for n in new[left:]], morning)
    return [*new[:left], *reminders][:1] or others


def note_told(transaction: Transaction, message_id: int, settings: Settings, now: datetime) -> None:
    """Note that an alert is told whose message Zulip has accepted; it is said again unless somebody takes it."""
    told = told_by(transaction, message_id)
    if not told:
        return
    asked = preferences.effective(transaction, [alert.mentor_id for alert in told])
    for alert in told:
        zone = zone_of(asked.get(alert.mentor_id, DEFAULT_PREFERENCES), settings.timezone)
        waits = alert.is_open and alert.taken_at is None
        remind_at = after_working_time(now, REMINDED_AFTER, zone) if waits else alert.remind_at
        update(transaction, [alert.alert_id], told_at=now, remind_at=remind_at)


def _is_turn_of_alerts(transaction: Transaction, of_alerts: Sequence[Notification]) -> bool:
    """Return whether a mentor was told something else since these alerts wait; an urgent one needs no turn."""
    mentor_id = of_alerts[0].mentor_id
    last = outbox.last_sent_at(transaction, mentor_id)
    if last is None or any(is_urgent(n.event) for n in of_alerts):
        return False
    return last >= min(n.found_at for n in of_alerts) and not count_sent_since(transaction, mentor_id, last)


def _finish_or_postpone_untrue(
    transaction: Transaction, due: Sequence[Notification], settings: Settings, now: datetime
) -> list[Notification]:
    """Finish alerts that are over, postpone those that cannot be judged now; return the rest, most serious first."""
    alerts = with_ids(transaction, {_alert_id(n) for n in due})
    is_fresh = freshness.has_fresh_data(transaction, settings, now)
    over, unknown, true = [], [], []
    said = set()
    for notification in due:
        alert = alerts.get(_alert_id(notification))
        # A person who is several mentors of a student is told it as one of them.
        what = (alert and alert.key._replace(mentor_id=0), notification.event.event_type)
        if alert is None or not alert.is_open or alert.taken_at is not None or what in said:
            over.append(notification.log_id)
        elif RULE_DEFINITIONS[alert.rule].absence and not is_fresh and not _is_wanted_again(notification.event):
            unknown.append(notification.log_id)
        else:
            true.append((alert, notification))
            said.add(what)
    queue.finish(transaction, over, OVER, now)
    queue.postpone(transaction, unknown, now + freshness.RETRY)
    true.sort(key=lambda one: by_seriousness(one[0]))
    return [notification for _, notification in true]


def _is_wanted_again(event: Event) -> bool:
    """Return whether the mentor put the alert off until now, and so hears of it however old the data is."""
    return event.metadata.get("reminded") == Reason.SNOOZED


def _alert_id(notification: Notification) -> int:
    return int(notification.event.metadata["alert_id"])


def _mark_untold(transaction: Transaction, alerts: Sequence[StudentAlert], reason: Untold) -> None:
    update(transaction, [alert.alert_id for alert in alerts], tell_at=None, untold=reason.value)


def _covered(transaction: Transaction, due: Sequence[StudentAlert]) -> list[StudentAlert]:
    """Return the alerts that a more serious open one covers, of the same student or about the same exam."""
    standing: dict[int, list[StudentAlert]] = defaultdict(list)
    for alert in open_for_mentors(transaction, {alert.mentor_id for alert in due}):
        if alert.rule in COVERS:
            standing[alert.mentor_id].append(alert)
    return [alert for alert in due if any(covers(other, alert) for other in standing[alert.mentor_id])]


def _record(
    transaction: Transaction, caused: Sequence[tuple[StudentAlert, Event]], enqueuer: Enqueuer, now: datetime
) -> int:
    """Record and enqueue what alerts caused; return how many events that are."""
    if not caused:
        return 0
    around = people.mentoring_of(transaction, {alert.student_id for alert, _ in caused})
    recorded = events.record(transaction, [event for alert, event in caused if alert.student_id], around, now)
    for alert, event in caused:
        if not alert.student_id:
            label = Mentoring(None, None, ((alert.mentor_id, _username(transaction, alert.mentor_id)),))
            recorded += events.record(transaction, [event], {0: label}, now)
    mentors = {(event.source_table, event.source_id): alert.mentor_id for alert, event in caused}
    enqueuer.enqueue_to(
        transaction, [(event_id, event, mentors[event.source_table, event.source_id]) for event_id, event in recorded]
    )
    return len(recorded)


def _username(transaction: Transaction, mentor_id: int) -> str:
    mentor = people.mentor(transaction, mentor_id)
    return mentor.username if mentor else ""


def _event(alert: StudentAlert, reminder: Reminder | None, now: datetime, read_at: datetime | None = None) -> Event:
    """Return the event that an alert, or a reminder of it, is; `read_at` is the time of the last poll if it is old."""
    metadata = {
        "alert_id": alert.alert_id,
        "name": alert.name,
        "rule": alert.rule.value,
        "level": alert.level,
        "since": alert.since.isoformat(timespec="seconds"),
        **alert.numbers,
    }
    if reminder is not None:
        metadata["reminded"] = reminder.reason.value
        if read_at is not None and RULE_DEFINITIONS[alert.rule].absence:
            metadata["read_at"] = read_at.isoformat(timespec="seconds")
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
