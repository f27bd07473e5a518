"""Patterns, attention and progress are what a naive recount gives, and silent where that rests on too little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.core.attention import AttentionFacts
from lms_bot.core.events import FINISHING, OPENING, EventType
from lms_bot.core.people import Student
from lms_bot.core.principal import Principal
from lms_bot.core.reports import patterns
from lms_bot.core.reports.academics.facts import CourseProgress
from lms_bot.core.reports.patterns import Finished, Observations, Pattern, Progress
from lms_bot.reports.patterns import progress
from lms_bot.store import tables
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.people import people
from lms_bot.store.reports import courses
from lms_bot.store.reports.attention import attention_facts
from lms_bot.store.session import Store, Transaction
from lms_bot.store.streaks import days
from tests import NOW
from tests.databases import empty, shared_store
from tests.delivery_scenario import JANE, MARY, SETTINGS, happened, owe
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TASHKENT = ZoneInfo("Asia/Tashkent")
UTC = ZoneInfo("UTC")
PUPILS = [JANE, *(Student(number, f"student_{number}") for number in range(20, 31))]
PASSED, FAILED, STARTED = EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_STARTED

# What is said, and from when on


def silent(found: Pattern) -> bool:
    assert bool(found.sentence) == (found.value is not None)
    return found.value is None


def test_the_hours_are_those_in_which_most_is_done_by_the_clock_of_the_student() -> None:
    evenings = [NOW.replace(hour=16) + DAY * number for number in range(8)]
    mornings = [NOW.replace(hour=4) + DAY * number for number in range(4)]
    found = patterns.hour([*evenings, *mornings], TASHKENT)
    assert found == Pattern(19, 12, "Mostly active from 19 to 22 o'clock (67% of 12 times).")
    assert silent(patterns.hour(evenings + mornings[:3], TASHKENT))


def test_the_hours_may_go_over_midnight() -> None:
    moments = [NOW.replace(hour=hour, day=day) for hour in (22, 23, 0) for day in range(1, 5)]
    assert patterns.hour(moments, UTC).sentence == "Mostly active from 22 to 1 o'clock (100% of 12 times)."


def test_the_weekday_is_that_of_most_days_with_activity() -> None:
    monday = date(2026, 3, 2)
    week = [monday + DAY * number for number in range(7)]
    assert silent(patterns.weekday(week))
    found = patterns.weekday([*week, monday + 8 * DAY])
    assert found == Pattern(1, 8, "Most often active on Tuesdays (2 of 8 days).")


def test_days_a_week_are_counted_since_the_first_day_of_learning() -> None:
    today = date(2026, 3, 14)
    learned = [date(2026, 3, day) for day in (1, 3, 5, 9)]
    found = patterns.days_per_week(learned, today)
    assert found == Pattern(2.0, 4, "Learns on 2 days a week (4 of 14 days).")
    assert silent(patterns.days_per_week(learned, today - DAY))
    assert silent(patterns.days_per_week(learned[:3], today))
    assert silent(patterns.days_per_week([], today))


def test_the_usual_gap_is_the_median_of_at_least_three() -> None:
    learned = [date(2026, 3, day) for day in (1, 3, 5, 9)]
    assert patterns.gap(learned) == Pattern(2.0, 3, "Usually learns every 2 days (median of 3 gaps).")
    assert silent(patterns.gap(learned[:3]))
    everyday = [date(2026, 3, day) for day in (1, 2, 3, 4)]
    assert patterns.gap(everyday).sentence == "Usually learns every day (median of 3 gaps)."


@pytest.mark.parametrize(
    ("taken", "said"), [(25.0, "25 minutes"), (119.4, "119 minutes"), (150.0, "2 hours"), (4320.0, "3 days")]
)
def test_the_time_until_something_is_finished_is_the_median_of_at_least_three(taken: float, said: str) -> None:
    found = patterns.minutes([1.0, taken, 9999.0], "Finishes a lesson", "lessons")
    assert found == Pattern(taken, 3, f"Finishes a lesson {said} after opening it (median of 3 lessons).")
    assert silent(patterns.minutes([1.0, taken], "Finishes a lesson", "lessons"))


def finished(number: int, outcome: EventType = PASSED, *, at: datetime = NOW, course: int = 1) -> Finished:
    return Finished(at, (ATTEMPTS, number), outcome, frozenset({course}))


def test_a_video_counts_for_an_exam_of_its_course_within_seven_days_after() -> None:
    exams = [finished(number, at=NOW - number * DAY) for number in range(4)]
    course, other = frozenset({1}), frozenset({2})
    for videos, watched in (
        ([(NOW - 7 * DAY, course)], 4),
        ([(NOW - 7 * DAY - HOUR, course)], 3),
        ([(NOW - 2 * DAY, course)], 3),
        ([(NOW - 7 * DAY, other)], 0),
        ([(NOW + HOUR, course)], 0),
    ):
        found = patterns.watched_before(Observations(attempts=exams, videos=videos), NOW)
        assert (found.value, found.n) == (25.0 * watched, 4)
        assert found.sentence == f"Watched a video of the course in the week before {watched} of 4 exams."
    nowhere = [exam._replace(courses=frozenset()) for exam in exams]
    assert silent(patterns.watched_before(Observations(attempts=exams[:3] + nowhere), NOW))
    old = [finished(9, at=NOW - 91 * DAY)]
    assert silent(patterns.watched_before(Observations(attempts=exams[:3] + old), NOW))


def test_attempts_are_counted_until_the_first_pass_over_three_exams_that_were_passed() -> None:
    tried = [finished(1, FAILED), finished(2), finished(1), finished(1, FAILED), finished(3), finished(4, FAILED)]
    found = patterns.attempts(tried)
    assert found == Pattern(fmean([2, 1, 1]), 3, "Needs 1.3 attempts to pass (mean of 3 exams).")
    assert silent(patterns.attempts(tried[:4]))


def test_the_pace_is_the_mean_of_what_is_before_or_behind_in_each_course() -> None:
    ahead = CourseProgress(1, "Maths", 8, 10, 12, 50.0)
    behind = CourseProgress(2, "English", 2, 10, 12, 30.0)
    alone, empty = CourseProgress(3, "Art", 2, 10), CourseProgress(4, "Music", 0, 0)
    assert patterns.pace([ahead]).sentence == "Is 30 points ahead of the median of those who take the same (1 course)."
    assert patterns.pace([behind]).sentence == "Is 10 points behind the median of those who take the same (1 course)."
    assert patterns.pace([ahead, behind, alone, empty]).value == 10.0
    assert silent(patterns.pace([alone, empty]))


def test_fewer_than_ten_are_not_compared() -> None:
    assert patterns.median_share({1: 5}, range(10), 10) == 0.0
    assert patterns.median_share(dict.fromkeys(range(5), 5), range(10), 10) == 25.0
    assert patterns.median_share({1: 5}, range(9), 10) is None
    assert patterns.median_share({}, range(10), 0) is None


@pytest.mark.parametrize("alone", [True, False])
def test_at_most_twenty_five_on_each_side_are_compared_and_nobody_who_left(store: Store, alone: bool) -> None:
    many = [Student(number, f"student_{number}", is_active=number != 99) for number in range(1, 151)]
    group = {"course_id": 1} if alone else {"batch_id": 7}
    with store.writing() as transaction:
        people.keep_people(transaction, many, [MARY], [], NOW)
        transaction.execute(sa.insert(tables.courses).values(course_id=1, title="Maths"))
        transaction.execute(sa.insert(tables.course_batches).values(course_id=1, batch_id=7))
        table = tables.course_students if alone else tables.batch_students
        transaction.execute(sa.insert(table), [{**group, "student_id": one.student_id} for one in many])
    with store.reading() as transaction:
        compared = {number: courses.progress(transaction, number)[0].takers for number in (1, 73, 74, 99, 125, 150)}
    assert compared == {1: 26, 73: 51, 74: 50, 99: 51, 125: 51, 150: 26}


def test_hours_and_days_are_those_of_a_student_with_a_time_zone_of_their_own(store: Store) -> None:
    moments = [NOW.replace(hour=22) - number * DAY for number in range(1, 13)]
    owe(store, [happened(JANE, "Algebra", at=at) for at in moments])
    with store.writing() as transaction:
        people.keep_people(transaction, [JANE], [MARY], {(MARY.mentor_id, JANE.student_id)}, NOW)
        transaction.execute(sa.insert(tables.student_zones).values(student_id=JANE.student_id, zone="Asia/Tashkent"))
    with store.reading() as transaction:
        found = progress(transaction, Principal.of([MARY], []), JANE.student_id, SETTINGS, NOW)
    assert (found.patterns.hour.value, found.patterns.weekday.value) == (1, 0)


# The recount

KINDS = [PASSED, PASSED, FAILED, FAILED, EventType.EXAM_COMPLETED, STARTED, STARTED]
KINDS += [EventType.CONTENT_STARTED, EventType.CONTENT_STARTED, EventType.CONTENT_COMPLETED]
KINDS += [EventType.CONTENT_WATCHED, EventType.CONTENT_PROGRESS, EventType.CERTIFICATION_ISSUED]
ROW = st.tuples(
    st.sampled_from([*[JANE] * 12, *PUPILS]),
    st.sampled_from(KINDS),
    st.integers(1, 5),  # the activity
    st.integers(1, 12),  # the row
    st.integers(0, 1),  # its episode
    st.integers(1, 100 * 24),  # hours ago
    st.sampled_from([None, 0, 30, 49.5, 50, 90]),
    st.sampled_from(["current", "current", "current", "superseded", "withdrawn", "mirror"]),
    st.sampled_from(["video", "text", None]),
    st.sampled_from([50, 90]),
)
ROWS = st.lists(ROW, max_size=12) | st.lists(ROW, min_size=50, max_size=70)
ITEM = st.tuples(
    st.integers(1, 2), st.sampled_from("abc"), st.sampled_from([ATTEMPTS, CONTENT_ATTEMPTS]), st.integers(1, 5)
)
ITEMS = st.sets(ITEM, max_size=10)
_stores: dict[str, Store] = {}


@settings(max_examples=40)
@given(rows=ROWS, items=ITEMS, alone=st.booleans(), left=st.sets(st.sampled_from(PUPILS[1:]), max_size=2))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_facts_patterns_and_courses_are_what_a_recount_gives(
    rows: list[Any],
    items: set[tuple[int, str, str, int]],
    alone: bool,
    left: set[Student],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = shared_store(kind, request, tmp_path_factory)
    fill(store, rows, items, alone, left)
    with store.reading() as transaction:
        recorded = [row._mapping for row in transaction.execute(sa.select(tables.events))]
        ids = [pupil.student_id for pupil in PUPILS]
        for student_id, found in attention_facts(transaction, facts_of(transaction, ids, TASHKENT, NOW), NOW).items():
            is_active = student_id not in {one.student_id for one in left}
            expected = recounted_facts(own(recorded, student_id), is_active)
            assert replace(found, average=None) == replace(expected, average=None)
            assert found.average == (None if expected.average is None else pytest.approx(expected.average))
        shown = ask(transaction, JANE)
    takers = [pupil.student_id for pupil in PUPILS if pupil not in left]
    assert list(shown.courses) == list(recounted_courses(recorded, items, takers))
    compare(shown, Recount(own(recorded, JANE.student_id), items))


def compare(shown: Progress, expected: Recount) -> None:
    seen = shown.patterns
    assert seen.hour == patterns.hour(expected.moments(), TASHKENT)
    assert seen.weekday == patterns.weekday({local(moment) for moment in expected.moments()})
    learned = learned_days(expected.rows)
    assert seen.days_per_week == patterns.days_per_week(learned, local(NOW))
    assert seen.gap == patterns.gap(learned)
    for found, of in ((seen.content_minutes, "content"), (seen.exam_minutes, "exam")):
        lengths = expected.minutes(of)
        assert (found.n, found.value) == (len(lengths), median(lengths) if len(lengths) >= 3 else None)
    exams, watched = expected.watched_before()
    assert seen.watched_before.n == exams
    assert seen.watched_before.value == (100 * watched / exams if exams >= 4 else None)
    needed = expected.attempts()
    assert seen.attempts.n == len(needed)
    assert seen.attempts.value == (pytest.approx(fmean(needed)) if len(needed) >= 3 else None)
    assert seen.pace == patterns.pace(shown.courses)


class Recount:
    """One student's events, counted the long way."""

    def __init__(self, rows: list[Any], items: set[tuple[int, str, str, int]]) -> None:
        self.rows = rows
        self.items = items
        self.lately = [
            row
            for row in rows
            if row["timestamp"] >= NOW - 90 * DAY
            and not row["is_withdrawn"]
            and row["mirrors"] is None
            and row["event_type"] != "certification_issued"
        ]

    def moments(self) -> list[datetime]:
        return [at for *_, at in {(row["source_table"], row["source_id"], row["timestamp"]) for row in self.lately}]

    def courses(self, row: Any) -> set[int]:
        return {item[0] for item in self.items if item[2:] == (row["source_table"], row["activity_id"])}

    def minutes(self, of: str) -> list[float]:
        found = []
        for end in self.lately:
            if not (end["is_current"] and end["event_type"] in FINISHING and end["event_type"].startswith(of)):
                continue
            starts = [
                row["timestamp"]
                for row in self.lately
                if (row["source_table"], row["source_id"]) == (end["source_table"], end["source_id"])
                and row["event_type"] == f"{of}_started"
                and row["episode"] <= end["episode"]
                and row["timestamp"] <= end["timestamp"]
            ]
            if starts:
                found.append((end["timestamp"] - max(starts)).total_seconds() / 60)
        return found

    def watched_before(self) -> tuple[int, int]:
        exams = [row for row in exam_ends(self.rows) if row["timestamp"] >= NOW - 90 * DAY and self.courses(row)]
        videos = [
            row
            for row in self.rows
            if row["is_current"] and row["activity_metadata"].get("content_type") == "video" and is_done(row)
        ]
        watched = [
            exam
            for exam in exams
            if any(
                self.courses(exam) & self.courses(video)
                and timedelta() <= exam["timestamp"] - video["timestamp"] <= 7 * DAY
                for video in videos
            )
        ]
        return len(exams), len(watched)

    def attempts(self) -> list[int]:
        of_exam: dict[int, list[str]] = defaultdict(list)
        for row in in_order(exam_ends(self.rows)):
            of_exam[row["activity_id"]].append(row["event_type"])
        return [kinds.index("exam_passed") + 1 for kinds in of_exam.values() if "exam_passed" in kinds]


