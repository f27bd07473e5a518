"""What is recommended rests on events that are named, comes by importance, and is at most three things."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.core.recommendations import (
    Advice,
    Attempt,
    Evidence,
    Opened,
    RecommendationFacts,
    SubjectResult,
    recommendations,
)
from lms_bot.reports.patterns import progress
from lms_bot.store import tables
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS
from tests.questions import ADA, ADMIN_STREAM, GULNORA, JANE, MENTORS, OMAR, OTHER_STREAM, School
from tests.test_render import live_tokens

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
FAILED, PASSED, STARTED = EventType.EXAM_FAILED, EventType.EXAM_PASSED, EventType.EXAM_STARTED
MATHS = frozenset({1})
_ids = itertools.count(1)


def evidence(table: str = ATTEMPTS) -> Evidence:
    number = next(_ids)
    return Evidence(1000 + number, table, number)


def attempt(
    outcome: EventType = FAILED, *, exam: int = 1, days: float = 4, courses: frozenset[int] = frozenset()
) -> Attempt:
    return Attempt(NOW - days * DAY, (ATTEMPTS, exam), f"Exam {exam}", outcome, courses, evidence())


def opened(*, days: float = 1, is_video: bool = True, courses: frozenset[int] = MATHS) -> Opened:
    return Opened(NOW - days * DAY, "Fractions", is_video, courses, evidence(CONTENT_ATTEMPTS))


def results(*percentages: float, days: int = 1) -> tuple[SubjectResult, ...]:
    """Results of one subject, newest first."""
    return tuple(
        SubjectResult((NOW - (days + number) * DAY).date(), mark, evidence()) for number, mark in enumerate(percentages)
    )


def advised(*tried: Attempt, **known: object) -> list[Advice]:
    facts = RecommendationFacts(True, attempts=tried, **known)  # type: ignore[arg-type]
    return [one.advice for one in recommendations(facts, NOW)]


def sentences(*tried: Attempt, **known: object) -> list[str]:
    facts = RecommendationFacts(True, attempts=tried, **known)  # type: ignore[arg-type]
    return [one.sentence for one in recommendations(facts, NOW)]


def test_nothing_is_recommended_where_there_is_nothing_to_say_or_the_student_has_left() -> None:
    assert advised() == []
    facts = RecommendationFacts(False, NOW - 90 * DAY, evidence(), attempts=(attempt(),))
    assert recommendations(facts, NOW) == []


@pytest.mark.parametrize(
    ("silent", "gap", "is_advised"),
    [
        (7 * DAY - SECOND, None, False),
        (7 * DAY, None, True),
        (7 * DAY, 2 * DAY, True),
        (9 * DAY, 3 * DAY, False),
        (9 * DAY + SECOND, 3 * DAY, True),
    ],
)
def test_a_meeting_after_seven_days_of_silence_and_more_than_three_usual_gaps(
    silent: timedelta, gap: timedelta | None, is_advised: bool
) -> None:
    assert advised(learned_at=NOW - silent, last=evidence(), usual_gap=gap) == [Advice.MEET] * is_advised


def test_a_meeting_says_how_long_nothing_was_finished_and_names_the_last_event() -> None:
    last = evidence()
    (found,) = recommendations(RecommendationFacts(True, NOW - 9 * DAY, last), NOW)
    assert (found.sentence, found.evidence) == ("Meet: nothing was finished for 9 days.", (last,))


@pytest.mark.parametrize(
    ("marks", "is_advised"),
    [
        ((49, 49), False),
        ((49, 49, 49), True),
        ((49, 50, 49), False),
        ((90, 49, 49, 49.9), True),
        ((90, 49, 49, 50, 0, 0), False),
        ((90, 90, 49, 49, 0, 0), False),
    ],
)
def test_a_subject_is_repeated_when_three_of_its_last_four_results_are_low(
    marks: tuple[float, ...], is_advised: bool
) -> None:
    assert advised(subjects=(("Algebra", results(*marks)),)) == [Advice.REPEAT] * is_advised


def test_a_subject_to_repeat_says_how_often_and_when_and_names_the_low_results() -> None:
    last = results(90, 10, 20, 30, 40)
    (found,) = recommendations(RecommendationFacts(True, subjects=(("Algebra", last),)), NOW)
    assert found.sentence == "Repeat Algebra: 3 of the last 4 results are below 50 %, the last on 2026-03-01."
    assert found.evidence == tuple(one.evidence for one in last[1:4])


@pytest.mark.parametrize(
    ("tried", "is_advised"),
    [
        ([attempt(days=3)], True),
        ([attempt(days=3 - 0.01)], False),
        ([attempt(days=60)], True),
        ([attempt(days=60.01)], False),
        ([attempt(PASSED, days=4), attempt(days=9)], False),
        ([attempt(days=4), attempt(PASSED, days=9)], True),
        ([attempt(STARTED, days=1), attempt(days=9)], False),
        ([attempt(STARTED, days=3), attempt(days=9)], True),
        ([attempt(PASSED, exam=2, days=1), attempt(days=9)], True),
        ([attempt(EventType.EXAM_COMPLETED, days=4), attempt(days=9)], False),
    ],
)
def test_an_exam_is_retaken_that_was_failed_last_and_not_tried_for_three_days(
    tried: list[Attempt], is_advised: bool
) -> None:
    assert advised(*tried) == [Advice.RETAKE] * is_advised


def test_what_is_open_in_the_course_of_a_failed_exam_goes_before_the_retake() -> None:
    failed, first, second = attempt(courses=MATHS), opened(), opened(days=2)
    elsewhere = opened(courses=frozenset({2}))
    (found,) = recommendations(RecommendationFacts(True, attempts=(failed,), opened=(first, second, elsewhere)), NOW)
    assert found.advice is Advice.PREPARE
    assert found.sentence == "Finish the 2 videos still open in its course before retaking Exam 1."
    assert found.evidence == (failed.evidence, first.evidence, second.evidence)
    assert sentences(failed, opened=(first, opened(is_video=False)))[0].startswith("Finish the 2 lessons still open")
    assert advised(failed, opened=(elsewhere,)) == [Advice.RETAKE]
    assert advised(replace_outcome(failed), opened=(first,)) == []


def replace_outcome(failed: Attempt) -> Attempt:
    return failed._replace(outcome=PASSED)


@pytest.mark.parametrize(("days", "is_advised"), [(4, True), (4 - 0.01, False)])
def test_what_is_open_for_four_days_is_to_be_finished(days: float, is_advised: bool) -> None:
    assert advised(stuck=opened(days=days)) == [Advice.FINISH] * is_advised


def test_what_waits_before_a_retake_is_not_said_twice() -> None:
    waiting = opened(days=9)
    assert advised(attempt(courses=MATHS), opened=(waiting,), stuck=waiting) == [Advice.PREPARE]


def test_the_most_important_comes_first_and_one_of_each_kind_before_a_second() -> None:
    low = tuple((f"Subject {number}", results(0, 0, 0, days=number)) for number in (1, 2))
    silent = {"learned_at": NOW - 9 * DAY, "last": evidence()}
    failed = [attempt(exam=number) for number in (1, 2, 3)]
    assert advised(*failed, **silent, subjects=low) == [Advice.MEET, Advice.RETAKE, Advice.REPEAT]
    assert advised(*failed[:2], subjects=low) == [Advice.RETAKE, Advice.REPEAT, Advice.RETAKE]
    assert [text.split(":")[0] for text in sentences(subjects=low)] == ["Repeat Subject 1", "Repeat Subject 2"]


WHEN = st.integers(0, 80).map(lambda days: NOW - days * DAY)
PROOF = st.builds(Evidence, st.integers(1, 99), st.just(ATTEMPTS), st.integers(1, 99))
COURSES = st.frozensets(st.integers(1, 2))
EXAM = st.tuples(st.just(ATTEMPTS), st.integers(1, 3))
TRIED = st.builds(Attempt, WHEN, EXAM, st.none(), st.sampled_from([FAILED, PASSED, STARTED]), COURSES, PROOF)
OPEN = st.builds(Opened, WHEN, st.none(), st.booleans(), COURSES, PROOF)
RESULT = st.builds(SubjectResult, st.just(date(2026, 3, 1)), st.floats(0, 100), PROOF)


@given(
    st.builds(
        RecommendationFacts,
        st.just(True),
        st.none() | WHEN,
        st.none() | PROOF,
        st.none() | st.integers(1, 30).map(lambda days: days * DAY),
        st.lists(TRIED, max_size=6).map(lambda found: tuple(sorted(found, key=lambda one: one.at, reverse=True))),
        st.lists(st.tuples(st.sampled_from("ab"), st.lists(RESULT, min_size=1, max_size=5).map(tuple))).map(tuple),
        st.lists(OPEN, max_size=3).map(tuple),
        st.none() | OPEN,
    )
)
def test_there_are_never_more_than_three_and_each_names_its_evidence(facts: RecommendationFacts) -> None:
    found = recommendations(facts, NOW)
    assert len(found) <= 3
    for one in found:
        assert one.evidence
        assert one.sentence.endswith(".")
    first = [one.advice for one in found]
    assert first[: len(set(first))] == sorted(set(first), key=list(Advice).index)


# In chat


@pytest.fixture
def school(store: Store) -> School:
    """Jane failed an exam of Maths whose video she has not finished, Ravi did nothing, Гульнора is Omar's."""
    opened = School.open(store)
    titles = {1: "Maths", 2: "English"}
    with store.writing() as transaction:
        transaction.execute(sa.insert(tables.courses), [{"course_id": n, "title": t} for n, t in titles.items()])
        transaction.execute(sa.insert(tables.course_students), [{"course_id": n, "student_id": 1001} for n in titles])
        items = [(1, "exam", ATTEMPTS, 501), (1, "video", CONTENT_ATTEMPTS, 7), (1, "text", CONTENT_ATTEMPTS, 8)]
        names = tables.course_items.c.keys()
        transaction.execute(
            sa.insert(tables.course_items),
            [dict(zip(names, item, strict=True)) for item in [*items, (2, *items[0][1:])]],
        )
    return opened


