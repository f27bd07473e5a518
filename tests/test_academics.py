"""Profile and performance are what a naive recount of the tables gives, in values, JSON and chat."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import FINISHING, EventType
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics.document import profile_document
from lms_bot.core.reports.academics.profile import AcademicProfile, Performance
from lms_bot.core.reports.feed import Newest
from lms_bot.render.academics.profile import profile_text
from lms_bot.render.chart import subjects_text
from lms_bot.render.quoting import mean
from lms_bot.reports import student
from lms_bot.reports.academics import performances, profiles
from lms_bot.store import state, tables
from lms_bot.store.session import Store, Transaction
from lms_bot.store.streaks import days
from tests import NOW
from tests.databases import empty, shared_store
from tests.delivery_scenario import SETTINGS

DAY = timedelta(days=1)
CLASS = range(1, 13)  # students, of whom some are asked about
ASKED = (1, 2, 12)
ADMIN = Principal.of([], [], is_admin=True)
EXAM_ENDS = (EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED)
SUBJECTS = ("Algebra", "Physics", "Музыка")
# (source, activity) of courses' items: videos by their content and by themselves, one of them in two courses.
ITEMS = (
    (1, "c1", "content_attempts", 101),
    (1, "c1", "user_videos", 11),
    (1, "c2", "content_attempts", 102),
    (1, "e1", "attempts", 1),
    (2, "c3", "content_attempts", 103),
    (2, "c3", "user_videos", 11),
    (2, "e2", "attempts", 2),
)
VIDEOS = [("content_attempts", 101), ("content_attempts", 102), ("content_attempts", 103), ("content_attempts", 104)]
VIDEOS += [("user_videos", 11), ("user_videos", 12)]

LARGE = {"lms_activity_events", "attempt_results", "course_items", "batch_students", "streaks", "opened"}

MARKS = st.none() | st.sampled_from([0.0, 20.0, 49.5, 50.0, 75.0, 75.0, 90.0, 100.0])
ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from([*ASKED, *CLASS]),
        st.sampled_from([1, 1, 1, 2, None]),  # exam
        st.sampled_from([*EXAM_ENDS, EventType.EXAM_STARTED]),
        MARKS,
        st.integers(0, 9),  # days ago
        st.sampled_from(["now", "now", "now", "regraded", "withdrawn", "given away"]),
        st.lists(st.tuples(st.sampled_from(SUBJECTS), st.integers(0, 4), st.integers(0, 4)), max_size=3),
    ),
    max_size=40,
)
HOW = ("watched", "completed", "half", "nine tenths", "text", "opened", "mirror", "old", "withdrawn")
WATCHED = st.lists(
    st.tuples(
        st.sampled_from(ASKED),
        st.sampled_from(VIDEOS),
        st.sampled_from(
            ["watched", "completed", "half", "nine tenths", "text", "opened", "mirror", "old", "withdrawn"]
        ),
        st.integers(0, 9),
        st.booleans(),  # its opening was seen
    ),
    max_size=20,
)
BATCHES = st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(CLASS)), max_size=24, unique=True)
EVERYBODY_TOOK: st.SearchStrategy[list[float | None]] = st.lists(MARKS, min_size=12, max_size=12) | st.just([])


class Rows:
    """The rows of a small school, as they go into the tables."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []

    def event(self, kind: EventType, whose: int, source: tuple[str, int | None], at: datetime, **more: Any) -> int:
        number = len(self.events) + 1
        row: dict[str, Any] = {
            "event_id": number,
            "event_type": kind.value,
            "student_id": whose,
            "student_username": f"s{whose}",
        }
        row |= {"source_table": source[0], "activity_id": source[1], "activity_title": f"Activity {source[1]}"}
        row |= {"source_id": number, "timestamp": at, "created_at": max(at, NOW - 5 * DAY), "activity_metadata": {}}
        row |= {"fingerprint": 0, "is_current": True, "is_withdrawn": False, "is_history": False, "episode": 0}
        self.events.append(row | {"percentage": None, "mirrors": None} | more)
        return number

    def attempt(self, whose: int, exam: int | None, kind: EventType, mark: float | None, ago: int, how: str) -> int:
        """Add an attempt; of one that was given to another student, or regraded, both states are there."""
        at = NOW - ago * DAY if ago < 9 else UNKNOWN_TIME
        says: dict[str, Any] = {"percentage": mark, "activity_metadata": {"percentage": mark}}
        if how == "regraded":
            self.event(EventType.EXAM_FAILED, whose, ("attempts", exam), at, percentage=1.0, is_current=False)
        if how == "withdrawn":
            says |= {"is_withdrawn": True}
        if how == "given away":
            self.event(kind, whose, ("attempts", exam), at, **says | {"is_current": False, "is_withdrawn": True})
            whose = whose % 12 + 1
        return self.event(kind, whose, ("attempts", exam), at, **says)

    def watch(self, whose: int, video: tuple[str, int], how: str, ago: int, was_opened: bool) -> None:
        at, kind = NOW - ago * DAY, EventType.CONTENT_COMPLETED
        says: dict[str, Any] = {"activity_metadata": {"content_type": "Video" if ago % 2 else "video"}}
        if how in ("half", "nine tenths"):
            kind = EventType.CONTENT_PROGRESS
            says = {"activity_metadata": {"progress": 50 if how == "half" else 90}}
        kind = {"watched": EventType.CONTENT_WATCHED, "opened": EventType.CONTENT_STARTED}.get(how, kind)
        says |= {"activity_metadata": {"content_type": "text"}} if how == "text" else {}
        says |= {"mirrors": 77} if how == "mirror" else {}
        says |= {"is_current": False} if how == "old" else {}
        says |= {"is_withdrawn": True} if how == "withdrawn" else {}
        number = self.event(kind, whose, video, at, **says)
        if was_opened and how != "opened":
            row = len(self.events) + 1
            self.event(EventType.CONTENT_STARTED, whose, video, at - timedelta(minutes=7 * row), is_current=False)
            self.events[-1]["source_id"] = number

    def parts(self, attempt: int, parts: Sequence[tuple[str, int, int]]) -> None:
        for label, right, wrong in parts:
            number = len(self.results) + 1
            for dimension, name in (("subject", label), ("difficulty", "hard" if right > wrong else "easy")):
                row = {"source_table": f"{dimension}_stats", "source_id": number, "exam_source": "attempts"}
                row |= {"attempt_id": attempt, "dimension": dimension, "label": name, "correct": right}
                self.results.append(row | {"incorrect": wrong, "unanswered": 0, "total": right + wrong})


