"""How students do is what their events say now: superseded outcomes, mirrors and other students do not count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import fmean

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.core.events import NO_PRESENCE, Event, EventType, percentage
from lms_bot.core.people import Student
from lms_bot.core.reports.students import Card, Concern, StudentSummary
from lms_bot.store import tables
from lms_bot.store.events import events
from lms_bot.store.reports.students import card, scores, summaries
from lms_bot.store.session import Store
from tests import NOW
from tests.databases import empty, shared_store
from tests.delivery_scenario import GULNORA, JANE, OBRIEN, RAVI, happened, owe

DAY = timedelta(days=1)
STUDENTS = (JANE, RAVI, GULNORA, OBRIEN)


def summary_of(store: Store, student: Student) -> StudentSummary:
    with store.reading() as transaction:
        (found,) = summaries(transaction, [student])
    return found


def card_of(store: Store, student: Student) -> Card:
    with store.reading() as transaction:
        return card(transaction, student)


def supersede(store: Store, *old: Event) -> None:
    with store.writing() as transaction:
        events.supersede(transaction, [event.event_id for event in old])


def test_a_summary_says_what_the_table_of_students_shows(store: Store) -> None:
    _, _, failed, _ = owe(
        store,
        [
            happened(JANE, "Old", EventType.EXAM_PASSED, at=NOW - 3 * DAY, percentage=90),
            happened(JANE, "Unmarked", EventType.EXAM_COMPLETED, at=NOW - 2.5 * DAY),
            happened(JANE, "New", EventType.EXAM_FAILED, at=NOW - 2 * DAY, percentage=20),
            happened(JANE, "Open", EventType.EXAM_STARTED, at=NOW - DAY),
        ],
    )
    found = summary_of(store, JANE)
    assert found == StudentSummary(JANE, NOW - DAY, 1, failed, 55.0, (Concern.LAST_FAILED,))
    assert found.is_failing
    assert not found.is_inactive


def test_a_student_without_events_has_a_summary_too(store: Store) -> None:
    assert summary_of(store, OBRIEN) == StudentSummary(OBRIEN, None, 0, None, None, ())
    assert card_of(store, OBRIEN).counts == {}


def test_nobody_has_no_summaries(store: Store) -> None:
    with store.reading() as transaction:
        assert summaries(transaction, []) == []


def test_two_hundred_students_stand_in_the_order_in_which_they_were_asked_for(store: Store) -> None:
    many = [Student(number, f"student_{number}") for number in range(1, 201)]
    owe(store, [happened(s, "Exam", EventType.EXAM_PASSED, percentage=s.student_id % 100) for s in many])
    with store.reading() as transaction:
        found = summaries(transaction, many)
    assert [(one.student, one.average) for one in found] == [(one, one.student_id % 100) for one in many]
    assert sum(one.is_failing for one in found) == 100


def test_a_regraded_exam_counts_once_by_its_outcome_of_today(store: Store) -> None:
    failed, passed = owe(
        store,
        [
            happened(JANE, "Algebra", EventType.EXAM_FAILED, source_id=7, percentage=20),
            happened(JANE, "Algebra", EventType.EXAM_PASSED, source_id=7, percentage=80),
        ],
    )
    supersede(store, failed)
    found = summary_of(store, JANE)
    assert (found.average, found.last_result, found.concerns) == (80.0, passed, ())
    assert card_of(store, JANE).counts == {EventType.EXAM_PASSED: 1}


def test_a_corrected_percentage_is_counted_as_corrected(store: Store) -> None:
    (passed,) = owe(store, [happened(JANE, "Algebra", EventType.EXAM_PASSED, percentage=80, course_title="Maths")])
    corrected = passed._replace(metadata={"percentage": "60%", "course_title": "МУЗЫКА"})
    with store.writing() as transaction:
        events.restate(transaction, {passed.event_id: corrected})
    assert summary_of(store, JANE).average == 60.0
    assert [course.title for course in card_of(store, JANE).courses] == ["МУЗЫКА"]
    with store.reading() as transaction:
        assert transaction.scalar(sa.select(tables.events.c.course_key)) == "музыка"


def test_a_finished_exam_is_no_longer_open(store: Store) -> None:
    started, _ = owe(
        store,
        [
            happened(JANE, "Algebra", EventType.EXAM_STARTED, source_id=7),
            happened(JANE, "Algebra", EventType.EXAM_COMPLETED, source_id=7),
        ],
    )
    supersede(store, started)
    assert summary_of(store, JANE).open_exams == 0


def test_content_that_mirrors_an_exam_is_not_counted(store: Store) -> None:
    mirror = happened(JANE, "Algebra", EventType.CONTENT_COMPLETED, course_title="Maths")._replace(mirrors=7)
    owe(store, [happened(JANE, "Algebra", EventType.EXAM_PASSED, source_id=7, course_title="Maths"), mirror])
    found = card_of(store, JANE)
    assert found.counts == {EventType.EXAM_PASSED: 1}
    assert [(course.title, course.events) for course in found.courses] == [("Maths", 1)]


def test_a_card_shows_the_last_five_exams_and_the_trend_of_ten(store: Store) -> None:
    marks = [10, 40, 40, 40, 40, 40, 60, 70, 80, 90, 100]
    taken = owe(
        store, [happened(JANE, "Exam", at=NOW - (len(marks) - n) * DAY, percentage=m) for n, m in enumerate(marks)]
    )
    (unmarked,) = owe(store, [happened(JANE, "Unmarked", EventType.EXAM_COMPLETED)])
    found = card_of(store, JANE)
    assert found.last_exams == (unmarked, *taken[:-5:-1])
    assert found.trend == 40.0
    assert found.average == fmean(marks)
    assert found.scored == 11
    assert found.last_active == NOW


def test_scores_are_the_last_exams_with_a_percentage_oldest_first(store: Store) -> None:
    marked = owe(store, [happened(JANE, "Exam", at=NOW - n * DAY, percentage=n) for n in (3, 2, 1)])
    owe(store, [happened(JANE, "Unmarked"), happened(RAVI, "Exam", percentage=99)])
    with store.reading() as transaction:
        assert scores(transaction, JANE.student_id, None, 10) == marked
        assert scores(transaction, JANE.student_id, None, 2) == marked[1:]
        assert scores(transaction, JANE.student_id, NOW - 2 * DAY, 10) == marked[1:]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(STUDENTS),
        st.sampled_from(EventType),
        st.integers(0, 20),  # days ago: some at the same moment
        st.sampled_from([None, 0, 35, 50, 70.5, "80%", "bad", 10**9]),
        st.booleans(),  # superseded
        st.booleans(),  # a mirror, for content
        st.sampled_from([None, "Maths", "Музыка"]),
    ),
    max_size=25,
)


def counted(found: Iterable[Event], student: Student) -> list[Event]:
    """The student's events that count, newest first."""
    of_student = [event for event in found if event.student_id == student.student_id]
    own = [event for event in of_student if event.mirrors is None and not event.event_type.is_by_clock]
    return sorted(own, key=lambda event: (event.timestamp, event.event_id), reverse=True)