def study(school: School, title: str = "Algebra", subject: str = "Fractions") -> None:
    """Jane learned each morning for eight days, then failed three times, and has a video open."""
    mornings = [NOW - number * DAY - 5 * HOUR for number in range(12, 4, -1)]
    text = [happened(JANE, "Reading", EventType.CONTENT_COMPLETED, at=at)._replace(activity_id=8) for at in mornings]
    failed = [happened(JANE, title, FAILED, at=NOW - (4 + n) * DAY, source_id=40 + n, percentage=20) for n in range(3)]
    video = happened(JANE, "Film", EventType.CONTENT_STARTED, at=NOW - DAY, source_id=77, content_type="video")
    owe(school.store, [*text, *failed, video._replace(activity_id=7)])
    results = [
        {"source_table": "results", "source_id": n, "exam_source": ATTEMPTS, "attempt_id": 40 + n, "label": subject}
        | {"dimension": "subject", "correct": 1, "incorrect": 4, "unanswered": 0, "total": 5}
        for n in range(3)
    ]
    with school.store.writing() as transaction:
        transaction.execute(sa.insert(tables.attempt_results), results)
    school.count_days()


def test_progress_says_what_is_next_how_far_it_is_and_how_the_student_learns(school: School) -> None:
    study(school)
    assert school.ask("progress @jane_smith") == (
        "🧭 **Jane Smith**\n"
        "\n"
        "**Next**\n"
        "* Finish the video still open in its course before retaking Algebra. · `e40` `c77`\n"
        "* Repeat Fractions: 3 of the last 3 results are below 50 %, the last on 2026-02-26. · `e40` `e41` `e42`\n"
        "\n"
        "**Courses**\n"
        "* **English** · 1 of 1 (100%)\n"
        "* **Maths** · 2 of 3 (67%)\n"
        "\n"
        "**Learning**\n"
        "* Mostly active from 5 to 8 o'clock (67% of 12 times).\n"
        "* Most often active on Wednesdays (2 of 10 days).\n"
        "* Usually learns every day (median of 8 gaps)."
    )


