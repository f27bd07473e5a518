"""Watches over students: what the rules say becomes alerts to mentors, which are told once and closed by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.config.settings import Settings
from lms_bot.core.alert_rules import FAILING_WITHIN, RULES, Facts, holding, many_fail, next_look, verdicts
from lms_bot.core.alerts import DEFAULTS, TERMS, Key, Limits, Opening, Outcome, Rule, StudentAlert, Untold, Verdict
from lms_bot.core.events import EventType
from lms_bot.lms import Lms
from lms_bot.pipeline import freshness
from lms_bot.store.alerts import alerts, watchlist
from lms_bot.store.alerts import facts as alerts_facts
from lms_bot.store.alerts.watchlist import State
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people
from lms_bot.store.session import Store, Transaction
from lms_bot.store.state import note, noted_at

TOGETHER = 1_000  # students looked at in a poll, so that the next one is not late; the others come with the next polls
ENROLMENT = "enrolment"  # the fact: when it was last read since when students are enrolled
ENROLMENT_AGE = timedelta(minutes=15)


@dataclass(slots=True)
class _Changes:
    """What is to be done with the alerts of some students."""

    open: list[Opening] = field(default_factory=list)
    over: list[int] = field(default_factory=list)
    grown: list[int] = field(default_factory=list)
    restated: list[tuple[StudentAlert, Verdict]] = field(default_factory=list)
    unseen: set[int] = field(default_factory=set)  # students of whom something cannot be said while we are blind


class _Mentor(NamedTuple):
    """What one mentor's alerts go by: limits, and since when each rule is looked at for them."""

    limits: Limits
    since: Mapping[Rule, datetime]


def look(store: Store, settings: Settings, now: datetime) -> None:
    """Look at students of whom something is new, or time says something new, longest due first; at all the first time.

    Raises StoreUnavailable.
    """
    with store.reading() as transaction:
        is_first = watchlist.state(transaction) is None
        if not (is_first or _is_something_due(transaction, now)):
            return
    with store.writing() as transaction:
        watchlist.hold(transaction, now)
        alerts.expire(transaction, now)
    while True:
        with store.writing() as transaction:
            student_ids = watchlist.due(transaction, now, TOGETHER)
            look_at(transaction, student_ids, settings, now)
        if not is_first or len(student_ids) < TOGETHER:
            break
    with store.writing() as transaction:
        _judge_exams(transaction, watchlist.failed(transaction), now)
        watchlist.forget_failed(transaction)


def look_at(transaction: Transaction, student_ids: Sequence[int], settings: Settings, now: datetime) -> None:
    """Bring the alerts about these students up to what the rules say of them now."""
    if not student_ids:
        return
    state, is_blind = watchlist.hold(transaction, now), freshness.is_blind(transaction, settings, now)
    found = alerts_facts.facts_of(transaction, student_ids, settings.timezone, now)
    mentors_of = people.mentors_by_student(transaction, student_ids)
    mentors = _mentors(transaction, {one for ids in mentors_of.values() for one in ids}, state)
    kept: dict[int, list[StudentAlert]] = defaultdict(list)
    for alert in alerts.around(transaction, student_ids, now):
        kept[alert.student_id].append(alert)
    changes = _Changes()
    moments: dict[int, datetime | None] = dict.fromkeys(student_ids)
    for one in found:
        moments[one.student_id] = _judge(one, mentors_of, mentors, kept[one.student_id], changes, is_blind, now)
    moments |= dict.fromkeys(changes.unseen, now + freshness.LOOK_AGAIN)
    _apply(transaction, changes, now)
    watchlist.look_again(transaction, moments)
    watchlist.note_failed(transaction, _failed(found, mentors_of, now), now)


def _is_something_due(transaction: Transaction, now: datetime) -> bool:
    if watchlist.due(transaction, now, 1) or watchlist.failed(transaction):
        return True
    return alerts.is_expiring(transaction, now)


def note_people(transaction: Transaction, now: datetime) -> None:
    """Who is a student, and whose, was read anew: watch those who are, and close what is said to a former mentor."""
    watchlist.add_new(transaction, now)
    alerts.close_strangers(transaction, now)


def read_enrolment(store: Store, lms: Lms, now: datetime) -> None:
    """Note since when students are enrolled and how long exams take, every 15 minutes. Raises LmsUnavailable."""
    with store.reading() as transaction:
        read_at = noted_at(transaction, ENROLMENT)
    if read_at is not None and timedelta() <= now - read_at < ENROLMENT_AGE:
        return
    read = lms.read_enrolment()
    with store.writing() as transaction:
        watchlist.keep_terms(transaction, read.students, read.minutes, now)
        note(transaction, ENROLMENT, True, now)


def limits_of(transaction: Transaction, mentor_id: int, state: State) -> Limits:
    """The limits that hold for a mentor; 0 where a rule is off."""
    return _mentors(transaction, [mentor_id], state)[mentor_id].limits


def _mentors(transaction: Transaction, mentor_ids: Collection[int], state: State) -> dict[int, _Mentor]:
    wishes = preferences.of(transaction, mentor_ids)
    found = {}
    for mentor_id in mentor_ids:
        asked = wishes[mentor_id].rules if mentor_id in wishes else {}
        limits = {rule: asked[rule][0] if rule in asked else limit for rule, limit in DEFAULTS.items()}
        limits |= {Rule(rule): 0 for rule in state.off if rule in DEFAULTS}
        since = {
            rule: max(state.watching_since(rule), asked[rule][1]) if rule in asked else state.watching_since(rule)
            for rule in Rule
        }
        found[mentor_id] = _Mentor(limits, since)
    return found


