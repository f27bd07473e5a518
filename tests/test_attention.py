"""Points of attention add up, each part with a reason; students are listed by them, and what is new is told apart."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core import attention
from lms_bot.core.alerts import Key, Opening, Outcome, Rule, Verdict
from lms_bot.core.attention import HIGHEST, WEIGHTS, AttentionFacts, Reason, score
from lms_bot.core.events import EventType
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.reports.mentor_overview import MentorOverview
from lms_bot.db.statements import StatementCounter
from lms_bot.reports.attention import mentor_overview
from lms_bot.store.alerts import alerts
from lms_bot.store.people import people
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import GULNORA, JANE, JANET, MENTORS, RAVI, School

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
WELL = AttentionFacts(True, first_at=NOW - 90 * DAY, learned_at=NOW, average=80.0, recent=10, before=10)
FAILED, PASSED = EventType.EXAM_FAILED, EventType.EXAM_PASSED


def parts(now: datetime = NOW, **changed: Any) -> dict[Reason, int]:
    """The points of a student who does well, but for what is changed."""
    return {part.name: part.points for part in score(replace(WELL, **changed), now).parts}


def sentence(**changed: Any) -> str:
    (part,) = score(replace(WELL, **changed), NOW).parts
    return part.sentence


# Points


def test_the_weights_come_to_a_hundred() -> None:
    assert sum(WEIGHTS.values()) == HIGHEST
    assert set(WEIGHTS) == set(Reason)


def test_who_does_well_has_no_points_and_who_has_left_has_none() -> None:
    assert score(WELL, NOW).points == 0
    assert score(replace(WELL, is_active=False, failures=9, average=0.0), NOW + 99 * DAY).parts == ()


@pytest.mark.parametrize(("gap", "allowed"), [(None, 5), (1, 5), (1.5, 5), (2, 6), (10, 30)])
def test_silence_counts_from_five_days_or_three_usual_gaps_on_and_in_full_at_twice_that(
    gap: float | None, allowed: int
) -> None:
    usual = None if gap is None else gap * DAY

    def after(silent: timedelta) -> int:
        return parts(NOW + silent, usual_gap=usual, before=0).get(Reason.SILENCE, 0)

    limit = allowed * DAY
    full = WEIGHTS[Reason.SILENCE]
    assert (after(limit - SECOND), after(limit), after(1.5 * limit)) == (0, round(full / 2), round(0.75 * full))
    assert after(2 * limit) == after(20 * limit) == full


def test_silence_is_since_the_first_event_or_the_enrolment_of_one_who_finished_nothing() -> None:
    nothing = {"learned_at": None, "recent": 0, "before": 0, "average": None}
    assert sentence(**nothing, first_at=NOW - 6 * DAY) == "Nothing was finished for 6 days."
    assert sentence(**nothing, first_at=None, enrolled_at=NOW - 5 * DAY) == "Nothing was finished for 5 days."
    assert sentence(**nothing, first_at=None) == "No activity is known."
    usually = sentence(learned_at=NOW - 30 * DAY, usual_gap=2.5 * DAY)
    assert usually == "Nothing was finished for 30 days, usually every 2.5 days."


@pytest.mark.parametrize(("count", "share"), [(0, 0), (1, 0.6), (2, 0.8), (3, 1.0), (40, 1.0)])
def test_one_failure_without_a_pass_gives_most_of_the_points_and_three_give_all(count: int, share: float) -> None:
    assert parts(failures=count).get(Reason.FAILURES, 0) == round(share * WEIGHTS[Reason.FAILURES])


def test_an_average_below_the_pass_mark_gives_points_and_more_the_lower_it_is() -> None:
    given = [parts(average=mark).get(Reason.RESULTS, 0) for mark in (None, 50.0, 49.99, 25.0, 0.0, -100.0)]
    assert given == [0, 0, 6, 16, 25, 25]
    assert sentence(average=45.25) == "The average is 45.2 %, below the pass mark of 50 %."


def test_results_below_the_class_give_points_and_all_at_thirty_points_below() -> None:
    below = (None, 20.0, -0.9, -1.0, -15.0, -30.0, -80.0)
    given = [parts(against_class=points).get(Reason.RESULTS, 0) for points in below]
    assert given == [0, 0, 0, 1, 12, 25, 25]
    assert sentence(against_class=-12.25) == "Results are 12.2 points below the class in the same exams."
    assert sentence(against_class=-3.0, average=45.0) == "The average is 45 %, below the pass mark of 50 %."


@pytest.mark.parametrize(
    ("recent", "before", "points"), [(0, 3, 0), (0, 4, 5), (2, 4, 2), (8, 10, 0), (7, 10, 2), (5, 4, 0)]
)
def test_a_fall_of_three_tenths_counts_where_enough_was_done_before(recent: int, before: int, points: int) -> None:
    assert parts(recent=recent, before=before).get(Reason.ACTIVITY, 0) == points


def test_what_is_open_for_four_days_is_stuck() -> None:
    assert parts(opened_at=NOW - 4 * DAY + SECOND) == {}
    assert parts(opened_at=NOW - 4 * DAY) == {Reason.STUCK: WEIGHTS[Reason.STUCK]}
    assert sentence(opened_at=NOW - 4 * DAY) == "What was opened 4 days ago is not finished."


def test_missed_deadlines_give_points_by_their_share_and_for_the_last_one() -> None:
    full = WEIGHTS[Reason.DEADLINES]
    one: dict[str, Any] = {"deadlines_due": 4, "deadlines_missed": 1}
    assert parts() == {}
    assert parts(**one) == {Reason.DEADLINES: round(0.6 * full / 4)}
    assert parts(**one, is_last_missed=True) == {Reason.DEADLINES: round(full * (0.6 / 4 + 0.4))}
    assert parts(deadlines_due=1, deadlines_missed=1, is_last_missed=True) == {Reason.DEADLINES: full}
    assert sentence(**one) == "1 of 4 deadlines were missed."
    assert sentence(**one, is_last_missed=True) == "1 of 4 deadlines were missed, the last one too."


def test_silence_counts_a_third_for_one_who_is_on_time() -> None:
    silent: dict[str, Any] = {"learned_at": NOW - 12 * DAY, "before": 0}
    full = WEIGHTS[Reason.SILENCE]
    assert parts(**silent) == {Reason.SILENCE: full}
    assert parts(**silent, is_on_time=True) == {Reason.SILENCE: round(0.35 * full)}
    assert sentence(**silent, is_on_time=True) == "Nothing was finished for 12 days, but no deadline was missed."


def test_nothing_about_who_somebody_is_gives_points() -> None:
    known = {field.name for field in fields(AttentionFacts)}
    assert known == {
        *("is_active", "enrolled_at", "first_at", "learned_at", "usual_gap", "average", "failures", "recent"),
        *("before", "opened_at", "against_class", "deadlines_due", "deadlines_missed", "is_last_missed", "is_on_time"),
    }
    assert "Student" not in inspect.getsource(attention)


WHEN = st.none() | st.integers(0, 200).map(lambda days: NOW - days * DAY)
FACTS = st.builds(
    AttentionFacts,
    is_active=st.booleans(),
    enrolled_at=WHEN,
    first_at=WHEN,
    learned_at=WHEN,
    usual_gap=st.none() | st.integers(1, 60).map(lambda days: days * DAY),
    average=st.none() | st.floats(-1000, 1000),
    failures=st.integers(0, 9),
    recent=st.integers(0, 30),
    before=st.integers(0, 30),
    opened_at=WHEN,
    against_class=st.none() | st.floats(-100, 100),
    deadlines_due=st.integers(0, 5),
    deadlines_missed=st.integers(0, 3),
    is_last_missed=st.booleans(),
    is_on_time=st.booleans(),
)


@given(FACTS)
def test_the_score_is_the_sum_of_its_parts_and_each_says_why(facts: AttentionFacts) -> None:
    found = score(facts, NOW)
    assert 0 <= found.points == sum(part.points for part in found.parts) <= HIGHEST
    assert [part.points for part in found.parts] == sorted((part.points for part in found.parts), reverse=True)
    for part in found.parts:
        assert 0 < part.points <= WEIGHTS[part.name]
        assert part.sentence.endswith(".")


# Lists


def test_students_are_listed_by_points_and_who_has_left_comes_last(store: Store) -> None:
    school = School.open(store)
    owe(
        store,
        [
            happened(JANE, "Algebra", FAILED, percentage=10),
            happened(JANET, "Algebra", PASSED, at=NOW - 30 * DAY, percentage=60),
            happened(RAVI, "Algebra", FAILED, percentage=0),
            happened(GULNORA, "Algebra", PASSED, percentage=90),
        ],
    )
    school.count_days()
    everybody = [JANE, JANET, replace(RAVI, is_active=False), GULNORA]
    with store.writing() as transaction:
        people.keep_people(transaction, everybody, MENTORS, {(1, one.student_id) for one in everybody}, NOW)
    assert school.ask("students") == (
        "**4 students** · 1 failing · 1 inactive\n\n"
        "* **Jane Smith** – last exam failed\n"
        "* **Janet O'Brien** – away 30 d\n\n"
        "```spoiler 1 doing well\n* **Гульнора Каримова** – 90% · 1 min ago · 🔥 1 d\n```\n\n"
        "```spoiler 1 who left\n* **Ravi Patel** – 0% · 1 min ago · 🔥 1 d\n```"
    )


@pytest.mark.parametrize("asked", ["students", "overview"])
def test_the_students_of_a_mentor_take_a_bounded_number_of_statements(store: Store, asked: str) -> None:
    school = School.open(store)
    counter = StatementCounter(store.engine)
    taken = []
    for count in (5, 500):
        many = [Student(2000 + number, f"student_{number:03}") for number in range(count)]
        with store.writing() as transaction:
            people.keep_people(transaction, many, MENTORS, {(1, one.student_id) for one in many}, NOW)
        owe(store, [happened(one, "Algebra", FAILED, percentage=10) for one in many])
        school.count_days()
        counter.take()
        if asked == "students":
            assert school.ask("students").startswith(f"**{count} students** · {count} failing")
        else:
            assert len(overview(school).attention.summaries) == count
        taken.append(counter.take())
    assert taken[0] == taken[1] <= 40


# The overview of a mentor


def overview(school: School) -> MentorOverview:
    with school.store.reading() as transaction:
        return mentor_overview(transaction, Principal.of(MENTORS[:1], []), school.settings, school.now)


def test_an_overview_says_what_is_new_since_yesterday_and_what_is_due(store: Store) -> None:
    school = School.open(store)
    passed, failed, _, _ = owe(
        store,
        [
            happened(JANE, "Algebra", PASSED, at=NOW - DAY, percentage=60),
            happened(RAVI, "Algebra", FAILED, at=NOW - SECOND, percentage=20),
            happened(JANE, "Geometry", PASSED, at=NOW - DAY - SECOND, percentage=60),
            happened(GULNORA, "Geometry", PASSED, percentage=60),
        ],
    )
    old, new, closed, foreign = (
        Opening(Key(mentor_id, who.student_id, Rule.STUCK, number), Verdict(Rule.STUCK, NOW), None)
        for number, (mentor_id, who) in enumerate([(1, JANE), (1, RAVI), (1, RAVI), (2, GULNORA)])
    )
    with store.writing() as transaction:
        alerts.open_new(transaction, [old], NOW - 2 * DAY)
        alerts.open_new(transaction, [new, closed, foreign], NOW)
        gone = [one for one in alerts.open_for_mentors(transaction, [1]) if one.subject_id == 2]
        alerts.close(transaction, [one.alert_id for one in gone], Outcome.DONE, NOW)
    found = overview(school)
    assert [event.event_id for event in found.changes.exams] == [failed.event_id, passed.event_id]
    assert [entry.alert.key for entry in found.changes.concerns] == [new.key]
    assert {entry.alert.key for entry in found.due} == {old.key, new.key}
    assert found.attention.summaries[0].student == RAVI


@pytest.mark.parametrize(("absent", "gap", "is_back"), [(4, None, False), (5, None, True), (5, 2, False), (6, 2, True)])
def test_who_did_something_after_a_silence_has_come_back(
    store: Store, absent: int, gap: int | None, is_back: bool
) -> None:
    school = School.open(store)
    back = NOW - timedelta(hours=1)
    rhythm = [back - absent * DAY - number * gap * DAY for number in range(12)] if gap else [back - absent * DAY]
    owe(store, [happened(JANE, "Algebra", at=at) for at in [*rhythm, back]])
    owe(store, [happened(RAVI, "Algebra", at=NOW - 9 * DAY), happened(JANET, "Algebra", at=back)])
    school.count_days()
    returned = overview(school).changes.returned
    assert [(one.student.student_id, one.absence) for one in returned] == (
        [(JANE.student_id, absent * DAY)] if is_back else []
    )


def test_who_needs_you_are_few_and_come_first(store: Store) -> None:
    school = School.open(store)
    many = [Student(2000 + number, f"student_{number:03}") for number in range(30)]
    with store.writing() as transaction:
        people.keep_people(transaction, many, MENTORS, {(1, one.student_id) for one in many}, NOW)
    owe(store, [happened(one, "Algebra", FAILED, percentage=5) for one in many[:9]])
    owe(store, [happened(one, "Algebra", FAILED, percentage=0) for one in many[9:11]])
    owe(store, [happened(one, "Algebra", PASSED, percentage=90) for one in many[11:]])
    school.count_days()
    found = overview(school)
    assert len(found.attention.needs_you) == 3
    assert found.attention.needs_you == found.attention.summaries[:3]
    assert found.as_json()["needs_you"] == [one.student.student_id for one in found.attention.summaries[:3]]


def test_an_overview_is_json(store: Store) -> None:
    school = School.open(store)
    owe(store, [happened(RAVI, "Algebra", FAILED, at=NOW - SECOND, percentage=20)])
    school.count_days()
    found = json.loads(json.dumps(overview(school).as_json()))
    ravi = found["students"][0]
    assert found["as_of"] == NOW.isoformat()
    assert (ravi["student_id"], ravi["username"], ravi["average_score"]) == (RAVI.student_id, "ravi", 20.0)
    assert ravi["attention"] == sum(reason["points"] for reason in ravi["reasons"])
    assert ravi["reasons"] == [
        {"name": "results", "points": 18, "sentence": "The average is 20 %, below the pass mark of 50 %."},
        {"name": "failures", "points": 6, "sentence": "1 exam was failed and not passed since."},
    ]
    assert found["changes"]["exams"][0]["percentage"] == 20
    assert found["due"] == []


def test_the_overview_fits_the_window_of_a_phone(store: Store) -> None:
    school = School.open(store)
    back = NOW - timedelta(hours=1)
    owe(
        store,
        [
            *(happened(RAVI, f"Exam {number}", FAILED, at=NOW - SECOND, percentage=20) for number in range(6)),
            *(
                happened(JANE, f"Exam {number}", PASSED, at=NOW - number * DAY / 4, percentage=60)
                for number in range(3)
            ),
            happened(JANET, "Algebra", at=back - 5 * DAY),
            happened(JANET, "Geometry", at=back),
        ],
    )
    school.count_days()
    openings = [
        Opening(Key(1, RAVI.student_id, Rule.STUCK, number), Verdict(Rule.STUCK, NOW), None) for number in range(6)
    ]
    with store.writing() as transaction:
        alerts.open_new(transaction, openings, NOW)
    said = school.ask("overview")
    lines = said.splitlines()
    assert lines[:2] == ["**3 students** · 1 needs attention", "* **Ravi Patel** – last exam failed"]
    assert lines.count("* 🎉 4 exams passed") == lines.count("* 👋 **Janet O'Brien** is back after 5 days") == 1
    assert "* … and 2 more: `feed type:exam_failed since:1d`" in lines
    assert lines[-1] == "* … and 2 more: `open`"
    assert len(lines) <= 20


def test_an_overview_of_nothing_says_so(store: Store) -> None:
    school = School.open(store)
    school.happens(JANE, 1)
    school.happens(RAVI, 1)
    school.happens(JANET, 1)
    school.count_days()
    school.forward(days=2)
    assert "**Since yesterday**\nNothing new.\n\n**Due**\nNo alert is open." in school.ask("overview")
