"""A replay of the past says what the worker said, by what was known on each day and by nothing else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.cli import main
from lms_bot.core.alerts import DEFAULTS, Rule
from lms_bot.core.backtest import history as past
from lms_bot.core.backtest.figures import auc, top_share
from lms_bot.core.backtest.history import ClassHistory, Due, ExamResult, Past, StudentHistory
from lms_bot.core.backtest.observed import Observed
from lms_bot.core.backtest.outcomes import Judged, Kind, Outcome, judge, outcome
from lms_bot.core.backtest.replay import MentorReplay, Sent
from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.errors import NotFound
from lms_bot.reports.backtest.replays import Backtest, Period, Plan, replay
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.reports import backtest
from lms_bot.store.reports.attention import attention_facts
from lms_bot.store.session import Transaction
from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import BOTH, Place
from tests.lms_rows import JANE, MARY, NOW, QUIZ, RAVI, TEST

UTC_ZONE = ZoneInfo("UTC")
ADMIN = Principal.of((), (), is_admin=True)
KINDS = (
    *(EventType.EXAM_STARTED, EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED),
    *(EventType.CONTENT_STARTED, EventType.CONTENT_WATCHED, EventType.CONTENT_COMPLETED),
)
ALGEBRA = Due((1, "algebra"), ("attempts", 3), NOW + 12 * DAY, "Algebra")


# By what was known


def event(day: int, number: int, kind: EventType, activity: int, percent: float | None, found: int = 0) -> Past:
    """An event of a day, found so many days later."""
    table = "attempts" if kind.is_of_exam else "content_attempts"
    at, is_exam = NOW + day * DAY + HOUR, kind.is_exam_end
    return Past(
        at + found * DAY,
        number,
        kind.value,
        at,
        table,
        number % 40,
        activity,
        "Exam",
        percent if is_exam else None,
        None,
    )


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 59),
        st.sampled_from(KINDS),
        st.integers(1, 4),
        st.none() | st.integers(0, 100),
        st.integers(0, 4),
    ),
    max_size=40,
)


def history(events: list[tuple[int, EventType, int, int | None, int]]) -> StudentHistory:
    past = (
        event(day, n, kind, activity, percent, late) for n, (day, kind, activity, percent, late) in enumerate(events)
    )
    return StudentHistory(JANE, NOW, None, tuple(sorted(past)), (ALGEBRA,))


def lived(one: StudentHistory, days: int, per_day: int = 5) -> tuple[list[Sent], dict[datetime, dict[int, int]]]:
    results = sorted(
        ExamResult(past.known_at, past.source_table, past.source_id, past.activity_id or 0, past.percentage)
        for past in one.past
        if past.percentage is not None
    )
    of_class = ClassHistory(results, {}, {})
    observed = Observed(one, of_class, {ALGEBRA.activity: (ALGEBRA.item,)}, {}, UTC_ZONE)
    period = Period.between(NOW, days)
    found = MentorReplay(MARY, [observed], DEFAULTS, per_day, NOW).live(period.days, period.sampled)
    return found.sent, found.points


@settings(max_examples=30)
@given(EVENTS, st.integers(1, 59))
def test_what_tomorrow_brings_changes_nothing_today(
    events: list[tuple[int, EventType, int, int | None, int]], day: int
) -> None:
    whole, end = history(events), NOW + day * DAY
    known = replace(whole, past=tuple(one for one in whole.past if one.known_at <= end))
    sent, points = lived(whole, 60)
    assert [one for one in sent if one.at <= end] == lived(known, day)[0]
    assert {at: of_day for at, of_day in points.items() if at <= end} == lived(known, day)[1]


def test_a_result_counts_until_it_is_superseded() -> None:
    failed = event(0, 7, EventType.EXAM_FAILED, 1, 30.0)
    regraded = replace_row(event(9, 47, EventType.EXAM_PASSED, 1, 80.0), failed)
    observed = Observed(StudentHistory(JANE, NOW, None, (failed, regraded)), ClassHistory([], {}, {}), {}, {}, UTC_ZONE)
    observed.learn(NOW + 5 * DAY)
    assert (observed.facts(NOW + 5 * DAY).average, observed.attention_facts(NOW + 5 * DAY).failures) == (30.0, 1)
    observed.learn(NOW + 10 * DAY)
    assert (observed.facts(NOW + 10 * DAY).average, observed.attention_facts(NOW + 10 * DAY).failures) == (80.0, 0)


def replace_row(later: Past, before: Past) -> Past:
    return later._replace(source_table=before.source_table, source_id=before.source_id)


def test_a_class_has_come_to_what_was_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "FEWEST_OF_CLASS", 5)
    results = [ExamResult(NOW + n * DAY, "attempts", n, 1, 10.0 * n) for n in range(1, 6)]
    regraded = ExamResult(NOW + 7 * DAY, "attempts", 5, 1, 100.0)
    of_class = ClassHistory([*results, regraded], {ALGEBRA.activity: [(NOW, 12)]}, {ALGEBRA.activity: [(NOW + DAY, 9)]})
    found = [of_class.average(("attempts", 1), NOW + day * DAY) for day in (4, 5, 7)]
    assert found == [None, 30.0, 40.0]
    assert [of_class.deadline(ALGEBRA.activity, NOW + day * DAY) for day in (0, 1)] == [(12, 0), (12, 9)]


def test_no_more_are_sent_a_day_than_the_budget_allows_and_the_rest_come_later() -> None:
    students = [
        Observed(
            StudentHistory(number, NOW, None, (event(0, number, EventType.CONTENT_WATCHED, 9, None),)),
            ClassHistory([], {}, {}), {}, {}, UTC_ZONE,
        )
        for number in range(1, 8)
    ]  # fmt: skip
    sent = MentorReplay(MARY, students, DEFAULTS, 2, NOW).live(Period.between(NOW, 9).days, ()).sent
    per_day = [len(list(of_day)) for _, of_day in itertools.groupby(sent, lambda one: one.at)]
    assert (per_day, {one.student_id for one in sent}) == ([2, 2, 2, 1], set(range(1, 8)))


# As the worker


@pytest.fixture
def scenario(place: Place) -> Iterator[AlertScenario]:
    with AlertScenario.at(place) as scenario:
        yield scenario


def at_school(scenario: AlertScenario) -> None:
    """Three weeks of Jane, who fails and stays away, and of Ravi, who does a little of everything."""
    scenario.poll(NOW)
    end = {"until": (NOW + 6 * DAY).isoformat(), "id": TEST}
    scenario.watch.rows.run("UPDATE exams SET end_date = :until WHERE id = :id", end)
    for day, result, percent in ((1, "pass", 80), (2, "fail", 30), (3, "fail", 20), (4, "pass", 90)):
        scenario.ends(result, NOW + day * DAY - 2 * HOUR, student=JANE, percent=percent)
        scenario.ends("pass", NOW + day * DAY - 3 * HOUR, student=RAVI, percent=70 + day, exam=TEST)
    scenario.coming.append((NOW + 5 * DAY - HOUR, lambda: _begun(scenario)))
    scenario.live(NOW + 21 * DAY, every=DAY)


def _begun(scenario: AlertScenario) -> None:
    scenario.begins(NOW + 5 * DAY - HOUR, student=RAVI, exam=QUIZ)


def replayed(transaction: Transaction, days: int) -> Backtest:
    return replay(transaction, ADMIN, Plan(Period.between(NOW, days), UTC_ZONE, 5))


@BOTH
def test_a_replay_sends_what_the_worker_sent(scenario: AlertScenario) -> None:
    at_school(scenario)
    worker = {
        (one.rule, one.student_id, one.level, one.told_at.date())
        for one in scenario.alerts(mentor_id=MARY)
        if one.told_at
    }
    with scenario.watch.store.reading() as transaction:
        found = replayed(transaction, 21)
    again = {
        (one.rule.value, one.student_id, one.level, one.at.date())
        for one in found.replayed.sent
        if one.mentor_id == MARY
    }
    assert worker == again
    assert {rule for rule, *_ in worker} == {"inactive", "failed_twice", "abandoned", "deadline_missed"}


@BOTH
def test_facts_of_the_past_are_made_as_those_of_the_present(scenario: AlertScenario) -> None:
    at_school(scenario)
    now = scenario.now
    with scenario.watch.store.reading() as transaction:
        dues, items = backtest.dues_of(transaction), backtest.items_due(transaction)
        of_class = backtest.class_history(transaction, dues, items, {})
        minutes = backtest.exam_minutes(transaction)
        present = {one.student_id: one for one in facts_of(transaction, [JANE, RAVI], UTC_ZONE, now)}
        points = attention_facts(transaction, list(present.values()), now)
        for one in backtest.histories(transaction, [JANE, RAVI], dues, {}):
            observed = Observed(one, of_class, items, minutes, UTC_ZONE)
            observed.learn(now)
            known = observed.facts(now)
            expected = replace(present[one.student_id], streak=None)
            assert [d._replace(expected=0, handed_in=0) for d in known.deadlines] == [
                d._replace(expected=0, handed_in=0) for d in expected.deadlines
            ]
            assert replace(known, deadlines=()) == replace(expected, deadlines=())
            assert observed.attention_facts(now) == points[one.student_id]


def test_only_admins_replay_the_past_of_everybody(scenario: AlertScenario) -> None:
    scenario.poll(NOW)
    with scenario.watch.store.reading() as transaction, pytest.raises(NotFound):
        replay(transaction, Principal.of((), ()), Plan(Period.between(NOW, 2), UTC_ZONE, 5))


# Outcomes


def test_what_became_of_a_student_first_counts() -> None:
    failed = event(3, 1, EventType.EXAM_FAILED, 1, 20.0)
    passed = event(5, 2, EventType.EXAM_PASSED, 1, 60.0)
    here = [event(day, 10 + day, EventType.CONTENT_WATCHED, 9, None) for day in range(0, 40, 10)]
    end = NOW + 40 * DAY

    def became(*past: Past, left: datetime | None = None) -> Outcome | None:
        return outcome(StudentHistory(JANE, NOW, left, tuple(sorted(past))), NOW, end)

    assert became(*here) is None
    assert became(*here, failed) == Outcome(failed.known_at, Kind.FAILED)
    assert became(*here, failed, passed) is None
    assert became(*here, left=NOW + 12 * DAY) == Outcome(NOW + 12 * DAY, Kind.LEFT)
    assert became(here[0], here[1]) == Outcome(here[1].at + 14 * DAY, Kind.SILENT)


def test_a_student_counts_once_and_lead_time_is_from_the_first_alert() -> None:
    sent = [
        Sent(NOW + DAY, MARY, JANE, Rule.INACTIVE, 1),
        Sent(NOW + 3 * DAY, MARY, JANE, Rule.FAILED_TWICE, 2),
        Sent(NOW + 3 * DAY, MARY, RAVI, Rule.INACTIVE, 1),
    ]
    outcomes = {JANE: Outcome(NOW + 11 * DAY, Kind.LEFT), RAVI: None, 7: Outcome(NOW, Kind.FAILED)}
    whole, inactive, twice = judge(sent, outcomes, 3, 14 * DAY)
    assert whole == Judged(None, 3, 0.5, 2, 0.5, 0.5, 10.0)
    assert (inactive.rule, inactive.alerts, inactive.precision) == (Rule.INACTIVE, 2, 0.5)
    assert (twice.rule, twice.precision, twice.lead_days) == (Rule.FAILED_TWICE, 1.0, 8.0)


# The command


def test_the_command_prints_a_table_or_json_and_compares_limits(
    scenario: AlertScenario, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_school(scenario)
    monkeypatch.setenv("LMS_DATABASE_URL", scenario.place.lms_url)
    monkeypatch.setenv("LMS_STORE_DATABASE_URL", scenario.place.store_url)
    days = ["--from", "2026-03-02", "--to", "2026-03-22"]

    def run(*more: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(["backtest", *days, *more])
        return ended.value.code, capsys.readouterr().out

    code, text = run()
    assert code == 0
    assert text.startswith("default limits, 2026-03-02 to 2026-03-22: 3 mentors, 8 students, of whom ")
    assert "failed_twice" in text
    assert "abandoned" in text
    code, text = run("--json", "--set", "abandoned=off", "--set", "failed_twice=off")
    found = json.loads(text.splitlines()[-1])
    assert code == 0
    rules = {name: {rule["rule"]: rule["alerts"] for rule in one["rules"]} for name, one in found.items()}
    assert rules["default"]["all"] == sum(rules["default"].values()) / 2
    assert rules["default"].keys() - rules["set"].keys() == {"abandoned", "failed_twice"}
    assert [run("--set", wrong)[0] for wrong in ("slow=3d", "inactive=3h", "inactive")] == [2, 2, 2]
    assert run("--to", "2026-03-01")[0] == 2


# Figures


def test_an_order_is_as_good_as_the_pairs_that_it_gets_right() -> None:
    labels = {1: True, 2: True, 3: False, 4: False}
    assert auc({1: 9, 2: 5, 3: 5, 4: 0}, labels) == 3.5 / 4
    assert auc({1: 0, 2: 0, 3: 0, 4: 0}, labels) == auc({}, {}) == 0.5


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_an_order_and_its_reverse_are_right_of_all_pairs_together(pairs: list[tuple[int, bool]]) -> None:
    points = {number: float(value) for number, (value, _) in enumerate(pairs)}
    labels = {number: label for number, (_, label) in enumerate(pairs)}
    reverse = {number: -value for number, value in points.items()}
    assert auc(points, labels) + auc(reverse, labels) == pytest.approx(1.0)


def test_those_at_the_edge_of_the_top_share_count_on_average() -> None:
    labels = dict.fromkeys(range(10), False) | {0: True, 1: True}
    assert top_share({n: 1.0 if n < 4 else 0.0 for n in range(10)}, labels, 0.2) == (0.5, 0.5)