def _judge(
    one: Facts,
    mentors_of: Mapping[int, Sequence[int]],
    mentors: Mapping[int, _Mentor],
    kept: Sequence[StudentAlert],
    changes: _Changes,
    is_blind: bool,
    now: datetime,
) -> datetime | None:
    """Compare what the rules say of a student to each mentor with the alerts there are; gives when to look again."""
    looks = []
    judged: dict[tuple[float, ...], list[Verdict]] = {}
    for mentor_id in mentors_of.get(one.student_id, ()):
        mentor = mentors[mentor_id]
        limits = tuple(mentor.limits[rule] for rule in RULES)
        if limits not in judged:
            judged[limits] = verdicts(one, mentor.limits)
        looks.append(next_look(judged[limits], now))
        true = {
            Key(mentor_id, one.student_id, rule, subject): verdict
            for (rule, subject), verdict in holding(judged[limits], now).items()
        }
        own = [alert for alert in kept if alert.mentor_id == mentor_id]
        _compare(true, own, mentor, changes, is_blind, now)
    return min((moment for moment in looks if moment), default=None)


def _compare(
    true: Mapping[Key, Verdict],
    kept: Sequence[StudentAlert],
    mentor: _Mentor,
    changes: _Changes,
    is_blind: bool,
    now: datetime,
) -> None:
    standing = {alert.key: alert for alert in kept if alert.is_open}
    changes.over += [alert.alert_id for key, alert in standing.items() if key not in true]
    for key, verdict in true.items():
        alert = standing.get(key)
        if alert is not None and alert.level >= verdict.level:
            changes.restated.append((alert, verdict))
        elif is_blind and TERMS[key.rule].absence:
            changes.unseen.add(key.student_id)
        else:
            before = [one for one in kept if one.key == key and not one.is_open]
            opening = _opening(key, verdict, alert, before, mentor.since[key.rule], now)
            if opening is not None:
                changes.open.append(opening)
                changes.grown += [alert.alert_id] if alert else []


def _opening(
    key: Key,
    verdict: Verdict,
    weaker: StudentAlert | None,
    before: Iterable[StudentAlert],
    since: datetime,
    now: datetime,
) -> Opening | None:
    """The alert that says this now, `weaker` being the one that said less of it; None where it was dealt with."""
    assert verdict.at is not None
    terms, earlier = TERMS[key.rule], list(before)
    for one in earlier:
        if one.outcome is Outcome.DONE and verdict.at <= (one.closed_at or now) and verdict.level <= one.level:
            return None
    if terms.told_otherwise:
        return Opening(key, verdict, None, Untold.OTHERWISE)
    if verdict.at <= since:
        return Opening(key, verdict, None, Untold.BASELINE)
    told = [one.told_at + terms.cooldown for one in earlier if one.told_at and one.level >= verdict.level]
    return Opening(key, verdict, max([now + (timedelta() if weaker else terms.settle), *told]))


def _judge_exams(transaction: Transaction, pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """See which of these exams many of these mentors' students failed in the last day, as (exam id, mentor id)."""
    if not pairs:
        return
    exam_ids = {exam_id for exam_id, _ in pairs}
    students = people.students_by_mentor(transaction, {mentor_id for _, mentor_id in pairs})
    mentors = _mentors(transaction, {mentor_id for _, mentor_id in pairs}, watchlist.hold(transaction, now))
    everybody = {student_id for own in students.values() for student_id in own}
    results = alerts_facts.results(transaction, exam_ids, everybody, now - FAILING_WITHIN)
    kept, changes = alerts.about_exams(transaction, exam_ids, now), _Changes()
    for exam_id, mentor_id in sorted(pairs):
        title, of_exam = results.get(exam_id, (None, {}))
        own = [of_exam[student_id] for student_id in students.get(mentor_id, ()) if student_id in of_exam]
        limit = mentors[mentor_id].limits[Rule.MANY_FAIL]
        verdict = many_fail(exam_id, title, own, limit) if limit else None
        key = Key(mentor_id, 0, Rule.MANY_FAIL, exam_id)
        before = [one for one in kept if one.key == key and (verdict or not _is_past(one, now))]
        _compare({key: verdict} if verdict else {}, before, mentors[mentor_id], changes, False, now)
    _apply(transaction, changes, now)


def _failed(found: Sequence[Facts], mentors_of: Mapping[int, Sequence[int]], now: datetime) -> set[tuple[int, int]]:
    """The exams that these students failed in the last day, with their mentors."""
    return {
        (exam.exam_id, mentor_id)
        for one in found
        if one.is_active
        for exam in one.exams
        if exam.exam_id is not None and exam.outcome is EventType.EXAM_FAILED and exam.at >= now - FAILING_WITHIN
        for mentor_id in mentors_of.get(one.student_id, ())
    }


def _is_past(alert: StudentAlert, now: datetime) -> bool:
    """What an alert about an exam goes by has left the last day: it stands for its time."""
    return alert.since < now - FAILING_WITHIN


def _apply(transaction: Transaction, changes: _Changes, now: datetime) -> None:
    alerts.close(transaction, changes.over, Outcome.OVER, now)
    alerts.close(transaction, changes.grown, Outcome.GREW, now)
    alerts.open_new(transaction, changes.open, now)
    alerts.restate(transaction, changes.restated)
