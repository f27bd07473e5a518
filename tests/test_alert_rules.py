"""Each rule says of the facts from which moment on something is so, and nothing else."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core import alert_rules
from lms_bot.core.alert_rules import Broken, Exam, Facts, Opened, Result
from lms_bot.core.alerts import DAY, DEFAULTS, HOUR, RULE_DEFINITIONS, Rule, Verdict
from lms_bot.core.events import EventType
from tests import NOW

PASSED, FAILED, COMPLETED = EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED
NOTHING: dict[tuple[Rule, int], Verdict] = {}


def exam(
    days_ago: float, outcome: EventType = PASSED, percentage: float | None = None, exam_id: int | None = 501
) -> Exam:
    return Exam(NOW - days_ago * DAY, exam_id, "Quiz", outcome, percentage)


def known(**facts: Any) -> Facts:
    """A student who learned just now, unless said otherwise."""
    usual: dict[str, Any] = {"student_id": 1, "is_active": True, "first_at": NOW - 300 * DAY, "learned_at": NOW}
    return Facts(**(usual | facts))


def true(facts: Facts, now: datetime = NOW, /, **limits: float) -> dict[tuple[Rule, int], Verdict]:
    """What is true by the default limits, or by others."""
    return alert_rules.true_verdicts(
        alert_rules.verdicts(facts, {**DEFAULTS, **{Rule(name): value for name, value in limits.items()}}), now
    )


def level(facts: Facts, now: datetime = NOW, /, **limits: float) -> int:
    """How serious the inactivity is; 0 for none."""
    found = true(facts, now, **limits).get((Rule.INACTIVE, 0))
    return found.level if found else 0


def test_a_student_of_whom_all_is_well_needs_nobody() -> None:
    assert true(known(exams=(exam(0, PASSED, 80), exam(1, PASSED, 80)))) == NOTHING


def test_who_has_left_needs_nobody() -> None:
    assert true(known(learned_at=NOW - 100 * DAY, is_active=False)) == NOTHING


# Inactive


@pytest.mark.parametrize(("days", "expected"), [(4.99, 0), (5, 1), (10.99, 1), (11, 3), (40, 3)])
def test_inactivity_begins_after_five_days_and_is_most_serious_after_eleven(days: float, expected: int) -> None:
    assert level(known(learned_at=NOW - days * DAY)) == expected


@pytest.mark.parametrize(("days", "expected"), [(6.99, 1), (7, 2), (11, 3)])
def test_it_is_more_serious_after_seven_days_of_a_student_who_does_not_pass(days: float, expected: int) -> None:
    assert level(known(learned_at=NOW - days * DAY, exams=(exam(days, FAILED, 30),))) == expected
    assert level(known(learned_at=NOW - days * DAY, exams=(exam(days, PASSED, 80), exam(20, FAILED, 30)))) in (1, 3)


@pytest.mark.parametrize(("days", "expected"), [(8.99, 0), (9, 1), (11, 3)])
def test_three_times_the_usual_gap_is_allowed(days: float, expected: int) -> None:
    assert level(known(learned_at=NOW - days * DAY, usual_gap=3 * DAY)) == expected


def test_with_a_very_long_usual_gap_it_begins_late_and_at_once_most_serious() -> None:
    facts = known(learned_at=NOW - 29 * DAY, usual_gap=10 * DAY)
    assert [level(facts), level(facts, NOW + DAY)] == [0, 3]


def test_a_mentor_s_own_limit_counts() -> None:
    assert level(known(learned_at=NOW - 6 * DAY), inactive=7) == 0
    assert level(known(learned_at=NOW - 2 * DAY), inactive=2) == 1
    assert level(known(learned_at=NOW - 50 * DAY), inactive=0) == 0


def test_who_only_began_something_is_inactive_from_then_on() -> None:
    assert level(known(learned_at=None, first_at=NOW - 5 * DAY)) == 1
    assert level(known(learned_at=None, first_at=None)) == 0


# Never started


@pytest.mark.parametrize(("days", "expected"), [(4.9, False), (5, True)])
def test_who_never_began_is_missed_five_days_after_enrolment(days: float, expected: bool) -> None:
    facts = known(learned_at=None, first_at=None, enrolled_at=NOW - days * DAY)
    assert ((Rule.NEVER_STARTED, 0) in true(facts)) == expected
    assert (Rule.NEVER_STARTED, 0) not in true(known(enrolled_at=NOW - days * DAY))


def test_an_enrolment_that_is_not_known_is_not_guessed() -> None:
    assert true(known(learned_at=None, first_at=None, enrolled_at=None)) == NOTHING


# Failed twice


def fails(*exams: Exam, now: datetime = NOW, **limits: float) -> list[int]:
    return [subject for rule, subject in true(known(exams=exams), now, **limits) if rule is Rule.FAILED_TWICE]


def test_the_same_exam_failed_twice_in_two_weeks() -> None:
    assert fails(exam(1, FAILED), exam(15, FAILED)) == [501]
    assert fails(exam(1, FAILED), exam(15.01, FAILED)) == []
    assert fails(exam(1, FAILED), exam(2, FAILED, exam_id=502)) == []
    assert fails(exam(1, FAILED)) == []


def test_a_pass_after_it_ends_it_and_a_pass_before_does_not_count() -> None:
    assert fails(exam(1, PASSED), exam(2, FAILED), exam(3, FAILED)) == []
    assert fails(exam(1, FAILED), exam(2, PASSED), exam(3, FAILED)) == []
    assert fails(exam(1, FAILED), exam(2, FAILED), exam(3, PASSED)) == [501]
    assert fails(exam(0, COMPLETED), exam(1, FAILED), exam(2, FAILED)) == [501]


def test_it_is_so_since_the_second_failure_and_not_for_ever() -> None:
    facts = known(exams=(exam(1, FAILED, 30), exam(3, FAILED, 20), exam(8, FAILED, 10)))
    verdict = true(facts)[Rule.FAILED_TWICE, 501]
    assert (verdict.at, verdict.until) == (NOW - 3 * DAY, NOW + 13 * DAY)
    assert (verdict.numbers["fails"], verdict.numbers["scores"]) == (3, [10, 20, 30])
    assert (Rule.FAILED_TWICE, 501) not in true(facts, NOW + 13 * DAY)


def test_exams_without_a_number_are_not_thrown_together() -> None:
    assert fails(exam(1, FAILED, exam_id=None), exam(2, FAILED, exam_id=None)) == []


# Score drop


def drops(*percentages: float | None, **limits: float) -> bool:
    exams = tuple(exam(number, PASSED, value, 500 + number) for number, value in enumerate(percentages))
    return any(rule is Rule.SCORE_DROP for rule, _ in true(known(exams=exams), **limits))


def test_twenty_points_below_the_mean_of_the_five_before() -> None:
    assert drops(60, 80, 80, 80, 80, 80)
    assert not drops(60.1, 80, 80, 80, 80, 80)
    assert drops(60, 80, 80, 80, 80, 80, 0, 0, 0), "older ones are not compared"
    assert not drops(60, 80, 80, 80, 80, 79)


def test_it_takes_three_exams_to_compare_with() -> None:
    assert not drops(10, 80, 80)
    assert drops(10, 80, 80, 80)
    assert drops(10, None, 80, None, 80, 80), "those without a percentage do not count"


def test_it_is_over_with_the_next_exam() -> None:
    assert not drops(80, 10, 80, 80, 80)


# Abandoned


def abandoned(hours: float, minutes: int | None, **limits: float) -> bool:
    opened = Opened(NOW - hours * HOUR, 501, "Quiz", minutes)
    return (Rule.ABANDONED, 501) in true(known(open_exams=(opened,)), **limits)


@pytest.mark.parametrize(
    ("hours", "minutes", "expected"),
    [(2.9, None, False), (3, None, True), (3, 60, True), (3.9, 120, False), (4, 120, True), (24 * 18, 60, False)],
)
def test_three_hours_or_twice_the_time_it_takes(hours: float, minutes: int | None, expected: bool) -> None:
    assert abandoned(hours, minutes) == expected


# Streaks and content


def test_the_end_of_a_streak_of_seven_days() -> None:
    streak = Broken(7, date(2026, 2, 28), NOW)
    assert (Rule.STREAK_BROKEN, 0) in true(known(streak=streak))
    assert true(known(streak=streak), NOW - HOUR) == NOTHING
    assert true(known(streak=streak._replace(days=6))) == NOTHING


@pytest.mark.parametrize(("days", "expected"), [(3.9, False), (4, True), (18, False)])
def test_content_that_stays_open_for_four_days(days: float, expected: bool) -> None:
    facts = known(content=Opened(NOW - days * DAY, 1101, "Video"))
    assert ((Rule.STUCK, 1101) in true(facts)) == expected


# Many fail


FAILED_IT, PASSED_IT, BOTH = Result(NOW, False), Result(None, True), Result(NOW, True)


def many(*results: Result, limit: float = 40) -> Verdict | None:
    return alert_rules.many_fail(501, "Quiz", results, limit)


def test_forty_percent_and_at_least_five() -> None:
    assert many(*[FAILED_IT] * 5) is not None
    assert many(*[FAILED_IT] * 4) is None
    assert many(*[FAILED_IT] * 5, *[PASSED_IT] * 7) is not None, "5 of 12 are more than 40 percent"
    assert many(*[FAILED_IT] * 5, *[PASSED_IT] * 8) is None, "5 of 13 are less"
    assert many(*[FAILED_IT] * 5, *[PASSED_IT] * 8, limit=30) is not None


def test_who_passed_in_the_end_has_not_failed() -> None:
    assert many(*[FAILED_IT] * 4, BOTH) is None


def test_an_exam_without_a_verdict_was_taken() -> None:
    assert many(*[FAILED_IT] * 5, *[Result(None, False)] * 8) is None


# All of them


def test_every_rule_has_terms_and_says_so_by_its_name() -> None:
    assert set(RULE_DEFINITIONS) == set(Rule)
    assert set(alert_rules.RULES) == set(Rule) - {Rule.MANY_FAIL}
    assert all(terms.low <= terms.limit <= terms.high for terms in RULE_DEFINITIONS.values())


moments = st.integers(0, 60 * 24).map(lambda hours: NOW - hours * HOUR)
exams = st.builds(
    Exam,
    moments,
    st.sampled_from([None, 501, 502]),
    st.just("Quiz"),
    st.sampled_from([PASSED, FAILED, COMPLETED]),
    st.none() | st.floats(0, 100),
)
opened = st.builds(Opened, moments, st.sampled_from([501, 502]), st.just("Quiz"), st.none() | st.integers(1, 600))
some_facts = st.builds(
    Facts,
    st.just(1),
    st.just(True),
    st.none() | moments,
    st.none() | moments,
    st.none() | moments,
    st.none() | st.integers(1, 20).map(lambda days: days * DAY),
    st.lists(exams, max_size=8).map(lambda found: tuple(sorted(found, key=lambda one: one.at, reverse=True))),
    st.lists(opened, max_size=3).map(tuple),
    st.none() | opened,
    st.none() | st.builds(Broken, st.integers(1, 40), st.just(NOW.date()), moments),
)


@given(some_facts, st.integers(0, 40 * 24))
def test_between_the_looks_that_are_asked_for_nothing_changes(facts: Facts, hours: int) -> None:
    found = alert_rules.verdicts(facts, DEFAULTS)
    until = NOW + timedelta(hours=hours)
    now = NOW
    while (look := alert_rules.next_look(found, now)) is not None and look <= until:
        assert alert_rules.true_verdicts(found, look - timedelta(microseconds=1)) == alert_rules.true_verdicts(
            found, now
        )
        now = look
    assert alert_rules.true_verdicts(found, until) == alert_rules.true_verdicts(found, now)


@given(some_facts)
def test_what_is_true_says_since_when_with_numbers_that_json_can_hold(facts: Facts) -> None:
    for (rule, subject), verdict in alert_rules.true_verdicts(alert_rules.verdicts(facts, DEFAULTS), NOW).items():
        assert verdict.at is not None
        assert verdict.at <= NOW
        assert (verdict.rule, verdict.subject_id) == (rule, subject)
        assert json.loads(json.dumps(verdict.numbers)) == verdict.numbers