def recounted_facts(rows: list[Any], is_active: bool) -> AttentionFacts:
    """What gives points, counted the long way."""
    done = in_order(row for row in rows if is_learning(row))
    last = {row["activity_id"]: row["event_type"] for row in in_order(exam_ends(rows))}
    marks = [row["percentage"] for row in exam_ends(rows) if row["percentage"] is not None]
    learned = learned_days(rows)
    gaps = [(late - early).days for early, late in pairwise(learned)]
    first = in_order(row for row in rows if row["event_type"] != "certification_issued")
    return AttentionFacts(
        is_active=is_active,
        first_at=first[0]["timestamp"] if first else None,
        learned_at=done[-1]["timestamp"] if done else None,
        usual_gap=DAY * median(gaps) if len(gaps) >= 3 else None,
        average=fmean(marks) if marks else None,
        failures=sum(kind == "exam_failed" for kind in last.values()),
        recent=sum(row["timestamp"] >= NOW - 14 * DAY for row in done),
        before=sum(NOW - 28 * DAY <= row["timestamp"] < NOW - 14 * DAY for row in done),
        opened_at=opened_last(rows),
    )


def opened_last(rows: list[Any]) -> datetime | None:
    """When the content was opened that nothing followed, within sixty days."""
    counted = [row for row in rows if row["is_current"] and row["mirrors"] is None]
    for row in in_order(row for row in counted if row["timestamp"] >= NOW - 60 * DAY)[::-1]:
        if row["event_type"] in OPENING:
            return row["timestamp"]  # type: ignore[no-any-return]
        if row["event_type"] in FINISHING and row["event_type"].startswith("content"):
            return None
    return None