def keep(transaction: Transaction, rows: Rows, members: Iterable[tuple[int, int]]) -> None:
    """Make the tables hold this school and nothing else."""
    empty(transaction)
    people = [{"student_id": one, "username": f"s{one}", "is_active": True} for one in CLASS]
    batch_rows = [{"batch_id": batch, "student_id": whose} for batch, whose in members]
    item_rows = [dict(zip(tables.course_items.c.keys(), item, strict=True)) for item in ITEMS]
    filled: list[tuple[sa.Table, Sequence[dict[str, Any]]]] = [
        (tables.students, people),
        (tables.events, rows.events),
        (tables.attempt_results, rows.results),
        (tables.batch_students, batch_rows),
        (tables.courses, [{"course_id": 1, "title": "Maths"}, {"course_id": 2, "title": None}]),
        (tables.course_batches, [{"course_id": 1, "batch_id": 1}]),
        (tables.course_students, [{"course_id": 2, "student_id": 1}, {"course_id": 1, "student_id": 2}]),
        (tables.course_items, item_rows),
        (tables.lms_counts, [{"student_id": 1, "source_id": 1, "day": NOW.date(), "current_streak": 5, "videos": 0}]),
    ]
    for table, found in filled:
        if found:
            transaction.execute(sa.insert(table), found)
    state.note(transaction, state.POLLED, True, NOW)
    days.recount(transaction, SETTINGS.timezone, NOW)