def marks_of(found: Sequence[Event]) -> list[float]:
    return [m for e in found if e.event_type.is_exam_end and (m := percentage(e.metadata)) is not None]


@settings(max_examples=60)
@given(rows=ROWS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_summaries_and_cards_are_what_a_recount_gives(
    rows: list[tuple[Student, EventType, int, object, bool, bool, str | None]],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = shared_store(kind, request, tmp_path_factory)
    observed = [
        happened(student, "Exam", event_type, at=NOW - days * DAY, percentage=mark, course_title=course)._replace(
            mirrors=1 if is_mirror and event_type.startswith("content") else None
        )
        for student, event_type, days, mark, _, is_mirror, course in rows
    ]
    with store.writing() as transaction:
        empty(transaction)
    recorded = owe(store, observed)
    old = [event for event, row in zip(recorded, rows, strict=True) if row[4]]
    supersede(store, *old)
    current = [event for event in recorded if event not in old]
    for student in STUDENTS:
        own = counted(current, student)
        ends = [event for event in own if event.event_type.is_exam_end]
        marks = marks_of(own)
        own_ever = [e for e in recorded if e.student_id == student.student_id]
        everything = [e.timestamp for e in own_ever if e.event_type not in NO_PRESENCE]
        found, whole = summary_of(store, student), card_of(store, student)
        assert found.last_active == whole.last_active == max(everything, default=None)
        assert found.open_exams == whole.open_exams == sum(e.event_type is EventType.EXAM_STARTED for e in own)
        assert found.last_result == (ends[0] if ends else None)
        assert found.average == (pytest.approx(fmean(marks)) if marks else None)
        assert whole.average == (pytest.approx(fmean(marks)) if marks else None)
        assert found.concerns == whole.concerns
        assert sum(whole.counts.values()) == len(own)
        assert whole.last_exams == tuple(ends[:5])
        assert sum(course.events for course in whole.courses) == sum(
            e.metadata["course_title"] is not None for e in own
        )
