"""What was to be handed in and was not is told after a day, once for all of it, and silence is judged beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.academics.deadlines import CLASS_GRACE, GRACE, Deadline, is_on_time, standing
from lms_bot.core.alert_rules import Facts, true_verdicts, verdicts
from lms_bot.core.alerting.facts import on_time_until, with_deadlines
from lms_bot.core.alerts import DEFAULTS, Rule, Verdict
from lms_bot.store import tables
from lms_bot.store.academics import deadlines
from lms_bot.store.alerts.deadlines import deadlines_of
from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import BOTH, Place
from tests.lms_rows import GULNORA, JANE, NOW, QUIZ, QUIZ_CONTENT, RAVI, VIDEO

ALGEBRA = Deadline(NOW, "Algebra", 5, 0, False)
GEOMETRY = Deadline(NOW + 3 * DAY, "Geometry", 5, 0, False)


def missed(now: datetime, *due: Deadline) -> Verdict | None:
    """The verdict about one who has learned this minute and has these deadlines."""
    facts = Facts(JANE, True, learned_at=now, first_at=NOW, **with_deadlines(due, None, now))
    return true_verdicts(verdicts(facts, DEFAULTS), now).get((Rule.DEADLINE_MISSED, 0))


# The rule


def test_what_is_not_handed_in_a_day_after_it_was_due_is_missed() -> None:
    assert missed(NOW + GRACE - HOUR, ALGEBRA) is None
    found = missed(NOW + GRACE, ALGEBRA)
    assert found is not None
    assert (found.at, found.level, found.title) == (NOW + GRACE, 1, "Algebra")
    assert missed(NOW + GRACE, ALGEBRA._replace(is_done=True)) is None


@pytest.mark.parametrize(("expected", "handed_in", "days"), [(9, 0, 1), (10, 7, 10), (10, 8, 1), (200, 159, 10)])
def test_what_most_of_a_class_has_not_handed_in_either_is_missed_later(
    expected: int, handed_in: int, days: int
) -> None:
    one = ALGEBRA._replace(expected=expected, handed_in=handed_in)
    assert missed(NOW + days * DAY - HOUR, one) is None
    assert missed(NOW + days * DAY, one) is not None


def test_a_second_miss_is_the_same_alert_and_more_serious() -> None:
    found = missed(NOW + 4 * DAY, ALGEBRA, GEOMETRY)
    assert found is not None
    assert (found.at, found.level, found.title, found.numbers["missed"]) == (NOW + 4 * DAY, 2, "Geometry", 2)
    assert found.numbers["titles"] == ["Geometry", "Algebra"]
    third = GEOMETRY._replace(until=NOW + 5 * DAY, title="Physics")
    found = missed(NOW + 6 * DAY, ALGEBRA, GEOMETRY, third)
    assert found is not None
    assert (found.level, found.title, found.numbers["missed"]) == (2, "Physics", 3)


def test_a_miss_stands_for_two_weeks() -> None:
    assert missed(NOW + GRACE + 14 * DAY - HOUR, ALGEBRA) is not None
    assert missed(NOW + GRACE + 14 * DAY, ALGEBRA) is None


def test_what_was_due_before_the_enrolment_is_nobodys() -> None:
    assert with_deadlines([ALGEBRA], NOW + HOUR, NOW + 9 * DAY) == {"deadlines": (), "is_on_time": False}
    assert with_deadlines([ALGEBRA], NOW, NOW + 9 * DAY)["deadlines"] == (ALGEBRA,)


DUE = st.builds(
    Deadline,
    until=st.integers(-40, 40).map(lambda days: NOW + days * DAY),
    title=st.none(),
    expected=st.integers(0, 30),
    handed_in=st.integers(0, 30),
    is_done=st.booleans(),
)


@given(st.lists(DUE, max_size=6))
def test_nobody_is_on_time_and_late_at_once(due: list[Deadline]) -> None:
    stands = standing(due, GRACE, NOW)
    assert set(stands.missed) <= set(stands.due)
    assert not (stands.missed and is_on_time(due, GRACE, NOW))
    assert all(one.until + GRACE <= NOW and not one.is_done for one in stands.missed)
    assert stands.is_last_missed <= bool(stands.missed)


def test_silence_says_little_of_one_who_has_something_due_and_missed_nothing() -> None:
    assert is_on_time([GEOMETRY], GRACE, NOW)
    assert is_on_time([ALGEBRA._replace(is_done=True)], GRACE, NOW + 13 * DAY)
    assert not is_on_time([ALGEBRA._replace(is_done=True)], GRACE, NOW + 14 * DAY)
    assert not is_on_time([ALGEBRA, GEOMETRY], GRACE, NOW + GRACE)
    assert not is_on_time([], GRACE, NOW)


def test_who_is_on_time_is_judged_again_when_the_last_deadline_is_two_weeks_past() -> None:
    kept = ALGEBRA._replace(is_done=True)
    assert on_time_until(Facts(JANE, True, **with_deadlines([kept], None, NOW + DAY))) == NOW + 14 * DAY
    assert on_time_until(Facts(JANE, True, **with_deadlines([ALGEBRA], None, NOW + DAY))) is None


# The worker


@pytest.fixture
def scenario(place: Place) -> Iterator[AlertScenario]:
    with AlertScenario.at(place) as scenario:
        for student in (JANE, RAVI, GULNORA):
            scenario.ends("pass", NOW - HOUR, student=student, exam=507, percent=80)
        scenario.poll(NOW)
        yield scenario


def due(scenario: AlertScenario, until: datetime, exam: int = QUIZ) -> None:
    """An exam gets an end, which the worker reads within 15 minutes."""
    scenario.watch.rows.run(
        "UPDATE exams SET end_date = :until WHERE id = :id", {"until": until.isoformat(), "id": exam}
    )
    scenario.poll(scenario.now + timedelta(minutes=20))


def ends(scenario: AlertScenario, until: datetime, content: int) -> None:
    """A content gets an end."""
    change = 'UPDATE "ChapterContent" SET "end" = :until WHERE id = :id'
    scenario.watch.rows.run(change, {"until": until.isoformat(), "id": content})


def only(scenario: AlertScenario, *students: int) -> None:
    """Of the batch only these are left."""
    scenario.watch.rows.run(f'DELETE FROM "_BatchToStudent" WHERE "B" NOT IN {(*students, 0)}')
    scenario.poll(scenario.now + timedelta(minutes=20))


@BOTH
def test_a_missed_deadline_is_told_after_a_day_once_and_is_over_when_it_is_handed_in(scenario: AlertScenario) -> None:
    only(scenario, JANE, RAVI)
    due(scenario, NOW + 2 * DAY)
    scenario.ends("pass", NOW + DAY, student=RAVI, percent=70)
    scenario.live(NOW + 3 * DAY - HOUR)
    assert scenario.told() == []
    scenario.live(NOW + 4 * DAY)
    [text] = [told for told in scenario.told() if "Deadline" in told]
    assert text.startswith(f"🟡 **⏰ Deadline Missed** · {scenario.alerts('deadline_missed')[0].name}\n\n")
    assert (
        "**Jane Smith** (jane_smith) has not handed in **Python Basics Quiz**, which was due <time:2026-03-04T" in text
    )
    scenario.ends("fail", scenario.now + HOUR, student=JANE, percent=30)
    scenario.live(scenario.now + 6 * HOUR)
    assert [alert.outcome for alert in scenario.alerts("deadline_missed")] == ["over"]


def test_a_silent_student_who_misses_no_deadline_stands_in_open_and_is_told_of_when_one_is_missed(
    scenario: AlertScenario,
) -> None:
    only(scenario, JANE)
    due(scenario, NOW + 8 * DAY)
    scenario.live(NOW + 7 * DAY)
    [alert] = scenario.alerts("inactive", student_id=JANE)
    assert (alert.untold, alert.told_at) == ("on time", None)
    assert "the student has missed no deadline" in scenario.ask(f"why {alert.name}")
    scenario.live(NOW + 10 * DAY)
    of_jane = [text for text in scenario.told() if "Jane Smith" in text]
    assert len(of_jane) == 1
    assert "Deadline Missed" in of_jane[0]


def test_what_was_missed_before_deadlines_were_known_is_no_news(scenario: AlertScenario) -> None:
    only(scenario, JANE)
    scenario.live(NOW + 2 * DAY)
    due(scenario, NOW)
    scenario.live(NOW + 4 * DAY)
    [alert] = scenario.alerts("deadline_missed")
    assert (alert.untold, alert.told_at) == ("baseline", None)


def test_a_content_that_ends_is_a_deadline_and_watching_it_keeps_that(scenario: AlertScenario) -> None:
    run = scenario.watch.rows.run
    ends(scenario, NOW + DAY, VIDEO)
    only(scenario, JANE, RAVI)
    scenario.opens(NOW + HOUR, student=RAVI)
    run("UPDATE content_attempts SET state = 'watched', completed_on = :at", {"at": (NOW + 2 * HOUR).isoformat()})
    scenario.live(NOW + 3 * DAY)
    assert {alert.student_id for alert in scenario.opened("deadline_missed")} == {JANE}


def test_classes_are_counted_and_who_waited_for_them_is_judged(scenario: AlertScenario) -> None:
    store = scenario.watch.store
    run = scenario.watch.rows.run
    for number in range(3000, 3010):
        new = {"id": number, "name": f"s{number}"}
        run("INSERT INTO students (id, username, is_active) VALUES (:id, :name, 1)", new)
        run('INSERT INTO "_BatchToStudent" ("A", "B") VALUES (301, :id)', new)
    only(scenario, JANE, *range(3000, 3010))
    due(scenario, NOW + DAY)
    for number in range(3000, 3009):
        scenario.ends("pass", NOW + (3 * DAY if number > 3004 else HOUR), student=number, percent=70)
    scenario.live(NOW + 2.5 * DAY)
    assert scenario.opened("deadline_missed") == []
    scenario.live(NOW + 3.5 * DAY)
    assert {alert.student_id for alert in scenario.opened("deadline_missed")} == {JANE}
    with store.reading() as transaction:
        row = transaction.execute(sa.select(tables.deadlines)).one()
        assert (row.expected, row.handed_in, row.title) == (11, 9, "Python Basics Quiz")
        assert deadlines_of(transaction, [JANE, OUTSIDER]) == {
            JANE: (Deadline(NOW + DAY, "Python Basics Quiz", 11, 9, False),)
        }
        results = {row.activity_id: row for row in transaction.execute(sa.select(tables.class_results))}
    assert (results[QUIZ].results, results[QUIZ].average) == (9, 70.0)


def test_an_item_that_ends_twice_is_due_once_at_the_later_end(scenario: AlertScenario) -> None:
    only(scenario, JANE)
    ends(scenario, NOW + DAY, QUIZ_CONTENT)
    due(scenario, NOW + 3 * DAY)
    with scenario.watch.store.reading() as transaction:
        assert [one.until for one in deadlines_of(transaction, [JANE])[JANE]] == [NOW + 3 * DAY]
        assert deadlines.members_of(transaction, {("attempts", QUIZ)}) == {JANE}


OUTSIDER = 99_999
assert CLASS_GRACE > GRACE
