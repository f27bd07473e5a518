"""Judges students and exams by the rules: what the rules say opens and closes alerts to mentors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.alert_rules import FAILING_WITHIN, Facts, many_fail, next_look
from lms_bot.core.alerting.changes import (
    Change,
    Closing,
    MentorRules,
    Moment,
    Restating,
    Telling,
    Waiting,
    compared,
    judged,
    true_for,
)
from lms_bot.core.alerting.facts import on_time_until
from lms_bot.core.alerts import (
    DEFAULTS,
    Key,
    Limits,
    Opening,
    Outcome,
    Rule,
    StudentAlert,
)
from lms_bot.core.calendar import EARLIEST
from lms_bot.core.events import EventType
from lms_bot.lms import Lms
from lms_bot.pipeline import freshness
from lms_bot.store.academics import deadlines
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.alerts import facts as alerts_facts
from lms_bot.store.alerts.watchlist import RulesState
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people
from lms_bot.store.session import Store, Transaction
from lms_bot.store.state import POLLED, note, some

TOGETHER = 1_000  # students judged in a turn, so that the next poll is not late; the others come with the next turns
ENROLMENT = "enrolment"  # the fact: when it was last read since when students are enrolled
ENROLMENT_AGE = timedelta(minutes=15)


def judge_due_students(store: Store, settings: Settings, now: datetime) -> None:
    """Judge students with news, or whom time has made due, the longest due first; everybody the first time.

    Not before the first poll: what is already so would count as news after it. Raises StoreUnavailable.
    """
    with store.reading() as transaction:
        noted = some(transaction, [POLLED, watchlist.STATE])
        is_first = watchlist.STATE not in noted
        if POLLED not in noted or not (is_first or _is_something_due(transaction, now)):
            return
    with store.writing() as transaction:
        watchlist.lock_rules_state(transaction, now)
        alerts.expire(transaction, now)
    while True:
        with store.writing() as transaction:
            student_ids = watchlist.due(transaction, now, TOGETHER)
            judge_students(transaction, student_ids, settings, now)
        if not is_first or len(student_ids) < TOGETHER:
            break
    with store.writing() as transaction:
        _judge_exams(transaction, watchlist.failed_exams(transaction), now)
        watchlist.clear_failed(transaction)


def judge_students(transaction: Transaction, student_ids: Sequence[int], settings: Settings, now: datetime) -> None:
    """Bring the alerts about these students up to what the rules say of them now."""
    if not student_ids:
        return
    state = watchlist.lock_rules_state(transaction, now)
    moment = Moment(now, freshness.absence_known_until(transaction, settings, now))
    found = alerts_facts.facts_of(transaction, student_ids, settings.timezone, now)
    mentors_of = people.mentors_by_student(transaction, student_ids)
    mentors = _mentors(transaction, {one for ids in mentors_of.values() for one in ids}, state)
    kept: dict[int, list[StudentAlert]] = defaultdict(list)
    for alert in alerts.recent_about_students(transaction, student_ids, now):
        kept[alert.student_id].append(alert)
    changes: list[Change] = []
    next_looks: dict[int, datetime | None] = dict.fromkeys(student_ids)
    for one in found:
        looks = [on_time_until(one)]
        for mentor, said in judged(one, [mentors[mentor_id] for mentor_id in mentors_of.get(one.student_id, ())]):
            looks.append(next_look(said, now))
            own = [alert for alert in kept[one.student_id] if alert.mentor_id == mentor.mentor_id]
            changes += compared(true_for(said, mentor, one.student_id, now), own, mentor, moment)
        next_looks[one.student_id] = min((look for look in looks if look), default=None)
    retry_at = now + (timedelta(seconds=settings.poll_interval) if moment.has_fresh_data else freshness.RETRY)
    next_looks |= {one.student_id: retry_at for one in changes if isinstance(one, Waiting)}
    _apply(transaction, changes, now)
    watchlist.schedule(transaction, next_looks)
    watchlist.note_failed(transaction, _failed(found, mentors_of, now), now)


def read_enrolment(store: Store, lms: Lms, now: datetime) -> None:
    """Note since when students are enrolled, how long exams take, and deadlines, every 15 minutes.

    Raises LmsUnavailable.
    Before the first poll no student is known whose enrolment could be kept.
    """
    with store.reading() as transaction:
        noted = some(transaction, [POLLED, ENROLMENT])
    _, read_at = noted.get(ENROLMENT, (None, EARLIEST))
    if POLLED not in noted or timedelta() <= now - read_at < ENROLMENT_AGE:
        return
    read = lms.read_enrolment()
    with store.writing() as transaction:
        watchlist.save_enrolment(transaction, read.students, read.minutes, now)
        deadlines.save(transaction, read.deadlines, now)
        note(transaction, ENROLMENT, True, now)


def limits_of(transaction: Transaction, mentor_id: int, state: RulesState) -> Limits:
    """Return the limits that hold for a mentor; 0 where a rule is off."""
    return _mentors(transaction, [mentor_id], state)[mentor_id].limits


def _is_something_due(transaction: Transaction, now: datetime) -> bool:
    if watchlist.due(transaction, now, 1) or watchlist.failed_exams(transaction):
        return True
    return alerts.has_expiring(transaction, now)


def _mentors(transaction: Transaction, mentor_ids: Collection[int], state: RulesState) -> dict[int, MentorRules]:
    asked = preferences.effective(transaction, mentor_ids)
    found = {}
    for mentor_id in mentor_ids:
        own = asked[mentor_id].rules if mentor_id in asked else {}
        limits = {rule: own[rule][0] if rule in own else limit for rule, limit in DEFAULTS.items()}
        limits |= {Rule(rule): 0 for rule in state.off if rule in DEFAULTS}
        since = {
            rule: max(state.watching_since(rule), own[rule][1]) if rule in own else state.watching_since(rule)
            for rule in Rule
        }
        found[mentor_id] = MentorRules(mentor_id, limits, since)
    return found


def _judge_exams(transaction: Transaction, pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """Judge which of these exams many students of a mentor failed in the last day, given as (exam id, mentor id)."""
    if not pairs:
        return
    exam_ids = {exam_id for exam_id, _ in pairs}
    students = people.students_by_mentor(transaction, {mentor_id for _, mentor_id in pairs})
    mentors = _mentors(transaction, {mentor_id for _, mentor_id in pairs}, watchlist.lock_rules_state(transaction, now))
    everybody = {student_id for own in students.values() for student_id in own}
    results = alerts_facts.results(transaction, exam_ids, everybody, now - FAILING_WITHIN)
    kept, changes = alerts.recent_about_exams(transaction, exam_ids, now), list[Change]()
    for exam_id, mentor_id in sorted(pairs):
        title, of_exam = results.get(exam_id, (None, {}))
        own = [of_exam[student_id] for student_id in students.get(mentor_id, ()) if student_id in of_exam]
        limit = mentors[mentor_id].limits[Rule.MANY_FAIL]
        verdict = many_fail(exam_id, title, own, limit) if limit else None
        key = Key(mentor_id, 0, Rule.MANY_FAIL, exam_id)
        before = [one for one in kept if one.key == key and (verdict or not _is_past(one, now))]
        changes += compared({key: verdict} if verdict else {}, before, mentors[mentor_id], Moment(now, now))
    _apply(transaction, changes, now)


def _failed(found: Sequence[Facts], mentors_of: Mapping[int, Sequence[int]], now: datetime) -> set[tuple[int, int]]:
    """Return the exams that these students failed in the last day, each with their mentors."""
    return {
        (exam.exam_id, mentor_id)
        for one in found
        if one.is_active
        for exam in one.exams
        if exam.exam_id is not None and exam.outcome is EventType.EXAM_FAILED and exam.at >= now - FAILING_WITHIN
        for mentor_id in mentors_of.get(one.student_id, ())
    }


def _is_past(alert: StudentAlert, now: datetime) -> bool:
    """Return whether what an alert about an exam is based on is over a day old; it then stands until its time ends."""
    return alert.since < now - FAILING_WITHIN


def _apply(transaction: Transaction, changes: Iterable[Change], now: datetime) -> None:
    closings: dict[Outcome, list[int]] = defaultdict(list)
    openings, restated, told = [], [], []
    for change in changes:
        if isinstance(change, Closing):
            closings[change.outcome].append(change.alert_id)
        elif isinstance(change, Opening):
            openings.append(change)
        elif isinstance(change, Restating):
            restated.append((change.alert, change.verdict))
        elif isinstance(change, Telling):
            told.append(change.alert_id)
    for outcome, alert_ids in closings.items():
        alerts.close(transaction, alert_ids, outcome, now)
    alerts.open_new(transaction, openings, now)
    alerts.update_open(transaction, restated)
    alerts.update(transaction, told, tell_at=now, untold=None)
