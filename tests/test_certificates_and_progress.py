"""Progress in content shows that a student was there, and a certificate does not; neither finishes anything."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lms_bot.core.alert_rules import Facts, Opened, never_started, stuck, true_verdicts
from lms_bot.core.alerts import Rule
from lms_bot.core.events import MIRRORED_EXAM, Event, EventType
from lms_bot.core.reports.statistics import Results
from lms_bot.core.streaks import Day, Kind
from lms_bot.store import tables
from lms_bot.store.alerts.alerts import rows_behind_open
from lms_bot.store.alerts.facts import facts_of
from lms_bot.store.events import events
from lms_bot.store.events.events import Said
from lms_bot.store.events.mirrors import note_mirrors, with_attempts
from lms_bot.store.people import people
from lms_bot.store.reports.statistics import results
from lms_bot.store.reports.students import card, summaries
from lms_bot.store.session import Store
from lms_bot.store.streaks import days, streaks
from tests import NOW
from tests.delivery_scenario import JANE, LINKS, MARY, MENTORS, STUDENTS, happened, owe
from tests.lms_rows import CONTENT_ATTEMPTS

CERTIFICATE, PROGRESS = EventType.CERTIFICATION_ISSUED, EventType.CONTENT_PROGRESS
OPENED, WATCHED, PASSED = EventType.CONTENT_STARTED, EventType.CONTENT_WATCHED, EventType.EXAM_PASSED
DAY = timedelta(days=1)
UTC = ZoneInfo("UTC")
ID = JANE.student_id


@pytest.fixture
def school(store: Store) -> Store:
    """A store that knows students and mentors."""
    with store.writing() as transaction:
        people.keep_people(transaction, STUDENTS, MENTORS, LINKS, NOW)
    return store


def count(store: Store, found: list[Event], corrected: list[Said]) -> None:
    """What a poll does for days with events that it recorded, and with those that say something else now."""
    with store.writing() as transaction:
        recorded = events.record(transaction, found, {}, NOW)
        days.count(transaction, recorded, corrected, UTC, NOW, set())


def kept(store: Store) -> tuple[list[Day], dict[tuple[int, str], list[date]]]:
    """The days of Jane, and the first day of each of her streaks."""
    with store.reading() as transaction:
        found = days.between(transaction, {ID}, date(1990, 1, 1), date(2100, 1, 1), UTC)
        runs = streaks.of_students(transaction, {ID})
    return found.get(ID, []), {whose: [one.first for one in of_one] for whose, of_one in runs.items()}


def recounted(store: Store) -> tuple[list[Day], dict[tuple[int, str], list[date]]]:
    with store.writing() as transaction:
        days.recount(transaction, UTC, NOW)
    return kept(store)


def facts(store: Store) -> Facts:
    with store.reading() as transaction:
        (found,) = facts_of(transaction, [ID], UTC, NOW)
    return found


# Days and streaks


def test_a_day_of_progress_is_one_of_presence_and_of_no_learning(school: Store) -> None:
    count(school, [happened(JANE, "Video", PROGRESS, progress=50)], [])
    assert kept(school) == ([Day(NOW.date(), 1, 0)], {(ID, Kind.PRESENCE): [NOW.date()]})
    assert recounted(school) == kept(school)


def test_a_certificate_makes_no_day(school: Store) -> None:
    count(school, [happened(JANE, "Python", CERTIFICATE, at=NOW - DAY), happened(JANE, "Python", CERTIFICATE)], [])
    assert kept(school) == ([], {})
    assert recounted(school) == kept(school)


def test_a_certificate_on_a_day_of_learning_changes_nothing_of_it(school: Store) -> None:
    count(school, [happened(JANE, "Quiz", PASSED), happened(JANE, "Python", CERTIFICATE)], [])
    assert kept(school)[0] == recounted(school)[0] == [Day(NOW.date(), 1, 1)]


def test_a_certificate_whose_date_is_corrected_makes_no_day_either(school: Store) -> None:
    (issued,) = owe(school, [happened(JANE, "Python", CERTIFICATE)])
    with school.writing() as transaction:
        corrected = events.restate(transaction, {issued.event_id: issued._replace(timestamp=NOW - 2 * DAY)})
    count(school, [], corrected)
    assert kept(school) == ([], {})


# Alerts


def test_progress_ends_that_nothing_was_begun_and_not_that_nothing_was_finished(school: Store) -> None:
    owe(school, [happened(JANE, "Video", PROGRESS, progress=50)])
    assert (facts(school).first_at, facts(school).learned_at) == (NOW, None)


def test_a_certificate_ends_no_alert_of_silence(school: Store) -> None:
    owe(school, [happened(JANE, "Python", CERTIFICATE)])
    found = facts(school)
    assert (found.first_at, found.learned_at, found.content, found.exams) == (None, None, None, ())
    silent = Facts(ID, is_active=True, enrolled_at=NOW - 9 * DAY, first_at=found.first_at)
    assert true_verdicts(never_started(silent, 5), NOW).keys() == {(Rule.NEVER_STARTED, 0)}


@pytest.mark.parametrize(
    ("did", "opened"),
    [
        ([(PROGRESS, 5)], 5),
        ([(OPENED, 9), (PROGRESS, 5)], 5),
        ([(WATCHED, 9), (PROGRESS, 5)], 5),
        ([(PROGRESS, 9), (WATCHED, 5)], None),
        ([(OPENED, 5), (CERTIFICATE, 1)], 5),
        ([(PROGRESS, 5), (CERTIFICATE, 1), (PASSED, 0)], 5),
    ],
)
def test_content_is_open_from_its_last_progress_on(
    school: Store, did: list[tuple[EventType, int]], opened: int | None
) -> None:
    owe(school, [happened(JANE, f"Video {ago}", kind, at=NOW - ago * DAY) for kind, ago in did])
    expected = None if opened is None else Opened(NOW - opened * DAY, 501, f"Video {opened}")
    assert facts(school).content == expected
    assert bool(true_verdicts(stuck(facts(school), 4), NOW)) == (opened is not None)


def test_the_row_behind_content_that_is_stuck_is_that_of_its_progress(school: Store) -> None:
    owe(school, [happened(JANE, "Video", PROGRESS, source_id=7), happened(JANE, "Python", CERTIFICATE, source_id=8)])
    alert = {"rule": Rule.STUCK, "mentor_id": MARY.mentor_id, "name": "KT1", "student_id": ID, "subject_id": 501}
    with school.writing() as transaction:
        transaction.execute(
            sa.insert(tables.student_alerts).values(**alert, level=1, numbers={}, since=NOW, opened_at=NOW)
        )
        assert rows_behind_open(transaction, 0, 10) == ({CONTENT_ATTEMPTS: [7]}, 0)


# Figures


def active(store: Store, since: datetime) -> Results:
    with store.reading() as transaction:
        return results(transaction, [ID], since, since)


def test_neither_is_an_exam_and_only_progress_is_activity(school: Store) -> None:
    owe(school, [happened(JANE, "Python", CERTIFICATE, percentage=100)])
    assert active(school, NOW - DAY) == Results(0, 0, 0, None, 0, 1)
    owe(school, [happened(JANE, "Video", PROGRESS, percentage=90, at=NOW - DAY / 2)])
    assert active(school, NOW - DAY) == Results(0, 0, 0, None, 1, 1)


def test_a_card_counts_both_and_says_when_the_student_was_last_there(school: Store) -> None:
    owe(school, [happened(JANE, "Video", PROGRESS, at=NOW - DAY), happened(JANE, "Python", CERTIFICATE)])
    with school.reading() as transaction:
        (summary,), whole = summaries(transaction, [JANE]), card(transaction, JANE)
    assert summary.last_active == whole.last_active == NOW - DAY
    assert whole.counts == {PROGRESS: 1, CERTIFICATE: 1}
    assert (whole.average, whole.scored, whole.last_exams) == (None, 0, ())


# Mirrors


@pytest.mark.parametrize("kind", [PROGRESS, CERTIFICATE])
def test_neither_is_the_same_as_an_exam(school: Store, kind: EventType) -> None:
    attempt = happened(JANE, "Quiz", PASSED)
    content = (happened(JANE, "Quiz", one)._replace(metadata={MIRRORED_EXAM: 501}) for one in (WATCHED, kind))
    video, other = owe(school, content)
    with school.writing() as transaction:
        assert note_mirrors(transaction, [attempt]).event_ids == [video.event_id]
    owe(school, [attempt])
    with school.reading() as transaction:
        assert with_attempts(transaction, [other, video])[0] == other
        assert with_attempts(transaction, [other, video])[1].mirrors == attempt.source_id