class Recount:
    """The figures of one student, counted in the plainest way."""

    def __init__(self, rows: Rows, members: Sequence[tuple[int, int]], whose: int) -> None:
        self.rows, self.members, self.whose = rows, members, whose
        stated = [e for e in rows.events if e["is_current"] and not e["is_withdrawn"]]
        standing = [e for e in stated if e["mirrors"] is None]
        self.stated = [event for event in stated if event["student_id"] == whose]
        self.standing = standing
        self.own = [event for event in standing if event["student_id"] == whose]
        self.exams = [event for event in self.own if event["event_type"] in EXAM_ENDS]
        self.marks = [event["percentage"] for event in self.exams if event["percentage"] is not None]

    def percentile_rank(self) -> float | None:
        ranks = [below for _, took, below in self.ranks().values() if took >= 10]
        return fmean(ranks) if ranks else None

    def ranks(self) -> dict[int, tuple[float, int, float]]:
        """Return of each exam the student's best, how many took it, and the percent of them who are below."""
        group = set(CLASS)
        if self.members:
            mine = {batch for batch, whose in self.members if whose == self.whose}
            group = {whose for batch, whose in self.members if batch in mine}
        best: dict[int, dict[int, float]] = defaultdict(dict)
        for event in self.standing:
            exam, mark, whose = event["activity_id"], event["percentage"], event["student_id"]
            if event["event_type"] in EXAM_ENDS and None not in (exam, mark) and whose in group:
                best[exam][whose] = max(mark, best[exam].get(whose, mark))
        return {
            exam: (of_exam[self.whose], len(of_exam), 100 * sum(m < of_exam[self.whose] for m in of_exam.values()) / n)
            for exam, of_exam in best.items()
            if self.whose in of_exam and (n := len(of_exam))
        }

    def videos(self) -> int:
        """Count groups of activities that items of courses join, of which the student watched one."""
        groups = [{video} for video in VIDEOS]
        for item in {item[:2] for item in ITEMS}:
            joined = {(source, activity) for *of, source, activity in ITEMS if tuple(of) == item}
            touched = [group for group in groups if group & joined]
            groups = [group for group in groups if not group & joined] + [joined.union(*touched)]
        watched = {(e["source_table"], e["activity_id"]) for e in self.own if is_watched(e)}
        return sum(bool(group & watched) for group in groups)

    def courses(self) -> dict[int, tuple[int, int]]:
        taken = {1: [2], 2: [1]}
        batch = {whose for of, whose in self.members if of == 1}
        mine = [course for course, alone in taken.items() if self.whose in alone]
        mine += [1] if self.whose in batch and 1 not in mine else []
        finished = {(e["source_table"], e["activity_id"]) for e in self.stated if is_done(e)}
        return {
            course: (
                len({item for of, item, *activity in ITEMS if of == course and tuple(activity) in finished}),
                len({item for of, item, *_ in ITEMS if of == course}),
            )
            for course in mine
        }

    def parts(self, dimension: str) -> dict[str, tuple[int, float, float | None]]:
        """Return by label how many results there are, their percentage, and the trend."""
        by_label: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in sorted(self.exams, key=lambda e: (e["timestamp"], e["event_id"]), reverse=True):
            for row in self.rows.results:
                if row["attempt_id"] == event["source_id"] and row["dimension"] == dimension and row["total"]:
                    by_label[row["label"]].append(row)
        found = {}
        for label, rows in by_label.items():
            trend = share(rows[:3]) - share(rows[3:6]) if len(rows) >= 6 else None
            found[label] = (len(rows), share(rows), trend)
        return found

    def minutes_on_content(self) -> float | None:
        opened = {
            e["source_id"]: e["timestamp"]
            for e in self.rows.events
            if e["event_type"] == EventType.CONTENT_STARTED and not e["is_withdrawn"]
        }
        ends = (EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED)
        known = [
            (e["timestamp"] - opened[e["source_id"]]).total_seconds() / 60
            for e in self.own
            if e["event_type"] in ends and e["source_id"] in opened
        ]
        return median(known) if known else None

    def streaks(self) -> tuple[int, int]:
        learned = sorted(
            {
                min(e["timestamp"], e["created_at"]).astimezone(UTC).date()
                for e in self.own
                if e["event_type"] in FINISHING and e["timestamp"] != UNKNOWN_TIME
            }
        )
        runs: list[list[Any]] = []
        for day in learned:
            if runs and day - runs[-1][-1] == DAY:
                runs[-1].append(day)
            else:
                runs.append([day])
        current = max((len(run) for run in runs if run[-1] >= NOW.date() - DAY), default=0)
        return current, max(map(len, runs), default=0)


def share(rows: Sequence[dict[str, Any]]) -> float:
    return float(100 * sum(row["correct"] for row in rows) / sum(row["total"] for row in rows))


def is_watched(event: dict[str, Any]) -> bool:
    says, kind = event["activity_metadata"], event["event_type"]
    if kind == EventType.CONTENT_PROGRESS:
        return bool(says["progress"] == 90)
    is_over = kind in (EventType.CONTENT_WATCHED, EventType.CONTENT_COMPLETED)
    return is_over and str(says.get("content_type")).lower() == "video"


def is_done(event: dict[str, Any]) -> bool:
    return event["event_type"] in FINISHING or is_watched(event)


def near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value)