def recounted_courses(
    rows: list[Any], items: set[tuple[int, str, str, int]], takers: Sequence[int]
) -> Iterator[CourseProgress]:
    for course_id in (1, 2):
        names = {item[1] for item in items if item[0] == course_id}
        shares = {}
        for student_id in takers:
            done = {(row["source_table"], row["activity_id"]) for row in own(rows, student_id) if is_done(row)}
            shares[student_id] = len({item[1] for item in items if item[0] == course_id and item[2:] in done})
        middle = median(100 * share / len(names) for share in shares.values()) if names else None
        yield CourseProgress(course_id, f"Course {course_id}", shares[JANE.student_id], len(names), len(takers), middle)


def own(rows: list[Any], student_id: int) -> list[Any]:
    return [row for row in rows if row["student_id"] == student_id]


def in_order(rows: Any) -> list[Any]:
    return sorted(rows, key=lambda row: (row["timestamp"], row["event_id"]))


def exam_ends(rows: list[Any]) -> list[Any]:
    ends = ("exam_passed", "exam_failed", "exam_completed")
    return [row for row in rows if row["is_current"] and row["event_type"] in ends]


def is_learning(row: Any) -> bool:
    return bool(row["is_current"] and row["mirrors"] is None and row["event_type"] in FINISHING)


