"""What averages, trends, failing and inactive mean is said once, and stays so."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.alerts import Rule
from lms_bot.core.attention import AttentionScore, Part, Reason
from lms_bot.core.events import EventType, course_key, percentage
from lms_bot.core.people import Student
from lms_bot.core.reports import students
from lms_bot.core.reports.attention import by_attention
from lms_bot.core.reports.students import (
    Card,
    Concern,
    StudentSummary,
    Tally,
    all_concerns,
    concerns_of,
    trend,
)
from tests import NOW
from tests.delivery_scenario import GULNORA, JANE, OBRIEN, RAVI

DAY = timedelta(days=1)
FAILED, PASSED = EventType.EXAM_FAILED, EventType.EXAM_PASSED


def summary(
    student: Student, *why: Concern, average: float | None = 80.0, active: datetime | None = NOW
) -> StudentSummary:
    return StudentSummary(student, active, 0, None, average, why)


def card(*tallies: Tally, percentages: tuple[float, ...] = ()) -> Card:
    return students.card(JANE, NOW, tallies, percentages, [])


def test_one_thing_that_is_wrong_is_enough_to_need_attention() -> None:
    assert concerns_of(PASSED, 80.0) == ()
    assert concerns_of(FAILED, 80.0) == (Concern.LAST_FAILED,)
    assert concerns_of(PASSED, 49.9) == (Concern.LOW_AVERAGE,)
    assert concerns_of(FAILED, 10.0) == (Concern.LAST_FAILED, Concern.LOW_AVERAGE)


def test_an_average_on_the_pass_line_is_not_below_it() -> None:
    assert concerns_of(None, 50.0) == ()
    assert concerns_of(None, None) == ()


def test_b1_every_rule_about_students_is_a_concern_and_one_who_has_left_has_none() -> None:
    rules = [rule for rule in Rule if rule is not Rule.MANY_FAIL]
    assert set(all_concerns(JANE, concerns_of(FAILED, 10.0), rules)) == set(Concern)
    assert all_concerns(replace(JANE, is_active=False), concerns_of(FAILED, 10.0), rules) == ()


def test_more_points_come_first_then_any_concern_and_who_has_left_comes_last() -> None:
    more, some = summary(JANE, average=90.0), summary(RAVI, Concern.LOW_AVERAGE, average=1.0)
    concern, fine = summary(GULNORA, Concern.STREAK_BROKEN), summary(OBRIEN, average=60.0)
    gone = summary(replace(JANE, student_id=15, is_active=False), average=0.0)
    points = {JANE.student_id: 31, RAVI.student_id: 30}
    scores = {of: AttentionScore((Part(Reason.SILENCE, given, ""),)) for of, given in points.items()}
    assert by_attention([gone, fine, concern, some, more], scores) == [more, some, concern, fine, gone]


def test_among_equals_the_lower_average_and_the_longer_silence_come_first() -> None:
    unknown = summary(JANE, average=None)
    good, better = summary(RAVI, average=70.0), summary(GULNORA, average=90.0)
    silent = summary(OBRIEN, average=70.0, active=NOW - DAY)
    never = summary(replace(JANE, student_id=15), average=70.0, active=None)
    assert by_attention([unknown, better, good, silent, never], {}) == [never, silent, good, better, unknown]


def test_the_trend_is_the_last_five_exams_against_the_five_before() -> None:
    assert trend([80.0] * 5 + [60.0] * 5 + [0.0] * 20) == 20.0
    assert trend([50.0] * 5 + [60.0] * 3) == -10.0


def test_b3_fewer_than_three_exams_before_show_no_trend() -> None:
    assert trend([]) is None
    assert trend([50.0] * 5 + [60.0] * 2) is None


def test_the_average_is_over_finished_exams_that_have_a_percentage() -> None:
    found = card(
        Tally(EventType.EXAM_PASSED, "Maths", 3, 2, 170.0),
        Tally(EventType.EXAM_FAILED, None, 1, 1, 10.0),
        Tally(EventType.EXAM_STARTED, "Maths", 4, 4, 0.0),
        Tally(EventType.CONTENT_WATCHED, "Maths", 9, 9, 900.0),
    )
    assert found.average == 60.0
    assert found.scored == 3
    assert found.open_exams == 4
    assert found.counts[EventType.CONTENT_WATCHED] == 9


def test_the_pass_rate_leaves_out_exams_without_a_verdict() -> None:
    found = card(
        Tally(EventType.EXAM_PASSED, None, 3, 0, 0.0),
        Tally(EventType.EXAM_FAILED, None, 1, 0, 0.0),
        Tally(EventType.EXAM_COMPLETED, None, 7, 0, 0.0),
    )
    assert found.pass_rate == 75.0
    assert (found.passed, found.judged) == (3, 4)


def test_a_card_of_nothing_has_no_averages_and_no_division_by_zero() -> None:
    empty = students.card(JANE, None, [], [], [])
    assert (empty.average, empty.trend, empty.pass_rate, empty.courses) == (None, None, None, ())
    assert empty.concerns == ()


def test_courses_are_listed_by_title_and_what_has_none_is_left_out() -> None:
    found = card(
        Tally(EventType.EXAM_PASSED, "музыка", 1, 1, 70.0),
        Tally(EventType.EXAM_FAILED, "Музыка", 1, 1, 30.0),
        Tally(EventType.CONTENT_WATCHED, "Algebra", 5, 0, 0.0),
        Tally(EventType.CONTENT_WATCHED, None, 5, 0, 0.0),
        Tally(EventType.EXAM_COMPLETED, "Algebra", 1, 0, 0.0),
    )
    assert [(c.title, c.events, c.scored, c.average) for c in found.courses] == [
        ("Algebra", 6, 0, None),
        ("Музыка", 1, 1, 30.0),
        ("музыка", 1, 1, 70.0),
    ]


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        (85, 85.0), (0, 0.0), (66.5, 66.5), ("85", 85.0), (" 85 % ", 85.0), ("85,5%", 85.5), (-5, -5.0), (120, 120.0),
        (None, None), (True, None), ("", None), ("none", None), ("nan", None), ("1e999", None), (math.inf, None),
        (10**400, None), (1001, None), ([85], None), ({}, None), ("٨٥", 85.0),
    ],
)  # fmt: skip
def test_a_percentage_is_what_can_be_counted_with(value: object, counted: float | None) -> None:
    assert percentage({"percentage": value}) == counted


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_no_value_of_the_lms_breaks_an_average(value: Any) -> None:
    found = percentage({"percentage": value, "course_title": value})
    assert found is None or math.isfinite(found)
    assert course_key({"course_title": value}) is None or isinstance(value, str)


def test_without_a_percentage_there_is_none() -> None:
    assert percentage({}) is None
    assert course_key({}) is None
    assert course_key({"course_title": "Высшая МАТЕМАТИКА"}) == "высшая математика"
