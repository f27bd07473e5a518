"""What students did is shown newest first, by exactly the filters that were asked for, and exported whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Student
from lms_bot.core.reports.feed import Filter
from lms_bot.store.events import events
from lms_bot.store.notifications.trace import trace
from lms_bot.store.reports import statistics
from lms_bot.store.reports.feed import EXPORT_PAGE, export, feed
from lms_bot.store.reports.students import card, scores, summaries
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import GULNORA, JANE, OBRIEN, RAVI, happened, owe

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def seen(store: Store, students: Sequence[Student], most: int = 100, wanted: Filter | None = None, offset: int = 0):  # type: ignore[no-untyped-def]
    with store.reading() as transaction:
        return feed(transaction, [s.student_id for s in students], most, wanted or Filter(), offset)


def some(store: Store, count: int = 12) -> list[Event]:
    """Events of Jane, Ravi and Гульнора in turn, a minute apart; given newest first."""
    students = (JANE, RAVI, GULNORA)
    kinds = list(EventType)
    made = [happened(students[n % 3], f"Exam {n}", kinds[n % 7], at=NOW + n * MINUTE) for n in range(count)]
    return owe(store, made)[::-1]


def test_a_feed_mixes_the_students_newest_first_and_shows_nobody_else(store: Store) -> None:
    newest = some(store)
    assert seen(store, (JANE, GULNORA)) == [event for event in newest if event.student_id != RAVI.student_id]
    assert seen(store, (OBRIEN,)) == seen(store, ()) == []


def test_pages_of_a_feed_follow_each_other_without_a_gap(store: Store) -> None:
    newest = some(store, 20)
    pages = [seen(store, (JANE, RAVI, GULNORA), 6, offset=offset) for offset in (0, 6, 12, 18)]
    assert [len(page) for page in pages] == [6, 6, 6, 2]
    assert [event for page in pages for event in page] == newest


def test_events_of_one_moment_keep_one_order(store: Store) -> None:
    owe(store, [happened(s, "Exam", at=NOW) for s in (JANE, RAVI, GULNORA, JANE, RAVI)])
    whole = seen(store, (JANE, RAVI, GULNORA))
    assert [e.event_id for e in whole] == sorted((e.event_id for e in whole), reverse=True)
    assert [seen(store, (JANE, RAVI, GULNORA), 1, offset=n)[0] for n in range(5)] == whole


def test_one_busy_student_does_not_hide_the_others(store: Store) -> None:
    busy = owe(store, [happened(JANE, "Exam", at=NOW + n * MINUTE) for n in range(30)])
    (quiet,) = owe(store, [happened(RAVI, "Exam", at=NOW + 28.5 * MINUTE)])
    assert seen(store, (JANE, RAVI), 3) == [busy[29], quiet, busy[28]]


def test_the_filters_hold_together(store: Store) -> None:
    newest = some(store)
    late = [event for event in newest if event.timestamp >= NOW + 5 * MINUTE]
    since = Filter(since=NOW + 5 * MINUTE)
    assert seen(store, (JANE,), wanted=since) == [event for event in late if event.student_id == JANE.student_id]
    failed = Filter(types=frozenset([EventType.EXAM_FAILED, EventType.EXAM_PASSED]))
    assert seen(store, (JANE, RAVI), wanted=failed) == [
        e for e in newest if e.student_id in (11, 12) and e.event_type in failed.types
    ]


def test_certificates_and_progress_are_found_by_their_kind(store: Store) -> None:
    kinds = (EventType.CERTIFICATION_ISSUED, EventType.CONTENT_PROGRESS)
    issued, watched = owe(store, [happened(JANE, "Python", kind) for kind in kinds])
    owe(store, [happened(JANE, "Python", kind) for kind in EventType if kind not in kinds])
    assert seen(store, (JANE,), wanted=Filter(types=frozenset([EventType.CERTIFICATION_ISSUED]))) == [issued]
    assert seen(store, (JANE,), wanted=Filter(types=frozenset([EventType.CONTENT_PROGRESS]))) == [watched]


@pytest.mark.parametrize("part", ["высшая", "МАТЕМ", "Высшая математика", "ß", "SS"])
def test_a_course_is_found_by_any_part_of_its_title_in_any_case(store: Store, part: str) -> None:
    title = "Straße" if part in ("ß", "SS") else "Высшая Математика"
    (wanted, _) = owe(
        store, [happened(JANE, "Exam", course_title=title), happened(JANE, "Exam", course_title="Programming 101")]
    )
    assert seen(store, (JANE,), wanted=Filter(course=part)) == [wanted]


@pytest.mark.parametrize("part", ["%", "_", "100%", "\\", "/", "' OR 1=1 --", "\x00", "\ud800"])
def test_nothing_in_a_course_filter_is_taken_for_a_pattern(store: Store, part: str) -> None:
    owe(store, [happened(JANE, "Exam", course_title="Programming 101"), happened(JANE, "Exam")])
    (odd,) = owe(store, [happened(JANE, "Exam", course_title="a %_100%\\/' OR 1=1 -- b")])
    assert seen(store, (JANE,), wanted=Filter(course=part)) == ([] if part in ("\x00", "\ud800") else [odd])


def test_a_title_of_any_length_can_be_kept(store: Store) -> None:
    (kept,) = owe(store, [happened(JANE, "x" * 100_000, course_title="Ж" * 100_000)])
    assert seen(store, (JANE,), wanted=Filter(course="жжж")) == [kept]


def test_a_mirror_is_not_shown_and_a_superseded_state_is(store: Store) -> None:
    mirror = happened(JANE, "Algebra", EventType.CONTENT_COMPLETED)._replace(mirrors=7)
    failed, passed, _ = owe(
        store,
        [
            happened(JANE, "Algebra", EventType.EXAM_FAILED, source_id=7, at=NOW - DAY),
            happened(JANE, "Algebra", EventType.EXAM_PASSED, source_id=7),
            mirror,
        ],
    )
    with store.writing() as transaction:
        events.supersede(transaction, [failed.event_id])
    assert seen(store, (JANE,)) == [passed, failed]


def test_history_is_the_feed_of_one_student(store: Store) -> None:
    newest = [event for event in some(store, 30) if event.student_id == RAVI.student_id]
    with store.reading() as transaction:
        assert feed(transaction, [RAVI.student_id], 4) == newest[:4]
        assert feed(transaction, [RAVI.student_id], 4, offset=8) == newest[8:]
        passed = feed(transaction, [RAVI.student_id], 9, Filter(NOW, frozenset({EventType.EXAM_PASSED})))
    assert passed == [event for event in newest if event.event_type is EventType.EXAM_PASSED]


def test_an_export_has_every_event_once_in_pages(store: Store) -> None:
    count = EXPORT_PAGE + 10
    owe(store, [happened(s, "Exam", at=NOW + n * MINUTE) for n in range(count // 2) for s in (RAVI, JANE)])
    (old,) = owe(store, [happened(JANE, "Old", at=NOW - DAY)])
    with store.writing() as transaction:
        events.supersede(transaction, [old.event_id])
    with store.reading() as transaction:
        pages = list(export(transaction, [11, 12, 13]))
        recent = [line for page in export(transaction, [11], NOW) for line in page]
    lines = [line for page in pages for line in page]
    assert [len(page) for page in pages] == [EXPORT_PAGE, 11]
    assert lines == sorted(lines, key=lambda line: (line.student_id or 0, line.timestamp))
    assert (lines[0].activity_title, lines[0].is_current) == ("Old", False)
    assert len(recent) == count // 2
    assert all(line.student_id == 11 and line.is_current for line in recent)


def test_an_export_goes_on_after_any_event(store: Store) -> None:
    owe(store, [happened(s, "Exam", at=NOW + n // 2 * MINUTE) for n in range(6) for s in (RAVI, JANE)])
    with store.reading() as transaction:
        (whole,) = export(transaction, [11, 12])
        for count, last in enumerate(whole, start=1):
            after = last.student_id or 0, last.timestamp, last.event_id
            rest = [line for page in export(transaction, [11, 12], most=4, after=after) for line in page]
            assert rest == whole[count : count + 4]


def test_no_question_about_students_looks_through_the_table(store: Store) -> None:
    some(store)
    statements: list[tuple[str, object]] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    wanted = Filter(NOW, frozenset([EventType.EXAM_PASSED]), "maths")
    seen(store, (JANE, RAVI), wanted=wanted)
    with store.reading() as transaction:
        list(export(transaction, [11, 12], NOW, most=5, after=(11, NOW, 1)))
        summaries(transaction, [JANE, RAVI])
        card(transaction, JANE)
        scores(transaction, JANE.student_id, NOW, 5)
        trace(transaction, None, 1, [1])
        trace(transaction, "attempts", 1, [1])
        statistics.statistics(transaction, [1])
        statistics.statistics(transaction)
    asked = [one for one in statements if not one[0].startswith("SET LOCAL ")]
    assert len(asked) >= 10
    is_sqlite = store.engine.dialect.name == "sqlite"
    with store.engine.connect() as connection:
        if not is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in asked:
            explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
            plan = [str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters)]  # type: ignore[arg-type]
            scans = ("SCAN lms_activity_events", "Seq Scan on lms_activity_events", "Seq Scan on lms_event_logs")
            assert not [step for step in plan if any(scan in step for scan in scans)], plan