def is_done(row: Any) -> bool:
    is_seen = row["event_type"] == "content_progress" and row["activity_metadata"]["progress"] == 90
    return bool(row["is_current"] and (is_seen or row["event_type"] in FINISHING))


def local(moment: datetime) -> date:
    return moment.astimezone(TASHKENT).date()


def learned_days(rows: list[Any]) -> list[date]:
    found = {local(row["timestamp"]) for row in rows if is_learning(row)}
    return sorted(day for day in found if day >= (NOW - 90 * DAY).date())


def ask(transaction: Transaction, student: Student) -> Progress:
    principal = Principal.of([MARY], [])
    return progress(transaction, principal, student.student_id, replace(SETTINGS, timezone=TASHKENT), NOW)


def fill(store: Store, rows: list[Any], items: set[tuple[int, str, str, int]], alone: bool, left: set[Student]) -> None:
    """The events of these rows, each fact once, and two courses that everybody takes."""
    with store.writing() as transaction:
        empty(transaction)
        everybody = [Student(one.student_id, one.username, is_active=one not in left) for one in PUPILS]
        people.keep_people(transaction, everybody, [MARY], {(MARY.mentor_id, JANE.student_id)}, NOW)
        given: list[tuple[sa.Table, list[dict[str, Any]]]] = [
            (tables.courses, [{"course_id": number, "title": f"Course {number}"} for number in (1, 2)]),
            (tables.course_items, [dict(zip(tables.course_items.c.keys(), item, strict=True)) for item in items]),
            (tables.course_batches, [{"course_id": number, "batch_id": 7} for number in (1, 2) if not alone]),
            (tables.batch_students, [{"batch_id": 7, "student_id": one.student_id} for one in PUPILS]),
            (
                tables.course_students,
                [{"course_id": number, "student_id": one.student_id} for number in (1, 2) for one in PUPILS if alone],
            ),
        ]
        for table, values in given:
            if values:
                transaction.execute(sa.insert(table), values)
    record(store, rows)


def record(store: Store, rows: list[Any]) -> None:
    facts = {}
    for student, kind, activity, source_id, episode, hours, mark, state, content_type, progress_step in rows:
        metadata = {"percentage": mark} if kind.is_exam_end else {"content_type": content_type}
        if kind is EventType.CONTENT_PROGRESS:
            metadata["progress"] = progress_step
        event = happened(student, "Thing", kind, at=NOW - hours * HOUR, source_id=source_id, **metadata)
        mirrors = 1 if state == "mirror" and kind.startswith("content") else None
        event = event._replace(activity_id=activity, episode=episode, mirrors=mirrors)
        facts[event.source_table, source_id, episode, kind] = (event, state)
    owe(store, [event for event, _ in facts.values()])
    with store.writing() as transaction:
        for key, (_, state) in facts.items():
            columns = ("source_table", "source_id", "episode", "event_type")
            one = sa.and_(*(tables.events.c[name] == value for name, value in zip(columns, key, strict=True)))
            if state in ("superseded", "withdrawn"):
                gone = {"is_current": False, "is_withdrawn": state == "withdrawn"}
                transaction.execute(sa.update(tables.events).where(one).values(gone))
        days.recount(transaction, TASHKENT, NOW)
