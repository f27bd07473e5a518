"""Alerts about students, from when they are opened until they are closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.core.alerts import COVERS, Opening, Outcome, Reason, Reminder, Rule, StudentAlert, Untold, Verdict
from lms_bot.core.events import OPENING, EventType
from lms_bot.db.lists import in_list
from lms_bot.store.alerts.names import names_for
from lms_bot.store.bulk import insert_into
from lms_bot.store.people.people import same_person
from lms_bot.store.session import Transaction
from lms_bot.store.tables import alert_reminders, events, logs, mentor_students, mentors, student_alerts

RECENT = timedelta(days=14)  # so long ago closed alerts are looked at for what opens again
BATCH = 500
_OF_ROWS = (Rule.ABANDONED, Rule.STUCK, Rule.FAILED_TWICE, Rule.SCORE_DROP)  # rules that go by single rows of the LMS
_c = student_alerts.c


def recent_about_students(transaction: Transaction, student_ids: Collection[int], now: datetime) -> list[StudentAlert]:
    """Return the alerts about these students that are open, or were closed lately, oldest first."""
    of_students = in_list(_c.student_id, student_ids, transaction.dialect.name)
    recent = _c.closed_at.is_(None) | (_c.closed_at >= now - RECENT)
    return _read(transaction, sa.select(student_alerts).where(of_students, recent))


def recent_about_exams(transaction: Transaction, exam_ids: Collection[int], now: datetime) -> list[StudentAlert]:
    """Return the alerts about these exams that are open, or were closed lately, oldest first."""
    within = in_list(_c.subject_id, exam_ids, transaction.dialect.name)
    recent = _c.closed_at.is_(None) | (_c.closed_at >= now - RECENT)
    return _read(transaction, sa.select(student_alerts).where(_c.student_id == 0, within, recent))


def open_new(transaction: Transaction, found: Sequence[Opening], now: datetime) -> None:
    """Open alerts, or open closed ones again; leave as it is what another process has opened meanwhile."""
    _open_again(transaction, [one for one in found if one.again is not None], now)
    if new := [one for one in found if one.again is None]:
        around = recent_about_students(transaction, {one.key.student_id for one in new} - {0}, now)
        named = zip(new, names_for(transaction, new, around), strict=True)
        rows = [{**_row(one, now), "name": name} for one, name in named]
        transaction.execute(insert_into(transaction, student_alerts).on_conflict_do_nothing(), rows)


def _open_again(transaction: Transaction, found: Sequence[Opening], now: datetime) -> None:
    """Open closed alerts again, with their names and whoever took them; what was put off stays so."""
    if found:
        names = ("title", "numbers", "until", "tell_at", "untold")
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=_c[name].type) for name in names}
        values |= {"closed_at": sa.null(), "outcome": sa.null(), "note": sa.null(), "remind_at": _c.snoozed_until}
        statement = sa.update(student_alerts).where(_c.alert_id == sa.bindparam("of_id")).values(values)
        rows = [(one.again, _row(one, now)) for one in found]
        transaction.execute(
            statement, [{"of_id": alert_id, **{f"new_{name}": row[name] for name in names}} for alert_id, row in rows]
        )


def update_open(transaction: Transaction, stated: Iterable[tuple[StudentAlert, Verdict]]) -> None:
    """Update what open alerts are based on to what the rules say now."""
    values = [
        {
            "of_id": alert.alert_id,
            "new_numbers": dict(verdict.numbers),
            "new_until": verdict.until,
            "new_title": verdict.title,
        }
        for alert, verdict in stated
        if (verdict.numbers, verdict.until, verdict.title) != (alert.numbers, alert.until, alert.title)
    ]
    if values:
        changed = {
            "numbers": sa.bindparam("new_numbers", type_=sa.JSON),
            "until": sa.bindparam("new_until", type_=_c.until.type),
            "title": sa.bindparam("new_title", type_=sa.Text),
        }
        transaction.execute(
            sa.update(student_alerts).where(_c.alert_id == sa.bindparam("of_id")).values(**changed), values
        )


def close(
    transaction: Transaction, alert_ids: Collection[int], outcome: Outcome, now: datetime, note: str | None = None
) -> None:
    """Close these alerts, and make due what they covered."""
    if alert_ids:
        _close(transaction, in_list(_c.alert_id, alert_ids, transaction.dialect.name), outcome, now, note)


def close_rule(transaction: Transaction, rule: Rule, now: datetime, mentor_ids: Collection[int] | None = None) -> None:
    """Close all open alerts of a rule that is turned off, or those to these mentors."""
    of_mentors = sa.true() if mentor_ids is None else _c.mentor_id.in_(mentor_ids)
    _close(transaction, (_c.rule == rule) & _c.closed_at.is_(None) & of_mentors, Outcome.OFF, now, None)


def has_expiring(transaction: Transaction, now: datetime) -> bool:
    """Return whether an open alert has reached its `until`."""
    query = sa.select(_c.alert_id).where(_c.closed_at.is_(None), _c.until <= now).limit(1)
    return transaction.scalar(query) is not None


def expire(transaction: Transaction, now: datetime) -> None:
    """Close the alerts that have reached their `until`."""
    _close(transaction, _c.closed_at.is_(None) & (_c.until <= now), Outcome.OVER, now, None)


def close_of_former_mentors(transaction: Transaction, now: datetime) -> None:
    """Close alerts to mentors of students who have others now, and what the same person is told as another mentor.

    Those about students without any mentor stay open, and are shown to nobody: the link may come back.
    """
    link = mentor_students.c
    is_others = sa.exists().where(link.student_id == _c.student_id, mentors.c.mentor_id == link.mentor_id)
    is_theirs = sa.exists().where(link.mentor_id == _c.mentor_id, link.student_id == _c.student_id)
    own, other = mentors.alias("own"), mentors.alias("other")
    is_double = sa.exists().where(
        own.c.mentor_id == _c.mentor_id,
        other.c.zulip_user_id == own.c.zulip_user_id,
        other.c.mentor_id < own.c.mentor_id,
        link.mentor_id == other.c.mentor_id,
        link.student_id == _c.student_id,
    )
    is_strange = _c.closed_at.is_(None) & ((is_others & ~is_theirs) | is_double)
    _close(transaction, is_strange, Outcome.OFF, now, None)


def _close(
    transaction: Transaction, are_these: sa.ColumnElement[bool], outcome: Outcome, now: datetime, note: str | None
) -> None:
    values = {"closed_at": now, "outcome": outcome, "note": note, "tell_at": None, "remind_at": None}
    closed = sa.update(student_alerts).where(are_these, _c.closed_at.is_(None)).values(values)
    gone = transaction.execute(closed.returning(_c.student_id, _c.rule)).all()
    for rule, covered in COVERS.items():
        student_ids = {student_id for student_id, of_rule in gone if of_rule == rule}
        if student_ids:
            about = sa.true() if 0 in student_ids else in_list(_c.student_id, student_ids, transaction.dialect.name)
            waits = (_c.untold == Untold.COVERED) & _c.rule.in_(covered) & _c.closed_at.is_(None)
            transaction.execute(sa.update(student_alerts).where(about, waits).values(tell_at=now, untold=None))


def due_alerts(transaction: Transaction, now: datetime) -> list[StudentAlert]:
    """Return the alerts to be sent by now, the most serious first."""
    query = sa.select(student_alerts).where(_c.tell_at <= now)
    return _read(transaction, query, _c.level.desc(), _c.since, most=BATCH)


def due_reminders(transaction: Transaction, now: datetime) -> list[StudentAlert]:
    """Return the alerts to be sent again by now."""
    return _read(transaction, sa.select(student_alerts).where(_c.remind_at <= now), most=BATCH)


def record_reminders(transaction: Transaction, again: Sequence[StudentAlert], now: datetime) -> list[Reminder]:
    """Record that these are sent again, each once; one that was snoozed waits to be taken again."""
    waits = in_list(_c.alert_id, [alert.alert_id for alert in again], transaction.dialect.name) & (_c.remind_at <= now)
    values = {"remind_at": None, "snoozed_until": None, "taken_at": None, "taken_by": None}
    ours = set(transaction.scalars(sa.update(student_alerts).where(waits).values(values).returning(_c.alert_id)))
    found = []
    for alert in again:
        if alert.alert_id not in ours:
            continue  # another process was quicker
        reason = Reason.SNOOZED if alert.snoozed_until is not None else Reason.UNTAKEN
        insert = sa.insert(alert_reminders).values(alert_id=alert.alert_id, reason=reason.value, at=now)
        (reminder_id,) = transaction.execute(insert).inserted_primary_key or (0,)
        found.append(Reminder(reminder_id, alert, reason))
    return found


def open_for_mentors(transaction: Transaction, mentor_ids: Collection[int]) -> list[StudentAlert]:
    """Return the open alerts of these mentors, the most serious and then the longest true first."""
    query = sa.select(student_alerts).where(_c.mentor_id.in_(mentor_ids), _c.closed_at.is_(None))
    return _read(transaction, query, _c.level.desc(), _c.since)


def with_ids(transaction: Transaction, alert_ids: Collection[int]) -> dict[int, StudentAlert]:
    """Return these alerts, by id."""
    query = sa.select(student_alerts).where(in_list(_c.alert_id, alert_ids, transaction.dialect.name))
    return {alert.alert_id: alert for alert in _read(transaction, query)}


_OPEN_OF_ROWS = (  # made once: each poll asks
    sa.select(_c.alert_id)
    .where(_c.closed_at.is_(None), _c.rule.in_(_OF_ROWS), _c.alert_id > sa.bindparam("after"))
    .order_by(_c.alert_id)
    .limit(sa.bindparam("most"))
)


def rows_behind_open(transaction: Transaction, after: int, most: int) -> tuple[dict[str, list[int]], int]:
    """Return rows of the LMS whose end or disappearance would close an open alert, by source, and where to go on.

    Those of the next `most` alerts with ids above `after`; 0 is where a new round begins.
    """
    alert_ids = transaction.scalars(_OPEN_OF_ROWS, {"after": after, "most": most}).all()
    if not alert_ids:
        return {}, 0
    e, exam_ends = events.c, [kind for kind in EventType if kind.is_exam_end]
    of_subject = e.activity_id == _c.subject_id
    is_cause = (
        (of_subject & (_c.rule == Rule.ABANDONED) & (e.event_type == EventType.EXAM_STARTED))
        | (of_subject & (_c.rule == Rule.STUCK) & e.event_type.in_(OPENING))
        | (of_subject & (_c.rule == Rule.FAILED_TWICE) & (e.event_type == EventType.EXAM_FAILED))
        | ((_c.rule == Rule.SCORE_DROP) & e.event_type.in_(exam_ends) & (e.timestamp == _c.since))
    )
    behind = (
        sa.select(e.source_table, e.source_id)
        .join(student_alerts, (e.student_id == _c.student_id) & e.is_current & is_cause)
        .where(in_list(_c.alert_id, alert_ids, transaction.dialect.name))
    )
    source_ids: dict[str, list[int]] = defaultdict(list)
    for source_table, source_id in transaction.execute(behind):
        source_ids[source_table].append(source_id)
    return source_ids, alert_ids[-1] if len(alert_ids) == most else 0


_TOLD = (
    sa.select(events.c.source_id)
    .join(logs, logs.c.event_id == events.c.event_id)
    .where(logs.c.message_id == sa.bindparam("told_by"), events.c.event_type == EventType.STUDENT_ALERT)
)
_TOLD_BY = sa.select(student_alerts).where(_c.alert_id.in_(_TOLD)).order_by(_c.alert_id)  # made once, for each message


def told_by(transaction: Transaction, message_id: int) -> list[StudentAlert]:
    """Return the alerts that a message tells for the first time."""
    return [_alert(row._mapping) for row in transaction.execute(_TOLD_BY, {"told_by": message_id})]


# Of an exam, or of a student who is the mentor's now: what is left of former ones is nobody's to see.
_IS_THEIRS = (_c.student_id == 0) | sa.exists().where(
    mentor_students.c.mentor_id == _c.mentor_id, mentor_students.c.student_id == _c.student_id
)


def find_by_name(transaction: Transaction, name: str, mentor_ids: Collection[int]) -> StudentAlert | None:
    """Return the alert that one of these mentors knows by a name: the open one, or else the last."""
    has_name = (_c.name == name) | (_c.former_name == name)
    query = sa.select(student_alerts).where(_c.mentor_id.in_(mentor_ids), has_name, _IS_THEIRS)
    found = _read(transaction, query, _c.closed_at.is_not(None), _c.alert_id.desc(), most=1)
    return found[0] if found else None


def same_for_all_mentors(transaction: Transaction, alert: StudentAlert) -> list[int]:
    """Return the ids of the alert and of the same alerts to the student's other mentors."""
    if alert.student_id == 0:
        return [alert.alert_id]
    same = (_c.student_id == alert.student_id) & (_c.rule == alert.rule) & (_c.subject_id == alert.subject_id)
    return list(transaction.scalars(sa.select(_c.alert_id).where(same, _c.closed_at.is_(None))))