@settings(max_examples=60)
@given(attempts=ATTEMPTS, watched=WATCHED, members=BATCHES, everybody=EVERYBODY_TOOK)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_figure_is_what_a_naive_recount_gives(
    attempts: list[tuple[Any, ...]],
    watched: list[tuple[Any, ...]],
    members: list[tuple[int, int]],
    everybody: list[float | None],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = shared_store(kind, request, tmp_path_factory)
    rows = Rows()
    for *attempt, parts in attempts:
        rows.parts(rows.attempt(*attempt), parts)
    for whose, mark in zip(CLASS, everybody, strict=False):
        rows.attempt(whose, 1, EventType.EXAM_COMPLETED, mark, 3, "now")
    for one in watched:
        rows.watch(*one)
    if everybody:
        members = [*members, *((3, whose) for whose in CLASS if members)]
    with store.writing() as transaction:
        keep(transaction, rows, members)
    with store.reading() as transaction:
        for whose in ASKED:
            compare(transaction, Recount(rows, members, whose))


def compare(transaction: Transaction, recount: Recount) -> None:
    found = profiles.profile(transaction, ADMIN, recount.whose, SETTINGS, NOW)
    compare_metrics(found, recount)
    assert {one.course_id: (one.done, one.items) for one in found.current_courses} == recount.courses()
    subjects = recount.parts("subject")
    strong = {label for label, (n, percent, _) in subjects.items() if n >= 3 and percent >= 75}
    weak = {label for label, (n, percent, _) in subjects.items() if n >= 3 and percent < 50}
    assert {part.label for part in found.strong_subjects} == strong
    assert {part.label for part in found.struggling_subjects} == weak
    performance = performances.performance(transaction, ADMIN, recount.whose, SETTINGS, NOW, Newest(5))
    compare_performance(performance, recount)
    assert performance.percentile_rank == found.academic_metrics.percentile_rank
    compare_texts(transaction, found, recount)


def compare_metrics(found: AcademicProfile, recount: Recount) -> None:
    figures = found.academic_metrics
    assert figures.total_exams.value == figures.total_exams.n == len(recount.exams)
    assert figures.average_score.value == near(fmean(recount.marks) if recount.marks else None)
    assert figures.average_score.n == len(recount.marks)
    assert figures.percentile_rank.value == near(recount.percentile_rank())
    assert figures.percentile_rank.n == sum(took >= 10 for _, took, _ in recount.ranks().values())
    assert figures.videos_watched.value == figures.videos_watched.n == recount.videos()
    assert (figures.current_streak.value, figures.highest_streak.value) == recount.streaks()
    own = {event["event_id"]: event["timestamp"] for event in recount.own}
    for field in fields(figures):
        metric = getattr(figures, field.name)
        moments = [own[number] for number in metric.event_ids]
        assert moments == sorted(moments, reverse=True)
        assert len(moments) == min(metric.n, 100)
        known = [at for at in moments if at != UNKNOWN_TIME]
        assert metric.period == ((min(known), max(known)) if known else None)
        assert metric.reason.endswith(".")
    theirs = {one.name: one.difference for one in found.lms_counts}
    expected = {"current_streak": 5 - recount.streaks()[0], "videos_watched": -recount.videos()}
    assert theirs == (expected if recount.whose == 1 else {})


def compare_performance(found: Performance, recount: Recount) -> None:
    newest = sorted(recount.exams, key=lambda e: (e["timestamp"], e["event_id"]), reverse=True)
    ranks = recount.ranks()
    assert found.exams == len(newest)
    assert [one.event.event_id for one in found.exam_history] == [event["event_id"] for event in newest[:5]]
    assert found.next == ((newest[4]["timestamp"], newest[4]["event_id"]) if len(newest) > 5 else None)
    for one in found.exam_history:
        _, took, below = ranks.get(one.event.activity_id or 0, (None, None, None))
        assert (one.took, one.percentile) == (took, near(below) if took and took >= 10 else None)
    for dimension, parts in (("subject", found.subject_performance), ("difficulty", found.difficulty_performance)):
        counted = {part.label: (part.n, part.percentage, part.trend) for part in parts}
        expected = recount.parts(dimension)
        assert counted.keys() == expected.keys()
        for label, (n, percent, trend) in expected.items():
            assert counted[label] == (n, near(percent), near(trend))
    assert found.time_on_content.value == near(recount.minutes_on_content())


def compare_texts(transaction: Transaction, found: AcademicProfile, recount: Recount) -> None:
    """The same numbers stand in JSON, in the text of the profile, in the chart's and on the card."""
    document = json.loads(json.dumps(profile_document(found)))
    shown, figures = profile_text(found, NOW), document["academic_metrics"]
    assert figures["average_score"] == near(fmean(recount.marks) if recount.marks else None)
    assert f"**Average:** {mean(figures['average_score'])}" in shown
    assert ("better than" in shown) == (figures["percentile_rank"] is not None)
    if figures["percentile_rank"] is not None:
        assert f"better than {mean(figures['percentile_rank'])} of " in shown
    assert re.search(rf"📝 {len(recount.exams)} exams? finished · 🎬 {recount.videos()} videos? watched\n", shown)
    assert re.search(rf"🔥 \*\*Streak:\*\* {recount.streaks()[0]} days?, longest {recount.streaks()[1]}\b", shown)
    assert len(shown.splitlines()) <= 17
    subjects = recount.parts("subject")
    chart = subjects_text(found.student, performances.subject_performance(transaction, ADMIN, recount.whose))
    for label, (n, percent, _) in subjects.items():
        assert re.search(rf"\* \*\*{label}\*\* · {re.escape(mean(percent))} · {n} results?( · |$)", chart, re.MULTILINE)
    card = student.card(transaction, ADMIN, recount.whose, SETTINGS, NOW)
    assert card.card.average == near(figures["average_score"])
    assert card.streaks.learning.current == figures["current_streak"]


@pytest.fixture
def small(store: Store) -> Store:
    """A school in which nobody did anything, whose LMS was read."""
    with store.writing() as transaction:
        keep(transaction, Rows(), [(1, 1)])
    return store


def profile_of(store: Store, whose: int) -> AcademicProfile:
    with store.reading() as transaction:
        return profiles.profile(transaction, ADMIN, whose, SETTINGS, NOW)


def test_what_is_unknown_is_none_and_never_zero(small: Store) -> None:
    figures = profile_of(small, 1).academic_metrics
    assert (figures.average_score.value, figures.percentile_rank.value) == (None, None)
    assert (figures.total_exams.value, figures.videos_watched.value, figures.current_streak.value) == (0, 0, 0)
    with small.writing() as transaction:
        state.forget(transaction, state.POLLED)
    unread = profile_of(small, 1)
    assert {getattr(unread.academic_metrics, field.name).value for field in fields(unread.academic_metrics)} == {None}
    assert unread.academic_metrics.total_exams.reason == "The LMS was not read yet."
    assert unread.lms_read_at is None


def test_who_is_in_no_batch_is_compared_with_nobody(small: Store) -> None:
    rank = profile_of(small, 2).academic_metrics.percentile_rank
    assert (rank.value, rank.reason) == (None, "The student is in no batch.")
    assert "10 or more" in profile_of(small, 1).academic_metrics.percentile_rank.reason


def test_more_than_a_hundred_events_are_counted_and_the_newest_hundred_named(small: Store) -> None:
    rows = Rows()
    for number in range(130):
        rows.event(EventType.EXAM_PASSED, 1, ("attempts", number), NOW - timedelta(minutes=number), percentage=60.0)
    with small.writing() as transaction:
        keep(transaction, rows, [])
    figures = profile_of(small, 1).academic_metrics
    for metric in (figures.average_score, figures.total_exams, figures.current_streak):
        assert metric.n == 130
        assert metric.event_ids == tuple(range(1, 101))
        assert metric.period == (NOW - timedelta(minutes=129), NOW)


def test_the_profile_takes_the_same_few_statements_however_much_there_is(small: Store) -> None:
    from lms_bot.db.statements import StatementCounter

    counter = StatementCounter(small.engine)
    profile_of(small, 1)
    few = counter.take()
    rows = Rows()
    for number in range(60):
        rows.parts(rows.attempt(1, number, EventType.EXAM_PASSED, 50.0, number % 5, "now"), [("Algebra", 3, 1)] * 3)
        rows.watch(1, VIDEOS[number % 6], "watched", number % 5, True)
    with small.writing() as transaction:
        keep(transaction, rows, [(1, whose) for whose in CLASS])
    counter.take()
    profile_of(small, 1)
    assert counter.take() - few <= 3  # names of those whose events are shown, and what was finished in a streak
    assert few <= 20


def test_no_statement_reads_a_large_table_through(small: Store) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    is_sqlite, plans = small.engine.dialect.name == "sqlite", ""
    with small.reading() as transaction:
        sa.event.listen(small.engine, "before_cursor_execute", note)
        profiles.profile(transaction, ADMIN, 1, SETTINGS, NOW)
        performances.performance(transaction, ADMIN, 1, SETTINGS, NOW)
        sa.event.remove(small.engine, "before_cursor_execute", note)
        cursor: Any = transaction.connection.cursor()
        if not is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")  # what has another way takes it, however small
        for statement, parameters in asked:
            cursor.execute(f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}", parameters)
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            scanned = re.findall(r"SCAN (\w+)|Seq Scan on (\w+)", plan)
            assert not {name for pair in scanned for name in pair} & LARGE, plan
            plans += plan
        cursor.close()
    assert re.search(r"(COVERING INDEX|Index Only Scan.* using) ix_lms_activity_events_results", plans)