def test_one_of_whom_little_is_known_is_said_so(school: School) -> None:
    assert school.ask("progress ravi") == ("🧭 **Ravi Patel**\n\nToo little is known yet to say how far Ravi Patel is.")


def test_a_mentor_asks_about_own_students_and_an_admin_about_everybody_alone(school: School) -> None:
    study(school)
    assert school.ask("progress jane", OMAR) == school.ask("progress nobody_at_all", OMAR).replace(
        "nobody_at_all", "jane"
    )
    for asking in (
        school.question("progress #1001", ADA, stream_id=ADMIN_STREAM),
        school.question("progress jane", stream_id=OTHER_STREAM),
    ):
        named = [message.recipient for message in school.answer(asking) if "Jane Smith" in message.content]
        assert [(one.user_ids, one.stream_id) for one in named] == [((asking.sender_id,), None)]
    with school.store.reading() as transaction:
        principal = Principal.of(MENTORS[1:], [])
        found = progress(transaction, principal, GULNORA.student_id, school.settings, NOW)
    assert (found.student.student_id, found.recommendations) == (GULNORA.student_id, ())


def test_no_title_of_the_lms_breaks_the_lines(school: School) -> None:
    hostile = "@**all** | [x](http://evil.example.com) `a` ~~~\n| b |"
    study(school, hostile, hostile)
    for line in school.ask("progress jane").split("\n"):
        words = line.removeprefix("* ").replace("**", "").split(" · `")[0]
        assert live_tokens(words) == []


def test_progress_is_json(school: School) -> None:
    study(school)
    with school.store.reading() as transaction:
        found = progress(transaction, Principal.of(MENTORS[:1], []), JANE.student_id, school.settings, NOW)
        known = set(transaction.scalars(sa.select(tables.events.c.event_id)))
    text = json.loads(json.dumps(found.as_json()))
    assert set(text) == {"student_id", "current_courses", "learning_patterns", "recommendations"}
    assert text["learning_patterns"]["gap"] == {
        "value": 1.0,
        "n": 8,
        "sentence": "Usually learns every day (median of 8 gaps).",
    }
    assert text["learning_patterns"]["pace"] == {"value": None, "n": 0, "sentence": None}
    assert {number for one in text["recommendations"] for number in one["event_ids"]} <= known
    assert text["current_courses"][1]["percentage"] == pytest.approx(200 / 3)
