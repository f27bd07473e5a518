"""Once a week it is kept how each student stands, and that is what counting all events again gives."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lms_bot.core.academics import snapshots as definitions
from lms_bot.core.academics.snapshots import MOST_WEEKS, WEEK, Plan, Snapshot, SubjectScore, Sweep, planned
from lms_bot.core.calendar import EARLIEST, start_of_day
from lms_bot.core.events import BY_CLOCK
from lms_bot.pipeline import streaks
from lms_bot.pipeline.academics.snapshots import make_snapshots
from lms_bot.store import tables
from lms_bot.store.academics import outdated, snapshots
from lms_bot.store.people import accounts
from lms_bot.store.retention import forget_student, prune
from lms_bot.store.retention.names import Names
from lms_bot.store.session import Store
from tests.bot_process import BIN, from_store, wait_for
from tests.databases import lms_in_file, store_in_file
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS, DAY, JANE, NOW, QUIZ_CONTENT, RAVI, VIDEO, Watch
from tests.questions import ACCOUNTS

MONDAY = NOW.date()
HOUR = timedelta(hours=1)
BERLIN = "Europe/Berlin"
Key = tuple[int, date]


@pytest.fixture
def watch(lms_url: str, store_beside: str) -> Iterator[Watch]:
    """An LMS without attempts and a store that has seen it."""
    watch = Watch(lms_url, store_beside)
    watch.poll()
    yield watch
    watch.close()


def passes(watch: Watch, attempt_id: int, when: datetime, percentage: float = 80, student: int = JANE) -> None:
    """A student passes the quiz at this moment."""
    watch.rows.insert_attempt(
        attempt_id,
        user_id=student,
        date=when - timedelta(minutes=30),
        last_answer_updated_time=when,
        state="completed",
        result="pass",
        percentage=percentage,
    )


def polled(watch: Watch, now: datetime | None = None) -> Watch:
    """Poll, and describe all weeks that are to be described."""
    watch.poll(now)
    while make_snapshots(watch.store, watch.settings, watch.now):
        pass
    return watch


def kept(store: Store) -> dict[Key, Snapshot]:
    """All snapshots, by student and week."""
    with store.reading() as transaction:
        ids = set(transaction.scalars(sa.select(tables.snapshots.c.student_id)))
        found = [one for student_id in ids for one in snapshots.history(transaction, student_id, 1_000)]
    return {(one.student_id, one.snapshot_date): one for one in found}


def of_jane(watch: Watch) -> dict[date, Snapshot]:
    return {week: one for (student_id, week), one in kept(watch.store).items() if student_id == JANE}


def exams_of_jane(watch: Watch) -> dict[date, int]:
    return {week: one.total_exams_taken for week, one in of_jane(watch).items()}


# What a snapshot says


def test_there_is_one_a_week_from_the_first_event_on(watch: Watch) -> None:
    passes(watch, 1, NOW - 20 * DAY, 60)
    passes(watch, 2, NOW - 3 * DAY, 90)
    polled(watch)
    weeks = [MONDAY - WEEK * number for number in (2, 1, 0)]
    assert exams_of_jane(watch) == dict(zip(weeks, (1, 1, 2), strict=True))
    assert [of_jane(watch)[week].average_score for week in weeks] == [60, 60, 75]


def test_who_did_nothing_has_one_of_the_week_that_began(watch: Watch) -> None:
    polled(watch)
    assert of_jane(watch) == {MONDAY: Snapshot(JANE, MONDAY, 0, None, 0, 0, {})}


def test_what_happens_in_a_week_is_not_in_its_snapshot(watch: Watch) -> None:
    passes(watch, 1, NOW.replace(hour=0) - timedelta(seconds=1))
    passes(watch, 2, NOW.replace(hour=0))
    polled(watch)
    assert exams_of_jane(watch) == {MONDAY: 1}
    polled(watch, NOW + 7 * DAY)
    assert exams_of_jane(watch) == {MONDAY: 1, MONDAY + WEEK: 2}


def test_a_week_is_described_an_hour_after_it_began_and_once_the_lms_was_read(watch: Watch) -> None:
    monday = NOW.replace(hour=0) + 7 * DAY
    polled(watch, monday + 0.9 * HOUR)
    assert MONDAY + WEEK not in of_jane(watch)
    make_snapshots(watch.store, watch.settings, monday + 5 * HOUR)
    assert MONDAY + WEEK not in of_jane(watch)
    polled(watch, monday + 1.1 * HOUR)
    assert MONDAY + WEEK in of_jane(watch)


def test_the_streak_is_the_one_that_stood_the_evening_before(watch: Watch) -> None:
    for number, days_ago in enumerate((9, 8, 3, 2, 1, 0)):
        passes(watch, number + 1, NOW - DAY * days_ago)
    polled(watch)
    assert {week: one.streak_count for week, one in of_jane(watch).items()} == {MONDAY: 3, MONDAY - WEEK: 0} | (
        {MONDAY - WEEK: 2} if (NOW - 8 * DAY).weekday() == 6 else {}
    )


def test_results_are_pooled_by_subject(watch: Watch) -> None:
    passes(watch, 1, NOW - 10 * DAY)
    passes(watch, 2, NOW - 3 * DAY)
    polled(watch)
    rows = [(1, 1, "Algebra", 3, 4), (2, 2, "Algebra", 2, 4), (3, 2, "Физика", 1, 3), (4, 2, "Empty", 0, 0)]
    with watch.store.writing() as transaction:
        for source_id, attempt_id, label, correct, total in rows:
            values = {"correct": correct, "incorrect": total - correct, "unanswered": 0, "total": total, "label": label}
            key = {"source_table": "results", "source_id": source_id, "exam_source": ATTEMPTS, "attempt_id": attempt_id}
            transaction.execute(sa.insert(tables.attempt_results).values(key | values | {"dimension": "subject"}))
        outdated.mark_results(transaction, ATTEMPTS, [1, 2])
    polled(watch)
    first, second = of_jane(watch)[MONDAY - WEEK], of_jane(watch)[MONDAY]
    assert first.subject_scores == {"Algebra": SubjectScore(75.0, 1)}
    assert second.subject_scores == {"Algebra": SubjectScore(62.5, 2), "Физика": SubjectScore(33.3333, 1)}


def test_a_video_counts_once_whichever_way_it_was_watched(watch: Watch) -> None:
    watch.rows.insert_content_attempt(1, state="watched", completed_on=NOW - 3 * DAY)
    watch.rows.insert_content_attempt(2, state="completed", completed_on=NOW - 2 * DAY)
    watch.rows.insert_content_attempt(3, state="watched", completed_on=NOW - 2 * DAY, content_type="html")
    watch.rows.insert_content_attempt(4, state="started", chapter_content_id=QUIZ_CONTENT)
    false = "false" if watch.rows.engine.dialect.name == "postgresql" else "0"
    for row_id, video, percent in ((1, 701, 95), (2, 702, 60), (3, 703, 90)):
        watch.rows.run(
            "INSERT INTO user_videos (id, user_id, video_id, created, watched_percentage, state,"
            " is_live_class_recording)"
            f" VALUES ({row_id}, {JANE}, {video}, '{(NOW - 3 * DAY).isoformat()}', {percent}, 'watching', {false})"
        )
    with watch.store.writing() as transaction:
        for source, activity in ((CONTENT_ATTEMPTS, VIDEO), ("user_videos", 701)):
            values = {"course_id": 1, "item": "video", "source_table": source, "activity_id": activity}
            transaction.execute(sa.insert(tables.course_items).values(values))
    polled(watch)
    polled(watch, NOW + 7 * DAY)  # how far a video was watched has no time but that of being found
    assert {week: one.videos_watched for week, one in of_jane(watch).items()} == {MONDAY: 1, MONDAY + WEEK: 2}


@pytest.mark.parametrize(
    ("monday", "begins"),
    [
        (date(2025, 10, 27), datetime(2025, 10, 26, 23, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
    ],
)
def test_a_week_begins_at_midnight_also_after_the_clock_was_changed(
    monday: date, begins: datetime, lms_url: str, store_beside: str
) -> None:
    watch = Watch(lms_url, store_beside, LMS_TIMEZONE=BERLIN)
    passes(watch, 1, begins - timedelta(seconds=1))
    passes(watch, 2, begins)
    polled(watch, begins + 9 * DAY)
    assert exams_of_jane(watch) == {monday: 1, monday + WEEK: 2}
    watch.close()


# The past


def test_the_past_is_described_back_to_104_weeks(watch: Watch) -> None:
    passes(watch, 1, NOW - 1_000 * DAY)
    polled(watch)
    weeks = sorted(of_jane(watch))
    assert (len(weeks), weeks[0], weeks[-1]) == (MOST_WEEKS, MONDAY - WEEK * (MOST_WEEKS - 1), MONDAY)


def test_the_past_is_described_a_few_students_at_a_time(watch: Watch) -> None:
    watch.rows.insert_crowd(60)
    watch.rows.insert_finished(1, 60, at=NOW - 700 * DAY, crowd=60)
    watch.poller.refresh_people(NOW, at_once=True)
    watch.poller.poll(NOW)
    streaks.record_streak_events(watch.store, watch.settings, NOW)
    counts = []
    while make_snapshots(watch.store, watch.settings, NOW, seconds=0):
        counts.append(from_store(watch.settings.store_database_url, "SELECT count(*) FROM student_academic_snapshots"))
    numbers = [0, *(int(count[0][0]) for count in counts)]
    assert all(later - before <= snapshots.AT_A_TIME for before, later in pairwise(numbers))
    assert len(numbers) > 5
    assert_right(watch)


@pytest.mark.parametrize("days_ago", [0.6, 3, 9, 30])
def test_what_is_found_late_is_told_of_the_weeks_after_it(watch: Watch, days_ago: float) -> None:
    passes(watch, 1, NOW - 40 * DAY)
    polled(watch)
    before = kept(watch.store)
    passes(watch, 2, NOW - DAY * days_ago)
    polled(watch)
    assert sum(exams_of_jane(watch).values()) - sum(
        one.total_exams_taken for (student_id, _), one in before.items() if student_id == JANE
    ) == sum(start_of_day(week, ZoneInfo("UTC")) > NOW - DAY * days_ago for week in of_jane(watch))
    assert_right(watch)


def test_a_regrade_is_told_of_all_weeks_since_the_exam(watch: Watch) -> None:
    passes(watch, 1, NOW - 20 * DAY, 60)
    polled(watch)
    watch.rows.update_attempt(1, percentage=70)
    watch.polls(3)
    polled(watch)
    assert {one.average_score for one in of_jane(watch).values()} == {70}


def test_an_attempt_of_somebody_else_leaves_every_week(watch: Watch) -> None:
    passes(watch, 1, NOW - 20 * DAY)
    polled(watch)
    watch.rows.update_attempt(1, user_id=RAVI, username="ravi_patel")
    watch.polls(3)
    polled(watch)
    assert set(exams_of_jane(watch).values()) == {0}
    assert_right(watch)


def test_a_moved_time_zone_is_told_of_every_week(watch: Watch) -> None:
    passes(watch, 1, NOW.replace(hour=0) - 7 * DAY + HOUR)  # still Sunday in New York
    polled(watch)
    assert of_jane(watch)[MONDAY].streak_count == 0
    with watch.store.writing() as transaction:
        transaction.execute(sa.insert(tables.student_zones).values(student_id=JANE, zone="America/New_York"))
        moved = sa.update(tables.students).where(tables.students.c.student_id == JANE)
        accounts.keep_zulip_users(transaction, ACCOUNTS, NOW)
        transaction.execute(moved.values(zulip_user_id=ACCOUNTS[0].user_id))
        zone = sa.update(tables.zulip_users).where(tables.zulip_users.c.user_id == ACCOUNTS[0].user_id)
        transaction.execute(zone.values(timezone="Pacific/Honolulu"))
        streaks.recount_moved_zones(transaction, ZoneInfo("UTC"), NOW)
        assert outdated.are_there(transaction)
    polled(watch)
    assert_right(watch)


def test_another_time_zone_in_the_settings_describes_all_weeks_again(watch: Watch) -> None:
    passes(watch, 1, datetime(2026, 2, 22, 23, 30, tzinfo=UTC))  # already Monday in Berlin
    polled(watch)
    assert exams_of_jane(watch) == {MONDAY - WEEK: 1, MONDAY: 1}
    watch.restart(LMS_TIMEZONE=BERLIN)
    polled(watch)
    assert exams_of_jane(watch) == {MONDAY - WEEK: 0, MONDAY: 1}


def test_who_was_forgotten_has_none(watch: Watch) -> None:
    passes(watch, 1, NOW - 20 * DAY)
    polled(watch)
    with watch.store.writing() as transaction:
        student = forget_student.find_student(transaction, JANE)
        assert student is not None
        outdated.mark(transaction, [(JANE, NOW - 20 * DAY)])
        forget_student.stop_recording(transaction, student, NOW)
        forget_student.remove(transaction, student, Names(["jane_smith"]))
    polled(watch)
    assert of_jane(watch) == {}
    assert from_store(watch.settings.store_database_url, "SELECT count(*) FROM outdated_snapshots") == [(0,)]


def test_snapshots_outlive_the_events_that_they_were_made_of(watch: Watch) -> None:
    passes(watch, 1, NOW - 100 * DAY)
    passes(watch, 2, NOW - 10 * DAY)
    polled(watch)
    before = exams_of_jane(watch)
    prune.prune_slice(watch.store, 30, NOW)
    with watch.store.writing() as transaction:
        outdated.mark(transaction, [(JANE, NOW - 200 * DAY)])
    polled(watch)
    long_ago = {week: exams for week, exams in exams_of_jane(watch).items() if week <= (NOW - 30 * DAY).date()}
    assert long_ago == {week: exams for week, exams in before.items() if week in long_ago}
    assert set(exams_of_jane(watch)) == set(before)


# Reading


def test_the_newest_at_or_before_a_day_is_found(watch: Watch) -> None:
    passes(watch, 1, NOW - 20 * DAY)
    polled(watch)
    with watch.store.reading() as transaction:
        at = {
            day: found and found.snapshot_date
            for day in (MONDAY + DAY, MONDAY, MONDAY - DAY, MONDAY - 100 * DAY)
            for found in [snapshots.before(transaction, JANE, day)]
        }
        last = [one.snapshot_date for one in snapshots.history(transaction, JANE, 2)]
    assert list(at.values()) == [MONDAY, MONDAY, MONDAY - WEEK, None]
    assert last == [MONDAY - WEEK, MONDAY]


def test_a_change_is_known_only_between_known_figures() -> None:
    assert definitions.change(80, 72.5) == 7.5
    assert definitions.change(None, 72.5) is None
    assert definitions.change(80, None) is None


# The plan


def test_the_newest_week_is_described_before_the_past() -> None:
    plan = planned(None, "UTC", MONDAY)
    assert plan.sweeps == (Sweep(MONDAY, MONDAY), Sweep(MONDAY - WEEK * (MOST_WEEKS - 1), MONDAY - WEEK))
    assert planned(plan, "UTC", MONDAY) == plan
    later = planned(plan.has_come_to(None).has_come_to(7), "UTC", MONDAY + 2 * WEEK)
    assert [(one.last, one.after) for one in later.sweeps] == [(MONDAY + 2 * WEEK, None), (MONDAY - WEEK, 7)]


def test_a_clock_that_was_wrong_plans_no_week_to_come() -> None:
    wrong = planned(Plan("UTC", MONDAY, ()), "UTC", MONDAY + 50 * WEEK)
    assert planned(wrong, "UTC", MONDAY) == Plan("UTC", MONDAY, ())


# However it came about, it is what counting all events gives


def recounted(watch: Watch) -> dict[Key, Snapshot]:
    """The snapshots that there must be, counted from the rows of the store one by one."""
    with watch.store.reading() as transaction:
        plan = snapshots.load_plan(transaction)
        rows, runs, results, items = (
            transaction.execute(sa.select(table)).all()
            for table in (tables.events, tables.streaks, tables.attempt_results, tables.course_items)
        )
        ids = transaction.scalars(sa.select(tables.students.c.student_id)).all()
    assert plan is not None
    assert not plan.sweeps
    of_student: dict[int, list[Any]] = {}
    for row in rows:
        if not row.is_withdrawn and row.event_type not in BY_CLOCK:
            of_student.setdefault(row.student_id, []).append(row)
    found = {}
    for week in definitions.weeks(plan.newest - WEEK * (MOST_WEEKS - 1), plan.newest):
        begins = start_of_day(week, watch.settings.timezone)
        for student_id in ids:
            own = [row for row in of_student.get(student_id, ()) if row.timestamp < begins]
            if week == plan.newest or any(row.timestamp >= EARLIEST for row in own):
                found[student_id, week] = _recounted(student_id, week, own, runs, results, items)
    return found


def _recounted(student_id: int, week: date, own: list[Any], runs: Any, results: Any, items: Any) -> Snapshot:
    now = [row for row in own if row.is_current and row.mirrors is None]
    exams = [row for row in now if row.event_type in ("exam_passed", "exam_failed", "exam_completed")]
    percents = [row.percentage for row in exams if row.percentage is not None]
    videos = {(row.source_table, row.activity_id) for row in now if _is_watched(row)}
    joined = {(one.source_table, one.activity_id): (one.course_id, one.item) for one in items}
    scores: dict[str, list[Any]] = {}
    for result in results:
        if any((row.source_table, row.source_id) == (result.exam_source, result.attempt_id) for row in exams):
            scores.setdefault(result.label, []).append(result)
    streak = [
        (week - one.first_day).days
        for one in runs
        if one.student_id == student_id and one.kind == "learning" and one.first_day < week <= one.last_day + DAY
    ]
    return Snapshot(
        student_id,
        week,
        len(exams),
        fmean(percents) if percents else None,
        len({joined.get(video, video) for video in videos}),
        streak[0] if streak else 0,
        {
            label: SubjectScore(round(100 * sum(r.correct for r in of) / sum(r.total for r in of), 4), len(of))
            for label, of in scores.items()
        },
    )


def _pooled(results: list[Any]) -> SubjectScore:
    share = sum(one.correct for one in results) / sum(one.total for one in results)
    return SubjectScore(round(100 * share, 4), len(results))


def _is_watched(row: Any) -> bool:
    if row.event_type == "content_progress":
        return bool((row.activity_metadata.get("progress") or 0) >= 90)
    is_end = row.event_type in ("content_watched", "content_completed")
    return is_end and row.activity_metadata.get("content_type") == "video"


def assert_right(watch: Watch) -> None:
    """Assert that all snapshots are what counting gives; one that was made stays, though no event is left before it."""
    there, expected = kept(watch.store), recounted(watch)
    nothing = {key: Snapshot(*key, 0, None, 0, 0, {}) for key in there.keys() - expected.keys()}
    assert _rounded(there) == _rounded(nothing | expected)


def _rounded(found: dict[Key, Snapshot]) -> dict[Key, Snapshot]:
    return {
        key: one if one.average_score is None else replace(one, average_score=round(one.average_score, 9))
        for key, one in found.items()
    }


BETWEEN = ("poll", "week")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "pass", "fail", "regrade", "delete", "watch", "unwatch", "hand over", *BETWEEN]),
        st.integers(1, 4),
        st.integers(-60 * 24, 30).map(lambda hours: NOW + timedelta(hours=hours)),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
@hypothesis_settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(steps=STEPS)
def test_any_history_gives_what_counting_all_events_gives(
    zone: str, steps: list[tuple[str, int, datetime]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("model")
    watch = Watch(lms_in_file(folder / "lms.db"), store_in_file(folder / "store.db"), LMS_TIMEZONE=zone)
    _live(watch, steps)
    watch.close()


def test_a_long_history_gives_what_counting_gives_on_each_database(watch: Watch) -> None:
    random = Random(20260302)
    actions = ["start", "pass", "fail", "regrade", "delete", "watch", "unwatch", "hand over", "poll"]
    steps = [
        (random.choice(actions), random.randint(1, 9), NOW - timedelta(hours=random.randint(-30, 60 * 24)))
        for _ in range(120)
    ]
    _live(watch, steps)


def _live(watch: Watch, steps: list[tuple[str, int, datetime]]) -> None:
    there: set[int] = set()
    for action, number, when in steps:
        _do(watch, there, action, number, when)
    watch.polls(2)
    polled(watch)
    assert_right(watch)


def _do(watch: Watch, there: set[int], action: str, number: int, when: datetime) -> None:
    if action in BETWEEN:
        polled(watch, watch.now + (7 * DAY if action == "week" else timedelta(minutes=1)))
        return
    if number not in there:
        watch.rows.insert_attempt(number, date=when)
        watch.rows.insert_content_attempt(
            number, created=when, chapter_content_id=VIDEO if number % 2 else QUIZ_CONTENT
        )
        there.add(number)
    match action:
        case "pass" | "fail":
            values = {"result": action, "last_answer_updated_time": when, "percentage": 10 * number}
            watch.rows.update_attempt(number, state="completed", **values)
        case "regrade":
            watch.rows.update_attempt(number, percentage=5 * number)
        case "start":
            watch.rows.update_attempt(number, state="started", result=None, last_answer_updated_time=None)
        case "watch":
            watch.rows.update_content_attempt(number, state="watched", completed_on=when)
        case "unwatch":
            watch.rows.update_content_attempt(number, state="started", completed_on=None)
        case "hand over":
            watch.rows.update_attempt(number, user_id=RAVI)
        case "delete":
            watch.rows.delete("attempts", number)
            watch.rows.delete("content_attempts", number)
            there.discard(number)


def test_a_worker_that_is_killed_again_and_again_describes_every_week(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    on_sqlite = lms_url.startswith("sqlite")
    store_url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgresql")
    watch = Watch(lms_url, store_url)
    watch.rows.insert_crowd(200)
    watch.rows.insert_finished(1, 200, at=datetime.now(UTC) - 300 * DAY, crowd=200)
    config = tmp_path / "lms_bot.conf"
    config.write_text(
        f"[lms_bot]\nlms_database_url = {lms_url}\nstore_database_url = {store_url}\nnotify_mentors = false\n",
        encoding="utf-8",
    )
    command = [str(BIN / "lms-bot"), "--bot-config-file", str(config), "monitor", "--daemon", "--interval", "1"]
    random, log = Random(20260302), tmp_path / "log"
    for kill in range(4):
        with log.open("ab") as stderr, subprocess.Popen(command, stderr=stderr) as process:
            if kill == 3:
                wait_for(lambda: _is_described(watch.store))
            else:
                with suppress(AssertionError):
                    wait_for(lambda: _has_begun(watch.store))
                time.sleep(random.uniform(0.0, 0.5))
            process.kill()
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert len(kept(watch.store)) > 200 * 42
    assert_right(watch)
    watch.close()


def _has_begun(store: Store) -> bool:
    with store.reading() as transaction:
        return snapshots.load_plan(transaction) is not None


def _is_described(store: Store) -> bool:
    with store.reading() as transaction:
        plan = snapshots.load_plan(transaction)
        return plan is not None and not plan.sweeps and not outdated.are_there(transaction)
