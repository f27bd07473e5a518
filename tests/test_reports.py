"""Every report, asked by everybody: a mentor sees own students and nothing else, an admin what admins see."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot import reports
from lms_bot.config.settings import load
from lms_bot.core.alerts import Key, Opening, Rule, Verdict
from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.core.web.positions import Position
from lms_bot.errors import NotFound
from lms_bot.reports import (
    access,
    accounts,
    alerts,
    attention,
    export,
    feed,
    freshness,
    notifications,
    overview,
    patterns,
    preferences,
    statistics,
    streaks,
    student,
)
from lms_bot.reports.academics import performances, profiles
from lms_bot.reports.backtest import replays
from lms_bot.reports.backtest.replays import Period, Plan
from lms_bot.reports.web import activity, mentors, school, students, tokens
from lms_bot.store.alerts import alerts as stored_alerts
from lms_bot.store.alerts import watchlist
from lms_bot.store.notifications import preferences as stored_preferences
from lms_bot.store.questions import audit
from lms_bot.store.session import Transaction, open_store
from lms_bot.store.tables import student_alerts
from tests import NOW
from tests.databases import make_store, on_server, store_in_file
from tests.lms_rows import ATTEMPTS
from tests.questions import ADA, GULNORA, JANE, MENTORS, School
from tests.questions import MARY as MARYS_ACCOUNT

SETTINGS = load(None, {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db"})
ZONE = SETTINGS.timezone
PAGE = Page(100)
JANES_ROW, GULNORAS_ROW = 9001, 9002  # ids of attempts
EVERYBODY = frozenset(Role)
MENTOR, ADMIN = frozenset({Role.MENTOR}), frozenset({Role.ADMIN})

MARY = Principal.of([MENTORS[0]], [])
OMAR = Principal.of([MENTORS[1]], [])
ADMIN_ADA = Principal.of([], [], is_admin=True)
STUDENT_JANE = Principal.of([], [JANE])
SERVICE = Principal.service()
MARYS_SERVICE = Principal.service(MENTORS[0])
EVE = Principal()
WHO = {Role.MENTOR: MARY, Role.ADMIN: ADMIN_ADA, Role.STUDENT: STUDENT_JANE, Role.SERVICE: SERVICE}

Ask = Callable[[Transaction, Principal, Any], object]


@dataclass(frozen=True)
class Case:
    """How a report is asked, and by whom.

    `own` is what Mary (and Jane, where students may ask) may ask about, `foreign` what belongs to Omar. A report
    without them is asked about everything that the principal may see. `names`: there are people in what it gives.
    """

    ask: Ask
    roles: frozenset[Role] = EVERYBODY
    own: Any = None
    foreign: Any = None
    names: bool = True


def of_student(ask: Ask, roles: frozenset[Role] = EVERYBODY, *, names: bool = True) -> Case:
    return Case(ask, roles, JANE.student_id, GULNORA.student_id, names)


def of_mentor(ask: Ask) -> Case:
    return Case(ask, MENTOR | ADMIN, 1, 2, names=False)


def for_admins(ask: Ask, *, names: bool = False) -> Case:
    return Case(ask, ADMIN, names=names)


YESTERDAY = Period.between(NOW - timedelta(days=1), 1)
BOTH = [JANE.student_id, GULNORA.student_id]
CASES: dict[str, Case] = {
    "backtest.replays.first_known": for_admins(lambda t, p, _: replays.first_known(t, p)),
    "backtest.replays.replay": for_admins(lambda t, p, _: replays.replay(t, p, Plan(YESTERDAY, SETTINGS.timezone, 5))),
    "academics.profiles.profile": of_student(lambda t, p, who: profiles.profile(t, p, who, SETTINGS, NOW)),
    "academics.performances.performance": of_student(
        lambda t, p, who: performances.performance(t, p, who, SETTINGS, NOW)
    ),
    "academics.performances.subject_performance": of_student(performances.subject_performance, names=False),
    "access.students": Case(lambda t, p, _: access.students(t, p)),
    "access.students_among": Case(lambda t, p, _: access.students_among(t, p, BOTH)),
    "access.student": of_student(access.student),
    "access.mentor": of_mentor(access.mentor),
    "access.mentor_of_programs": replace(of_mentor(access.mentor_of_programs), roles=MENTOR | ADMIN | {Role.SERVICE}),
    "access.ids_among": Case(lambda t, p, _: sorted(access.ids_among(t, p, BOTH)), names=False),
    "access.as_shown": Case(lambda t, p, _: access.as_shown(t, p, feed.feed(t, p, Filter(), PAGE, SETTINGS), SETTINGS)),
    "accounts.mapped_by_hand": for_admins(lambda t, p, _: accounts.mapped_by_hand(t, p, 1)),
    "accounts.mentor_account": of_mentor(accounts.mentor_account),
    "accounts.student_account": of_student(accounts.student_account),
    "accounts.everybody": for_admins(lambda t, p, _: accounts.everybody(t, p), names=True),
    "accounts.people_of_account": for_admins(lambda t, p, _: accounts.people_of_account(t, p, MARYS_ACCOUNT)),
    "accounts.people_numbered": for_admins(lambda t, p, _: accounts.people_numbered(t, p, JANE.student_id)),
    "accounts.people_named": for_admins(lambda t, p, _: accounts.people_named(t, p, "jane_smith")),
    "accounts.accounts_named": for_admins(lambda t, p, _: accounts.accounts_named(t, p, "mary@example.org")),
    "accounts.unmapped": for_admins(lambda t, p, _: accounts.unmapped(t, p)),
    "alerts.rules": Case(lambda t, p, _: alerts.rules(t, p), MENTOR, names=False),
    "alerts.switched_off": Case(lambda t, p, _: alerts.switched_off(t, p), names=False),
    "alerts.open_alerts": Case(lambda t, p, _: alerts.open_alerts(t, p), MENTOR),
    "alerts.alert": Case(lambda t, p, name: alerts.alert(t, p, str(name)), MENTOR, "KT9000", "KT9001"),
    "alerts.student_rules": of_student(
        lambda t, p, who: alerts.student_rules(t, p, who, SETTINGS, NOW), MENTOR, names=False
    ),
    "attention.attention": Case(lambda t, p, _: attention.attention(t, p, ZONE, NOW)),
    "attention.mentor_overview": Case(lambda t, p, _: attention.mentor_overview(t, p, SETTINGS, NOW), MENTOR),
    "export.export": Case(lambda t, p, _: export.export(t, p, BOTH, None, 100)),
    "export.profiles": Case(lambda t, p, _: export.profiles(t, p, BOTH, SETTINGS, NOW)),
    "export.performances": Case(lambda t, p, _: export.performances(t, p, BOTH, SETTINGS, NOW)),
    "feed.history": of_student(lambda t, p, who: feed.history(t, p, who, Filter(), PAGE, SETTINGS)),
    "feed.feed": Case(lambda t, p, _: feed.feed(t, p, Filter(), PAGE, SETTINGS)),
    "freshness.freshness": Case(lambda t, p, _: freshness.freshness(t, p, SETTINGS, NOW), names=False),
    "notifications.pending": Case(lambda t, p, _: notifications.pending(t, p, 100, SETTINGS, NOW), MENTOR),
    "notifications.pending_for_everybody": for_admins(
        lambda t, p, _: notifications.pending_for_everybody(t, p, 100, SETTINGS, NOW), names=True
    ),
    "notifications.traces": Case(
        lambda t, p, _: [
            trace
            for row in (JANES_ROW, GULNORAS_ROW)
            for trace in notifications.traces(t, p, ((ATTEMPTS,), row), SETTINGS, NOW)
        ],
        MENTOR,
    ),
    "notifications.told": of_student(lambda t, p, who: notifications.told(t, p, who, 100, SETTINGS), MENTOR),
    "notifications.parked": for_admins(lambda t, p, _: notifications.parked(t, p, 100)),
    "overview.operation": for_admins(lambda t, p, _: overview.operation(t, p, NOW)),
    "overview.queue": for_admins(lambda t, p, _: overview.queue(t, p, NOW)),
    "overview.status": for_admins(lambda t, p, _: overview.status(t, p, SETTINGS, NOW)),
    "overview.unnotified": for_admins(lambda t, p, _: overview.unnotified(t, p, 100)),
    "overview.audit": for_admins(lambda t, p, _: overview.audit(t, p, 100)),
    "patterns.progress": of_student(lambda t, p, who: patterns.progress(t, p, who, SETTINGS, NOW)),
    "preferences.mentor_preferences": of_mentor(
        lambda t, p, who: preferences.mentor_preferences(t, p, who, SETTINGS, NOW)
    ),
    "preferences.time_zone": Case(lambda t, p, _: preferences.time_zone(t, p, SETTINGS), names=False),
    "statistics.statistics": of_student(
        lambda t, p, who: statistics.statistics(t, p, student_id=who), MENTOR, names=False
    ),
    "statistics.results": of_student(lambda t, p, who: statistics.results(t, p, who, None, NOW), MENTOR, names=False),
    "statistics.all_statistics": for_admins(lambda t, p, _: statistics.all_statistics(t, p)),
    "streaks.streak": of_student(lambda t, p, who: streaks.streak(t, p, who, ZONE, NOW)),
    "streaks.streaks": Case(lambda t, p, _: streaks.streaks(t, p, ZONE, NOW)),
    "student.card": of_student(lambda t, p, who: student.card(t, p, who, SETTINGS, NOW)),
    "student.scores": of_student(lambda t, p, who: student.scores(t, p, who, None, 100, SETTINGS)),
    "student.mentors": of_student(student.mentors, names=False),
    "access.readable_ids": Case(lambda t, p, _: access.readable_ids(t, p), names=False),
    "web.activity.newest": of_student(lambda t, p, who: activity.newest(t, p, Filter(), most=100, student_id=who)),
    "web.activity.readable": Case(
        lambda t, p, _: activity.readable(t, p, activity.recorded(t, Position(0), most=100)[1])
    ),
    "web.activity.unprocessed": Case(lambda t, p, _: activity.unprocessed(t, p, Filter(), most=100)),
    "web.mentors.overview": Case(
        lambda t, p, who: mentors.overview(t, p, who, SETTINGS, NOW), MENTOR | ADMIN | {Role.SERVICE}, 1, 2
    ),
    "web.mentors.open_alerts": Case(mentors.open_alerts, MENTOR | ADMIN | {Role.SERVICE}, 1, 2),
    "web.students.find": Case(lambda t, p, _: students.find(t, p, "", "", lambda one: one)),
    "web.mentors.students_of_mentor": replace(
        of_mentor(lambda t, p, who: mentors.students_of_mentor(t, p, who, SETTINGS, NOW)),
        roles=MENTOR | ADMIN | frozenset({Role.SERVICE}),
        names=True,
    ),
    "web.school.school_report": for_admins(lambda t, p, _: school.school_report(t, p, SETTINGS, NOW)),
    "web.tokens.all_tokens": for_admins(lambda t, p, _: tokens.all_tokens(t, p)),
}
ASKED_OF_ONE = [name for name, case in CASES.items() if case.own is not None]
WITH_NAMES = [name for name, case in CASES.items() if case.names]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def transaction(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transaction]:
    """A store with an event, a notification and an alert of each mentor; nothing here is changed by asking."""
    if request.param == "sqlite":
        yield from _asked(store_in_file(tmp_path_factory.mktemp("reports") / "store.db"))
    else:
        with on_server(request.getfixturevalue("postgresql_server"), make_store) as url:
            yield from _asked(url)


def _asked(url: str) -> Iterator[Transaction]:
    store = open_store(url)
    asked = School.open(store)
    asked.happens(JANE, 1, source_id=JANES_ROW, percentage=80, kind=EventType.EXAM_PASSED)
    asked.happens(GULNORA, 1, source_id=GULNORAS_ROW, percentage=70, kind=EventType.EXAM_PASSED)
    asked.count_days()
    with store.writing() as transaction:
        watchlist.follow_students(transaction, NOW)
        watchlist.lock_rules_state(transaction, NOW)
        told = [(1, JANE), (2, GULNORA), (2, GULNORA)]
        openings = [
            Opening(Key(mentor_id, who.student_id, Rule.STUCK, number), Verdict(Rule.STUCK, NOW), None)
            for number, (mentor_id, who) in enumerate(told)
        ]
        stored_alerts.open_new(transaction, openings, NOW)
        name = "KT900" + sa.cast(student_alerts.c.subject_id, sa.Text)
        transaction.execute(sa.update(student_alerts).values(name=name))
        audit.note(transaction, ADA, "pause polling", "done", NOW)
        for mentor in MENTORS:
            chosen = stored_preferences.chosen(transaction, mentor.mentor_id)
            stored_preferences.save(transaction, mentor.mentor_id, chosen, NOW)
    with store.reading() as transaction:
        yield transaction
    store.close()


def found(transaction: Transaction, name: str, principal: Principal, about: Any = None) -> str:
    """Return what a report gives, as text."""
    return repr(CASES[name].ask(transaction, principal, about))


def is_refused(transaction: Transaction, name: str, principal: Principal, about: Any) -> bool:
    try:
        CASES[name].ask(transaction, principal, about)
    except NotFound:
        return True
    return False


def all_reports() -> set[str]:
    """Return every public function of the reports that reads for a principal, as module and name."""
    names = set()
    for module in pkgutil.walk_packages(reports.__path__, f"{reports.__name__}."):
        code, place = import_module(module.name), module.name.removeprefix(f"{reports.__name__}.")
        for name, function in inspect.getmembers(code, inspect.isfunction):
            expected = inspect.signature(function).parameters
            if function.__module__ == code.__name__ and not name.startswith("_") and "principal" in expected:
                names |= {f"{place}.{name}"} if "transaction" in expected else set()
    return names


def test_every_report_has_a_case() -> None:
    assert all_reports() == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_mentor_sees_own_students_and_nothing_else(transaction: Transaction, name: str) -> None:
    case = CASES[name]
    if Role.MENTOR not in case.roles:
        assert is_refused(transaction, name, MARY, case.own)
        return
    given = found(transaction, name, MARY, case.own)
    assert "gulnora" not in given
    assert "omar" not in given
    assert str(GULNORA.student_id) not in given
    assert "jane_smith" in given or not case.names


@pytest.mark.parametrize("name", ASKED_OF_ONE)
def test_what_is_somebody_elses_is_refused_like_what_is_not_there(transaction: Transaction, name: str) -> None:
    case = CASES[name]
    texts = []
    for about in (case.foreign, 404_404):
        with pytest.raises(NotFound) as caught:
            case.ask(transaction, MARY, about)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    assert not is_refused(transaction, name, OMAR, case.foreign)


@pytest.mark.parametrize("name", CASES)
def test_an_admin_sees_what_admins_see(transaction: Transaction, name: str) -> None:
    case = CASES[name]
    for about, username in ((case.own, "jane_smith"), (case.foreign, "gulnora")):
        if Role.ADMIN in case.roles:
            assert username in found(transaction, name, ADMIN_ADA, about) or not case.names
        else:
            assert is_refused(transaction, name, ADMIN_ADA, about)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("role", Role)
def test_another_role_is_refused(transaction: Transaction, role: Role, name: str) -> None:
    case = CASES[name]
    assert is_refused(transaction, name, WHO[role], case.own) == (role not in case.roles)
    assert is_refused(transaction, name, EVE, case.own)


@pytest.mark.parametrize("name", WITH_NAMES)
def test_a_student_sees_only_themselves(transaction: Transaction, name: str) -> None:
    case = CASES[name]
    if Role.STUDENT not in case.roles:
        return
    given = found(transaction, name, STUDENT_JANE, case.own)
    assert "jane_smith" in given
    assert not any(other in given for other in ("janet", "ravi", "gulnora"))
    assert case.foreign is None or is_refused(transaction, name, STUDENT_JANE, case.foreign)


@pytest.mark.parametrize("name", WITH_NAMES)
def test_a_service_sees_everybody_or_the_students_of_its_mentor(transaction: Transaction, name: str) -> None:
    case = CASES[name]
    if Role.SERVICE not in case.roles:
        return
    assert "gulnora" in found(transaction, name, SERVICE, case.foreign)
    given = found(transaction, name, MARYS_SERVICE, case.own)
    assert "jane_smith" in given
    assert "gulnora" not in given
    assert case.foreign is None or is_refused(transaction, name, MARYS_SERVICE, case.foreign)


def test_a_mentor_counts_own_students_and_an_admin_all(transaction: Transaction) -> None:
    assert statistics.statistics(transaction, MARY).total == 1
    assert statistics.all_statistics(transaction, ADMIN_ADA).total == 2


def test_an_account_asks_as_who_it_is(transaction: Transaction) -> None:
    account = access.account(transaction, MARYS_ACCOUNT)
    assert account is not None
    asked = access.principal_of(transaction, account, is_admin=False)
    assert (asked.roles, asked.mentor_ids) == (MENTOR, [1])
    assert access.principal_of(transaction, account, is_admin=True).roles == MENTOR | ADMIN


def test_a_mentor_who_is_an_admin_asks_as_a_mentor_about_own_students_alone(transaction: Transaction) -> None:
    both = Principal.of(MENTORS[:1], [], is_admin=True)
    assert is_refused(transaction, "student.card", both.acting_as(Role.MENTOR), GULNORA.student_id)
    assert not is_refused(transaction, "student.card", both.acting_as(Role.ADMIN), GULNORA.student_id)