def count_sent_since(transaction: Transaction, mentor_id: int, since: datetime) -> int:
    """Return how many alerts a mentor was sent since a moment."""
    query = sa.select(sa.func.count()).select_from(student_alerts)
    is_theirs = _c.mentor_id.in_(same_person(transaction, mentor_id))
    return transaction.scalar(query.where(is_theirs, _c.told_at >= since)) or 0


def update(transaction: Transaction, alert_ids: Collection[int], **values: Any) -> None:
    """Set columns of alerts."""
    if alert_ids:
        within = in_list(_c.alert_id, alert_ids, transaction.dialect.name)
        transaction.execute(sa.update(student_alerts).where(within).values(**values))


def _read(
    transaction: Transaction, query: sa.Select[Any], *first: sa.ColumnElement[Any], most: int | None = None
) -> list[StudentAlert]:
    rows = transaction.execute(query.order_by(*first, _c.alert_id).limit(most))
    return [_alert(row._mapping) for row in rows]


def _alert(row: Mapping[Any, Any]) -> StudentAlert:
    values = dict(row)
    values["rule"] = Rule(values["rule"])
    values["untold"] = Untold(values["untold"]) if values["untold"] else None
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return StudentAlert(**values)


def _row(one: Opening, now: datetime) -> dict[str, Any]:
    verdict = one.verdict
    return {
        **one.key._asdict(),
        "rule": one.key.rule.value,
        "title": verdict.title,
        "level": verdict.level,
        "numbers": dict(verdict.numbers),
        "since": verdict.at,
        "until": verdict.until,
        "opened_at": now,
        "tell_at": one.tell_at,
        "untold": one.untold.value if one.untold else None,
    }
